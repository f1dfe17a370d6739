"""One suite for every box: what a backend declares it does, what it does not declare it refuses at once.

No test is skipped: where a capability is missing, its refusal is the test.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Set
from pathlib import Path

import pytest

from hal.capabilities import Capability
from hal.detect.catalogue import model_of
from hal.errors import DeviceFailed, HalError, NotSupported, NotThere, Refused, TimedOut
from hal.model.changes import Changes
from hal.model.inventory import Card, Inventory, PortKind
from hal.protocols.led import OFF, ON, Blink
from hal.protocols.sensor import Reading, SensorKind
from hal.protocols.voice import Alarm, Hook, Loop, PortEvent, PortState, SpanState
from hal.reprobe import next_changes
from hal.sim.box import SimBox
from hal.sim.script import Happens
from tests.hal.worlds import CARDS, HDB3_CCS_CRC4, SLOTS, WORLDS, SimWorld, World, world_of

AT_ONCE_S = 0.02
"""For waits that shall end without anything coming."""
GENEROUS_S = 30
Ask = Callable[[], Awaitable[object]]


@pytest.fixture(params=WORLDS)
def any_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with world_of(request.param, tmp_path) as found:
        yield found


@pytest.fixture(params=[name for name in WORLDS if name != "linux without parts"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """For cards and lines: there the box without parts is like the whole one."""
    with world_of(request.param, tmp_path) as found:
        yield found


async def refused(held: Set[Capability], wanted: Capability, ask: Ask) -> bool:
    """True when the backend does not declare it, having seen that it refuses."""
    if wanted in held:
        return False
    with pytest.raises(NotSupported, match=wanted):
        await ask()
    return True


async def card_of(world: World) -> Card:
    return next(card for card in (await world.box.inventory()).cards if card.known)


# Inventory and hot plug


@pytest.mark.parametrize("kind", CARDS)
@pytest.mark.parametrize("assign", [True, False], ids=["assigned", "unassigned"])
async def test_real_and_simulated_box_find_the_same(kind: str, assign: bool, tmp_path: Path) -> None:
    """Two constructions that share no code: the kernel's sysfs read by the driver, and the simulated slots."""
    found: list[Inventory] = []
    for name in ("linux", "sim"):
        with world_of(name, tmp_path) as world:
            await world.plug("analog", "06:01.0")
            await world.plug(kind, SLOTS.get(kind, "05:04.0"), assign=assign)
            found.append(await world.box.inventory())
    assert found[0] == found[1]
    assert len(found[0].cards) == 2


async def test_real_and_simulated_box_number_alike(tmp_path: Path) -> None:
    """New spans go into the first gap that is wide enough."""
    found: list[Inventory] = []
    for name in ("linux", "sim"):
        with world_of(name, tmp_path) as world:
            for slot in ("05:01.0", "05:02.0", "05:03.0"):
                await world.plug("analog", slot)
            await world.pull("05:02.0")
            await world.plug("dual_e1", "05:04.0")  # four channels are free, it needs more
            await world.plug("analog", "05:05.0")  # this one fits
            found.append(await world.box.inventory())
    assert found[0] == found[1]
    assert [span.number for card in found[0].cards for span in card.spans] == [1, 3, 4, 5, 2]


async def test_an_empty_box_has_no_cards(world: World) -> None:
    assert await world.box.inventory() == Inventory()


async def no_hot_plug(world: World) -> bool:
    async def listen() -> None:
        async with world.box.hot_plug():
            pass

    return await refused(world.box.capabilities, Capability.HOT_PLUG, listen)


async def test_a_card_that_comes_and_goes_rings_and_is_found(world: World) -> None:
    if await no_hot_plug(world):
        return
    async with world.box.hot_plug() as bell:
        before = await world.box.inventory()
        await world.plug("dual_e1")
        now, changes = await next_changes(world.box, bell, before, GENEROUS_S, AT_ONCE_S)
        assert [card.id.model for card in changes.added] == ["Wildcard TE210P (4th Gen)"]
        await world.pull()
        gone, changes = await next_changes(world.box, bell, now, GENEROUS_S, AT_ONCE_S)
        assert [card.id.model for card in changes.removed] == ["Wildcard TE210P (4th Gen)"]
        assert gone == before
        assert not await bell.rung(AT_ONCE_S)


async def test_a_span_that_gets_its_number_rings(world: World) -> None:
    if await no_hot_plug(world):
        return
    await world.plug("dual_e1", assign=False)
    async with world.box.hot_plug() as bell:
        before = await world.box.inventory()
        await world.assign("dual_e1")
        _, changes = await next_changes(world.box, bell, before, GENEROUS_S, AT_ONCE_S)
    ((was, now),) = changes.changed
    assert [(span.number, span.ports[0].channel) for span in was.spans] == [(None, None), (None, None)]
    assert [(span.number, span.ports[0].channel) for span in now.spans] == [(1, 1), (2, 32)]


