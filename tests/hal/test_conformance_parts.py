"""The conformance suite: LEDs, watchdog, sensors, console, power."""

import asyncio

import pytest

from hal.capabilities import Capability
from hal.errors import DeviceFailed, NotThere, Refused, TimedOut
from hal.protocols.led import OFF, ON, Blink
from hal.protocols.sensor import Reading, SensorKind
from tests.hal.suite import AT_ONCE_S, GENEROUS_S, refused
from tests.hal.worlds import World


async def test_leds_show_what_they_are_told(any_world: World) -> None:
    leds = await any_world.box.leds()
    assert [led.name for led in leds] in ([], ["sa800:green:status", "sa800:red:alarm"])
    for led in leds:
        for light in (ON, OFF, Blink(200, 800), ON, Blink(50, 50), OFF):
            await led.show(light)
            assert any_world.light(led.name) == light
        for light in (Blink(0, 100), Blink(100, 10_001)):
            with pytest.raises(Refused, match=led.name):
                await led.show(light)


async def test_a_watchdog_is_started_fed_and_stopped(any_world: World) -> None:
    watchdog = await any_world.box.watchdog()
    can = watchdog.capabilities
    if await refused(can, Capability.WATCHDOG, watchdog.state):
        for ask in (lambda: watchdog.start(None), watchdog.feed, watchdog.stop):
            assert await refused(can, Capability.WATCHDOG, ask)
        return
    state = await watchdog.state()
    assert (state.running, state.fired, state.timeout_s) == (False, False, 60) and state.identity
    assert await watchdog.start(30) == 30
    state = await watchdog.state()
    assert (state.running, state.timeout_s) == (True, 30)
    await watchdog.feed()
    await watchdog.feed()
    assert any_world.feeds() == 2
    with pytest.raises(Refused, match="runs already"):
        await watchdog.start(None)
    await watchdog.stop()
    assert not (await watchdog.state()).running
    for ask in (watchdog.feed, watchdog.stop):
        with pytest.raises(Refused, match="does not run"):
            await ask()
    assert await watchdog.start(None) == 30
    await watchdog.stop()


@pytest.mark.parametrize("timeout_s", [0, -1, 601])
async def test_a_watchdog_refuses_a_timeout_before_it_runs(any_world: World, timeout_s: int) -> None:
    watchdog = await any_world.box.watchdog()
    if not await refused(watchdog.capabilities, Capability.WATCHDOG, lambda: watchdog.start(timeout_s)):
        with pytest.raises(Refused, match="1 to 600 s"):
            await watchdog.start(timeout_s)
        assert not (await watchdog.state()).running


async def test_sensors(any_world: World) -> None:
    sensors = await any_world.box.sensors()
    if await refused(sensors.capabilities, Capability.SENSORS, sensors.read):
        return
    package = Reading("coretemp", "Package id 0", SensorKind.TEMPERATURE, 48.5, high=80.0, critical=95.0)
    cold = Reading("nct6775", "SYSTIN", SensorKind.TEMPERATURE, -5.0)
    broken = Reading("nct6775", "AUXTIN", SensorKind.TEMPERATURE, None)
    fan = Reading("nct6775", "fan1", SensorKind.FAN, 2450.0, low=600.0)
    rail = Reading("nct6775", "Vcore", SensorKind.VOLTAGE, 1.032, low=0.9, high=1.35)
    any_world.measures(rail, cold, package, fan, broken)
    assert await sensors.read() == (package, fan, broken, cold, rail)


async def no_console(any_world: World) -> bool:
    async def just_open() -> None:
        async with any_world.box.console.open(any_world.peer().name, 115200):
            pass

    return await refused(any_world.box.console.capabilities, Capability.CONSOLE, just_open)


async def test_a_serial_line_both_ways(any_world: World) -> None:
    console, peer = any_world.box.console, any_world.peer()
    if await no_console(any_world):
        return
    async with console.open(peer.name, 115200) as line:
        await line.write(b"root\r\x00\xff", GENEROUS_S)
        assert await peer.hear(7) == b"root\r\x00\xff"
        peer.say(b"login: ")
        peer.say(b"Password: \nmore\n")
        assert await line.read_until(b"login: ", GENEROUS_S) == b"login: "
        assert await line.read_until(b"\n", GENEROUS_S) == b"Password: \n"
        with pytest.raises(TimedOut):
            await line.read_until(b"never", AT_ONCE_S)
        assert await line.read_until(b"\n", GENEROUS_S) == b"more\n"
        with pytest.raises(Refused):
            await line.read_until(b"", AT_ONCE_S)


async def test_a_serial_line_is_one_s_own(any_world: World) -> None:
    console, peer = any_world.box.console, any_world.peer()
    if await no_console(any_world):
        return
    async with console.open(peer.name, 9600):
        with pytest.raises(Refused, match="elsewhere"):
            async with console.open(peer.name, 9600):
                pass
    async with console.open(peer.name, 9600):
        pass
    with pytest.raises(NotThere):
        async with console.open("/dev/ttyNOTHING7", 9600):
            pass


async def test_a_serial_line_whose_other_end_takes_nothing_or_goes(any_world: World) -> None:
    console, peer = any_world.box.console, any_world.peer()
    if await no_console(any_world):
        return
    async with console.open(peer.name, 115200) as line:
        peer.take_no_more()
        with pytest.raises(TimedOut, match="not taken"):
            await line.write(b"x" * 1_000_000, AT_ONCE_S)
        asyncio.get_running_loop().call_soon(peer.hang_up)
        with pytest.raises(DeviceFailed):
            await line.read_until(b"never", GENEROUS_S)


async def test_power(any_world: World) -> None:
    power = await any_world.box.power()
    asks = {Capability.REBOOT: power.reboot, Capability.POWER_OFF: power.power_off}
    wanted = []
    for capability, ask in asks.items():
        if await refused(power.capabilities, capability, lambda ask=ask: ask("升级 to 1.2")):  # type: ignore[misc]
            continue
        await ask("升级 to 1.2")
        wanted.append((capability, "升级 to 1.2"))
        for reason in ("", "two\nlines", "x" * 201):
            with pytest.raises(Refused, match="reason"):
                await ask(reason)
    assert any_world.restarts_asked() == wanted
