"""The verbs that only the simulated box has, and the waiting of hal.reprobe."""

import pytest

from hal.errors import NotThere, Refused, TimedOut
from hal.model.changes import Changes
from hal.model.inventory import Inventory
from hal.protocols.sensor import Reading, SensorKind
from hal.protocols.voice import Alarm, ChannelConfig, Hook, PortEvent, Signalling
from hal.reprobe import MOST_RINGS, next_changes
from hal.sim import cards
from hal.sim.box import SimBox
from hal.sim.script import Alarms, Happens, Measures, Move, Plug, Pull
from hal.sim.voice import MOST_EVENTS, SimPort


async def test_a_script_is_played_in_its_order() -> None:
    box = SimBox()
    reading = Reading("sim", "board", SensorKind.TEMPERATURE, 41.0)
    box.play(
        [
            Plug(cards.analog("oos-"), "pci:0000:05:01.0"),
            Plug(cards.serial_e1("1TE435F1"), "pci:0000:05:02.0"),
            Move("pci:0000:05:02.0", "pci:0000:05:09.0"),
            Pull("pci:0000:05:01.0"),
            Alarms(2, frozenset({Alarm.BLUE})),
            Measures(reading),
        ]
    )
    (card,) = (await box.inventory()).cards
    assert (card.id.position, card.id.serial) == ("pci:0000:05:09.0", "1TE435F1")
    assert (await box.voice(card).span(card.spans[0]).state()).alarms == {Alarm.BLUE}
    port = box.voice(card).port(card.ports[0])
    await port.configure(ChannelConfig(Signalling.BEARER))
    async with port.hold() as held:
        box.play([Happens(5, PortEvent.ALARM)])
        assert await held.next_event(30) is PortEvent.ALARM
    assert await (await box.sensors()).read() == (reading,)


def test_what_is_not_plugged_in_cannot_be_pulled_or_moved() -> None:
    box = SimBox()
    for step in (Pull("nowhere"), Move("nowhere", "there")):
        with pytest.raises(NotThere, match="nowhere"):
            box.play([step])


async def test_an_unfed_watchdog_fires() -> None:
    watchdog = await SimBox().watchdog()
    await watchdog.start(10)
    watchdog.pass_time(9)
    await watchdog.feed()
    watchdog.pass_time(10)
    assert (await watchdog.state()).running
    watchdog.pass_time(1)
    state = await watchdog.state()
    assert (state.running, state.fired) == (False, True)
    with pytest.raises(Refused):
        await watchdog.feed()


async def test_what_was_asked_of_a_port_is_kept() -> None:
    box = SimBox()
    card = box.plug(cards.analog("oooo"), "pci:0000:05:01.0")
    port: SimPort = box.voice(card).port(card.ports[2])
    await port.configure(ChannelConfig(Signalling.FXS_KEWL))
    async with port.hold() as held:
        await held.hook(Hook.OFF)
        await held.hook(Hook.FLASH)
    assert box.world.port(3).hooks == [Hook.OFF, Hook.FLASH, Hook.ON]


async def test_what_happens_is_told_to_its_holder_as_far_as_there_is_room() -> None:
    box = SimBox()
    card = box.plug(cards.analog("oooo"), "pci:0000:05:01.0")
    box.play([Happens(1, PortEvent.RING)] * (MOST_EVENTS + 1))
    port = box.voice(card).port(card.ports[0])
    await port.configure(ChannelConfig(Signalling.FXS_KEWL))
    async with port.hold() as held:
        box.play([Happens(1, PortEvent.RING)] * MOST_EVENTS + [Happens(1, PortEvent.ALARM)])
        assert [await held.next_event(30) for _ in range(MOST_EVENTS)] == [PortEvent.RING] * MOST_EVENTS
        with pytest.raises(TimedOut):
            await held.next_event(0.02)


class ScriptedBell:
    """Rings as often as it is told, then is silent."""

    def __init__(self, rings: int) -> None:
        self.left, self.asked = rings, 0

    async def rung(self, within_s: float) -> bool:
        self.asked += 1
        self.left -= 1
        return self.left >= 0


class CountingBox(SimBox):
    probes = 0

    async def inventory(self) -> Inventory:
        self.probes += 1
        return await super().inventory()


@pytest.mark.parametrize(("rings", "probes", "asked"), [(0, 0, 1), (1, 1, 2), (5, 1, 6), (10_000, 1, 1 + MOST_RINGS)])
async def test_probed_is_once_when_the_bell_is_quiet_or_has_rung_enough(rings: int, probes: int, asked: int) -> None:
    box, bell = CountingBox(), ScriptedBell(rings)
    assert await next_changes(box, bell, Inventory(), 30) == (Inventory(), Changes())
    assert (box.probes, bell.asked) == (probes, asked)
