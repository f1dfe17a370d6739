"""Bringing the lines up, on the simulated box: numbers, framing, channels, what is read back, what is left alone."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hal.boards import SA800
from hal.capabilities import Capability
from hal.errors import DeviceFailed
from hal.model.inventory import Inventory
from hal.model.lines import MOST_SPANS, Names, Naming, name_lines
from hal.names_file import NamesFile
from hal.protocols.voice import ChannelConfig, Coding, Law, LineConfig, Signalling
from hal.setup import plan, report
from hal.setup.__main__ import set_up
from hal.setup.bring_up import Seen, bring_up, bring_up_line
from hal.setup.plan import Channels, LinePlan, NoPlan
from hal.setup.report import LineReport, NoReport, Report
from hal.sim import cards
from hal.sim.box import SimBox

E1 = LinePlan(
    "e1-1",
    (
        Channels((*range(1, 16), *range(17, 32)), ChannelConfig(Signalling.BEARER)),
        Channels((16,), ChannelConfig(Signalling.DATA_LINK)),
    ),
    LineConfig(Coding.HDB3, common_channel=True, crc4=True),
    clock_order=1,
)
R2 = replace(
    E1,
    name="e1-2",
    channels=(Channels((*range(1, 16), *range(17, 32)), ChannelConfig(Signalling.CAS, Law.A, 0b1101, "mg2")),),
    framing=LineConfig(Coding.HDB3, common_channel=False, crc4=False),
)
FXO = LinePlan("fxo-1", (Channels((1,), ChannelConfig(Signalling.FXS_KEWL, echo_canceller="mg2")),))
FXS = LinePlan("fxs-1", (Channels((1,), ChannelConfig(Signalling.FXO_KEWL)),))
PLANS = (E1, R2, FXO, FXS)


@pytest.fixture
def box() -> SimBox:
    """Two E1, four analog ports; no span has a number yet, as on the product."""
    box = SimBox()
    box.plug(cards.e1("TE220", 2), "pci:0000:05:04.0", assign=False)
    box.plug(cards.analog("oso-"), "pci:0000:05:06.0", assign=False)
    return box


@dataclass(frozen=True, slots=True)
class BroughtUp:
    names: Names
    report: Report


async def up(
    box: SimBox, names: Names | None = None, plans: tuple[LinePlan, ...] = PLANS
) -> tuple[BroughtUp, list[str]]:
    log: list[str] = []
    stored = names or Names()

    def name(inventory: Inventory) -> Naming:
        nonlocal stored
        naming = name_lines(stored, inventory)
        stored = naming.names
        return naming

    report = await bring_up(box, SA800, name, plans, log.append)
    return BroughtUp(stored, report), log


async def test_whoever_held_a_line_may_take_a_moment_to_let_go(box: SimBox) -> None:
    first, log = await up(box)
    inventory = await box.inventory()
    line = next(line for line in name_lines(first.names, inventory).lines if line.name == "fxo-1")
    card = inventory.card(line.card)
    assert card is not None
    port = box.voice(card).port(next(port for port in card.ports if port.position == line.position))
    again = bring_up_line(box, Seen(inventory, first.names), line, FXO, log.append, anew=True)
    async with asyncio.TaskGroup() as tasks, port.hold():
        told = tasks.create_task(again)
        for _ in range(50):
            await asyncio.sleep(0)
    assert (told.result().configured, told.result().trouble) == (True, "")


def by_name(told: Report) -> dict[str, LineReport]:
    return {line.name: line for line in told.lines}


async def test_lines_of_every_kind_come_up_at_the_first_start(box: SimBox) -> None:
    done, _ = await up(box)
    lines = by_name(done.report)
    assert {name: (line.span, line.channel) for name, line in lines.items()} == {
        "e1-1": (1, 1), "e1-2": (2, 33), "fxo-1": (3, 65), "fxs-1": (3, 66), "fxo-2": (3, 67),
    }  # fmt: skip
    assert {name for name, line in lines.items() if line.configured} == {"e1-1", "e1-2", "fxo-1", "fxs-1"}
    assert not any(line.trouble for line in lines.values())
    assert done.report.missing == done.report.troubles == ()
    assert lines["e1-1"].unverified == ("clock source",)
    world = box.world
    assert world.span(1).state.line == E1.framing and world.span(1).clock_order == 1 and world.span(1).running
    assert world.port(16).config.signalling is Signalling.DATA_LINK
    assert world.port(17).config.signalling is Signalling.BEARER
    assert world.port(33).config == R2.channels[0].config
    assert world.port(48).configured == 0, "R2 has its bits in timeslot 16: it is no channel of ours"
    assert world.port(66).config.signalling is Signalling.FXO_KEWL


async def test_again_touches_nothing(box: SimBox) -> None:
    done, _ = await up(box)
    again, log = await up(box, done.names)
    assert again == done
    assert log == []


async def test_one_changed_line_touches_no_other(box: SimBox) -> None:
    done, _ = await up(box)
    before = {channel: world.configured for channel, world in box.world.ports.items()}
    changed = replace(FXO, channels=(Channels((1,), ChannelConfig(Signalling.FXS_KEWL)),))
    box.world.port(1).open = True  # a call on the E1
    again, log = await up(box, done.names, (E1, R2, changed, FXS))
    assert [line.partition(":")[0] for line in log] == ["fxo-1", "fxo-1"]
    after = {channel: world.configured for channel, world in box.world.ports.items()}
    assert {channel for channel in after if after[channel] != before.get(channel)} == {65}
    assert again.report == done.report


async def test_numbers_stay_when_a_card_comes_before_the_others(box: SimBox) -> None:
    done, _ = await up(box)
    later = SimBox()
    later.plug(cards.analog("ooss"), "pci:0000:01:00.0", assign=False)
    later.plug(cards.e1("TE220", 2), "pci:0000:05:04.0", assign=False)
    later.plug(cards.analog("oso-"), "pci:0000:05:06.0", assign=False)
    again, _ = await up(later, done.names)
    lines = by_name(again.report)
    assert {name: (lines[name].span, lines[name].channel) for name in by_name(done.report)} == {
        name: (line.span, line.channel) for name, line in by_name(done.report).items()
    }
    assert (lines["fxo-3"].span, lines["fxo-3"].channel) == (4, 97)


async def test_a_card_that_is_away_is_missing_and_keeps_its_number(box: SimBox) -> None:
    done, _ = await up(box)
    without = SimBox()
    without.plug(cards.analog("oso-"), "pci:0000:05:06.0", assign=False)
    away, _ = await up(without, done.names)
    assert away.report.missing == ("e1-1", "e1-2")
    assert by_name(away.report)["fxo-1"].channel == 65


async def test_a_span_with_another_number_is_no_line_for_asterisk(box: SimBox) -> None:
    """Numbered by somebody else, say by dahdi_cfg at a technician's hand."""
    done, _ = await up(box)
    other = SimBox()
    other.plug(cards.analog("oso-"), "pci:0000:05:06.0")
    wrong, log = await up(other, done.names)
    assert "number 1 instead of 3; restart the box" in by_name(wrong.report)["fxo-1"].trouble
    assert log == []