async def test_a_moved_card_and_an_unknown_one_are_told(world: World) -> None:
    if await no_hot_plug(world):
        return
    await world.plug("astribank", "1-1")
    async with world.box.hot_plug() as bell:
        before = await world.box.inventory()
        await world.pull("1-1")
        await world.plug("astribank", "1-10")
        await world.plug("stranger", "05:0a.0")
        _, changes = await next_changes(world.box, bell, before, GENEROUS_S, AT_ONCE_S)
    assert [(move.now.id.position, move.guessed) for move in changes.moved] == [("usb-0000:00:1d.7-10", False)]
    assert [card.id.model for card in changes.unknown] == ["Quux D130"]
    assert not changes.removed


async def test_a_bell_that_nobody_rings_is_silent_in_time(world: World) -> None:
    if await no_hot_plug(world):
        return
    await world.plug("analog")  # before anyone listens
    async with world.box.hot_plug() as bell:
        before = await world.box.inventory()
        assert not await bell.rung(AT_ONCE_S)
        assert await next_changes(world.box, bell, before, AT_ONCE_S) == (before, Changes())


# Spans and ports


async def test_the_state_of_a_span(world: World) -> None:
    await world.plug("dual_e1")
    card = await card_of(world)
    span = world.box.voice(card).span(card.spans[1])
    if await refused(span.capabilities, Capability.SPAN_STATE, span.state):
        return
    assert await span.state() == SpanState(frozenset(), None, clock_master=False)
    world.alarms(2, {Alarm.RED, Alarm.YELLOW})
    world.framed(2, HDB3_CCS_CRC4)
    assert await span.state() == SpanState(frozenset({Alarm.RED, Alarm.YELLOW}), HDB3_CCS_CRC4, clock_master=True)
    other = world.box.voice(card).span(card.spans[0])
    assert not (await other.state()).alarms


async def test_each_alarm(world: World) -> None:
    await world.plug("dual_e1")
    card = await card_of(world)
    span = world.box.voice(card).span(card.spans[0])
    if not await refused(span.capabilities, Capability.SPAN_STATE, span.state):
        for alarm in Alarm:
            world.alarms(1, {alarm})
            assert (await span.state()).alarms == {alarm}


async def test_a_pulled_card_is_not_there(world: World) -> None:
    await world.plug("analog")
    card = await card_of(world)
    await world.pull()
    await world.plug("dual_e1")  # another card's span has the number now
    module = world.box.voice(card)
    span, port = module.span(card.spans[0]), module.port(card.ports[0])
    if not await refused(span.capabilities, Capability.SPAN_STATE, span.state):
        with pytest.raises(NotThere, match="span 1") as error:
            await span.state()
        assert "probe again" in error.value.hint
    if not await refused(port.capabilities, Capability.PORT_STATE, port.state):
        with pytest.raises(NotThere):
            await port.state()


async def test_a_span_that_was_renumbered_is_not_mistaken_for_its_neighbour(world: World) -> None:
    await world.plug("dual_e1")
    second = (card := await card_of(world)).spans[1]
    await world.pull()
    await world.plug("analog", "05:01.0")
    await world.plug("dual_e1")  # its first span has now the number that its second one had
    span = world.box.voice(card).span(second)
    if not await refused(span.capabilities, Capability.SPAN_STATE, span.state):
        with pytest.raises(NotThere, match="span 2"):
            await span.state()


async def test_a_card_that_comes_back_begins_anew(world: World) -> None:
    await world.plug("analog")
    port = world.box.voice(card := await card_of(world)).port(card.ports[0])
    if not await refused(port.capabilities, Capability.PORT_STATE, port.state):
        world.seized(1, 1, 1, "FXSKS")
        await world.pull()
        await world.plug("analog")
        assert await port.state() == PortState(None, open=False, alarms=frozenset())


async def test_a_span_without_number_is_not_there(world: World) -> None:
    await world.plug("dual_e1", assign=False)
    card = await card_of(world)
    span = world.box.voice(card).span(card.spans[0])
    if not await refused(span.capabilities, Capability.SPAN_STATE, span.state):
        with pytest.raises(NotThere):
            await span.state()


async def test_the_state_of_a_port(world: World) -> None:
    await world.plug("analog")
    card = await card_of(world)
    port = world.box.voice(card).port(card.ports[1])
    if await refused(port.capabilities, Capability.PORT_STATE, port.state):
        return
    assert await port.state() == PortState(None, open=False, alarms=frozenset())
    world.seized(1, 2, 2, "FXSKS")
    assert await port.state() == PortState("FXSKS", open=True, alarms=frozenset({Alarm.RED}))
    other = world.box.voice(card).port(card.ports[0])
    assert not (await other.state()).open


