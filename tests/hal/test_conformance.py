"""One suite for every box: what a backend declares it does, what it does not declare it refuses at once.

No test is skipped: where a capability is missing, its refusal is the test. Here: what is plugged in, and the suite
itself; lines in test_conformance_voice.py, the rest of the box in test_conformance_parts.py.
"""

from pathlib import Path

import pytest

from hal.capabilities import Capability
from hal.detect.catalogue import model_of
from hal.errors import HalError
from hal.model.changes import Changes
from hal.model.inventory import Inventory
from hal.reprobe import next_changes
from tests.hal.suite import AT_ONCE_S, GENEROUS_S, card_of, refused
from tests.hal.worlds import CARDS, SLOTS, WORLDS, SimWorld, World, world_of


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
    acts |= {Capability.PORT_CONFIGURE, Capability.PORT_HOOK, Capability.PORT_EVENTS, Capability.PORT_TAP}
    assert set(Capability) - shown["linux"] == acts, "what takes DAHDI's ioctls: test_conformance_acts.py on the board"


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