async def test_what_one_line_refuses_is_told_of_it_alone(box: SimBox) -> None:
    bad = replace(FXO, channels=(Channels((1,), ChannelConfig(Signalling.FXS_KEWL, echo_canceller="nobodys")),))
    done, _ = await up(box, plans=(E1, R2, bad, FXS))
    lines = by_name(done.report)
    assert "has no echo canceller 'nobodys'" in lines["fxo-1"].trouble
    assert lines["e1-1"].configured and lines["fxs-1"].configured and not lines["fxo-1"].configured


async def test_what_a_driver_cannot_is_told(box: SimBox) -> None:
    weak = SimBox(lacks={Capability.PORT_CONFIGURE, Capability.SPAN_CONFIGURE})
    weak.plug(cards.e1("TE220", 2), "pci:0000:05:04.0")
    done, _ = await up(weak)
    assert "does not support" in by_name(done.report)["e1-1"].trouble


async def test_a_device_that_takes_all_and_does_nothing_is_found_out(
    box: SimBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dahdi_cfg's 0 proves nothing."""

    async def deaf(*_: object) -> None:
        return None

    monkeypatch.setattr("hal.sim.voice.SimPort.configure", deaf)
    done, _ = await up(box)
    assert "read back otherwise than set" in by_name(done.report)["fxo-1"].trouble


async def test_a_span_without_hardware_has_no_framing_to_be_read_back(
    box: SimBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the emulated board's are: they take any framing and tell none. No trouble, and no reason to try again."""

    async def silent(*_: object) -> None:
        return None

    monkeypatch.setattr("hal.sim.voice.SimSpan.configure", silent)
    done, _ = await up(box)
    lines = by_name(done.report)
    assert lines["e1-1"].configured and lines["e1-1"].unverified == ("clock source", "framing")
    _, log = await up(box, done.names)
    assert log == []


async def test_more_spans_than_numbers() -> None:
    box = SimBox()
    for card in range(1, 9):
        box.plug(cards.e1("TE420", 4), f"pci:0000:{card:02x}:00.0", assign=False)
    done, _ = await up(box, plans=())
    assert len({line.span for line in done.report.lines}) <= MOST_SPANS
    assert any("all span numbers are given" in trouble for trouble in done.report.troubles)


# ── the command ────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def files(tmp_path: Path) -> Iterator[tuple[Path, Path, Path, Path]]:
    identity, plan_file = tmp_path / "box.toml", tmp_path / "lines.json"
    identity.write_text('box_id = "unit-1"\nedition = "sa800"\n')
    plan_file.write_text(plan.to_json(PLANS))
    yield identity, plan_file, tmp_path / "names.json", tmp_path / "report.json"


Files = tuple[Path, Path, Path, Path]


async def test_the_command_stores_names_and_report(box: SimBox, files: Files) -> None:
    told = await set_up(box, *files)
    assert report.from_json(files[3].read_text()) == told
    assert by_name(told)["e1-1"].configured
    assert NamesFile(files[2]).load().lines
    assert files[3].stat().st_mode & 0o777 == 0o664


async def test_a_card_that_comes_meanwhile_is_brought_up_too(
    box: SimBox, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = [cards.e1("TE122", 1)]

    def said(text: str) -> None:
        if text.startswith("fxo-1") and late:
            box.plug(late.pop(), "pci:0000:09:00.0", assign=False)

    monkeypatch.setattr("hal.setup.__main__.say", said)
    told = await set_up(box, *files)
    assert set(by_name(told)) == {"e1-1", "e1-2", "e1-3", "fxo-1", "fxo-2", "fxs-1"}
    assert by_name(told)["e1-1"].configured


async def test_a_box_without_cards_and_without_a_plan(files: Files) -> None:
    files[1].unlink()
    assert await set_up(SimBox(), *files) == Report()


async def test_a_damaged_plan_leaves_the_lines_numbered_and_says_so(box: SimBox, files: Files) -> None:
    files[1].write_text("{")
    told = await set_up(box, *files)
    assert len(told.lines) == 5 and not any(line.configured for line in told.lines)
    assert "apply the configuration again" in told.troubles[0]


async def test_a_damaged_file_of_names_is_set_aside(box: SimBox, files: Files) -> None:
    files[2].write_text("{")
    told = await set_up(box, *files)
    assert "look whether lines changed their names" in told.troubles[0]
    assert by_name(told)["e1-1"].configured


async def test_names_of_a_newer_release_stay_as_they_are(box: SimBox, files: Files) -> None:
    files[2].write_text(json.dumps({"version": 99, "cards": []}))
    told = await set_up(box, *files)
    assert told.missing == ("e1-1", "e1-2", "fxo-1", "fxs-1")
    assert "newer release" in told.troubles[0]
    assert json.loads(files[2].read_text())["version"] == 99


async def test_a_probe_that_fails_is_told(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(_: SimBox) -> None:
        raise DeviceFailed("no answer")

    monkeypatch.setattr(SimBox, "inventory", fails)
    told = await set_up(SimBox(), *files)
    assert told.troubles == ("no answer",)
    assert told.missing == ("e1-1", "e1-2", "fxo-1", "fxs-1")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 2, "lines": []}', '{"version": 1, "lines": [{}]}'])
def test_texts_that_are_no_plan(text: str) -> None:
    with pytest.raises(NoPlan):
        plan.from_json(text)


@pytest.mark.parametrize("text", ["", "{}", '{"version": 1, "lines": [{"name": "x"}], "missing": [], "troubles": []}'])
def test_texts_that_are_no_report(text: str) -> None:
    with pytest.raises(NoReport):
        report.from_json(text)


def test_a_plan_comes_back() -> None:
    assert plan.from_json(plan.to_json(PLANS)) == PLANS