async def test_what_acts_on_a_span(world: World) -> None:
    await world.plug("dual_e1")
    card = await card_of(world)
    span = world.box.voice(card).span(card.spans[0])
    if not await refused(span.capabilities, Capability.SPAN_CONFIGURE, lambda: span.configure(HDB3_CCS_CRC4)):
        await span.configure(HDB3_CCS_CRC4)
        assert (await span.state()).line == HDB3_CCS_CRC4
    if not await refused(span.capabilities, Capability.SPAN_COUNTERS, span.counters):
        before = await span.counters()
        assert (await span.counters()).crc4_errors >= before.crc4_errors
    for where in (Loop.LOCAL, Loop.REMOTE, None):
        if not await refused(span.capabilities, Capability.SPAN_LOOPBACK, lambda w=where: span.loop(w)):  # type: ignore[misc]
            await span.loop(where)


async def test_assigning_a_span(world: World) -> None:
    await world.plug("dual_e1", assign=False)
    card = await card_of(world)
    module = world.box.voice(card)
    if await refused(module.capabilities, Capability.SPAN_ASSIGN, lambda: module.assign(card.spans[0], 3, 63)):
        return
    await module.assign(card.spans[0], 3, 63)
    span = (await card_of(world)).spans[0]
    assert (span.number, span.ports[0].channel) == (3, 63)
    for local, number, channel in ((0, 4, 200), (1, 3, 200), (1, 4, 90)):
        with pytest.raises(Refused, match="taken"):
            await module.assign(card.spans[local], number, channel)


async def test_the_hook_of_a_port(world: World) -> None:
    await world.plug("analog")
    await world.plug("dual_e1", "05:05.0")
    box = await world.box.inventory()
    ports = {port.kind: world.box.voice(card).port(port) for card in box.cards for port in card.ports}
    fxo = ports[PortKind.FXO]
    if await refused(fxo.capabilities, Capability.PORT_HOOK, lambda: fxo.hook(Hook.OFF)):
        return
    await fxo.hook(Hook.OFF)
    await fxo.hook(Hook.ON)
    await ports[PortKind.FXS].hook(Hook.RING)
    for kind, position in ((PortKind.FXO, Hook.RING), (PortKind.E1, Hook.OFF)):
        with pytest.raises(Refused):
            await ports[kind].hook(position)


async def test_the_events_of_a_port(world: World) -> None:
    await world.plug("analog")
    card = await card_of(world)
    port = world.box.voice(card).port(card.ports[0])
    if await refused(port.capabilities, Capability.PORT_EVENTS, lambda: port.next_event(AT_ONCE_S)):
        return
    with pytest.raises(TimedOut):
        await port.next_event(AT_ONCE_S)
    assert isinstance(world.box, SimBox), "a backend with events needs a hand that makes them"
    world.box.play([Happens(1, PortEvent.RING), Happens(1, PortEvent.POLARITY), Happens(2, PortEvent.ALARM)])
    assert [await port.next_event(GENEROUS_S) for _ in range(2)] == [PortEvent.RING, PortEvent.POLARITY]
    with pytest.raises(TimedOut):
        await port.next_event(AT_ONCE_S)


# LEDs, watchdog, sensors, console, power


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


# The suite itself


async def test_between_them_the_worlds_show_and_lack_everything(tmp_path: Path) -> None:
    """A capability that every world has, or none, would be tested on one side only."""
    shown: dict[str, set[Capability]] = {}
    for name in WORLDS:
        folder = tmp_path / name
        folder.mkdir()
        with world_of(name, folder) as world:
            shown[name] = await declared(world)
    assert set().union(*shown.values()) == set(Capability)
    assert not set.intersection(*shown.values())
    acts = {Capability.SPAN_ASSIGN, Capability.SPAN_CONFIGURE, Capability.SPAN_COUNTERS, Capability.SPAN_LOOPBACK}
    acts |= {Capability.PORT_HOOK, Capability.PORT_EVENTS}
    assert set(Capability) - shown["linux"] == acts, "what waits for DAHDI's ioctls"


async def declared(world: World) -> set[Capability]:
    await world.plug("dual_e1", "07:01.0")
    card = await card_of(world)
    module = world.box.voice(card)
    found = set(world.box.capabilities) | set(module.capabilities) | set(world.box.console.capabilities)
    found |= set(module.span(card.spans[0]).capabilities) | set(module.port(card.ports[0]).capabilities)
    for part in (await world.box.watchdog(), await world.box.sensors(), await world.box.power()):
        found |= set(part.capabilities)
    for led in await world.box.leds():
        found |= set(led.capabilities)
    return found


def test_the_simulated_box_uses_the_words_of_the_drivers() -> None:
    for make_spec, make_blueprint in CARDS.values():
        assert model_of(make_spec().type) == make_blueprint().model


async def test_a_simulated_slot_holds_one_card() -> None:
    world = SimWorld()
    await world.plug("analog")
    with pytest.raises(HalError, match="holds"):
        await world.plug("analog")
