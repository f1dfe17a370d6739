"""The lines of a simulated box: live state, alarms, history, cards that come and go, a driver that dies."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance_agent.kernel.clock import rfc3339
from appliance_agent.system.lines.patient import Patient
from hal.errors import NotThere, TimedOut
from hal.names_file import NamesFile
from hal.protocols.voice import SpanState
from hal.sim.box import SimBox
from hal.sim.door import ask
from hal.sim.voice import SimSpan
from hal.sim.words import cards
from tests.unit.lines_kit import DESIRED, LIMIT_S, Site, apply, site


@pytest.fixture
async def lines(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as made:
        await made.line("e1-1", "in_service")
        await made.line("fxo-1", "in_service")
        yield made


async def test_configured_lines_are_in_service_and_others_are_not_configured(lines: Site) -> None:
    states = {line["id"]: line["state"] for line in lines.watch.live()}
    assert states == {
        "e1-1": "in_service", "e1-2": "in_service", "e1-3": "not_configured", "e1-4": "not_configured",
        "fxo-1": "in_service", "fxo-2": "not_configured", "fxo-3": "not_configured", "fxo-4": "not_configured",
    }  # fmt: skip
    first = lines.watch.live()[0]
    assert (first["id"], first["label"], first["signalling"], first["timeslots"]) == ("e1-1", "市话", "pri", 31)


async def test_an_alarm_comes_and_goes_and_is_remembered(lines: Site) -> None:
    lines.happens("alarm 1 red")
    line = await lines.line("e1-1", "alarm")
    assert line["alarms"] == ["red"]
    raised = await lines.alarm("line.alarm", "e1-1")
    assert (raised["level"], raised["detail"]) == ("critical", {"name": "市话", "alarms": ["red"]})
    lines.happens("alarm 1 yellow")
    await lines.until(lambda one: bool(one.object and one.object.get("alarms") == ["yellow"]))
    lines.happens("alarm 1")
    await lines.line("e1-1", "in_service")
    await lines.no_alarm("line.alarm", "e1-1")
    periods = await lines.history.periods("e1-1", 0, 10)
    assert [one.alarm for one in periods] == ["yellow", "red"]
    red = periods[1]
    assert red.until_us is not None
    assert red.until_us >= red.since_us


async def test_a_line_nobody_configured_raises_no_alarm_and_is_remembered_all_the_same(lines: Site) -> None:
    lines.happens("alarm 3 red")
    await lines.until(lambda one: one.id == "e1-3" and bool(one.object and one.object["alarms"] == ["red"]))
    lines.happens("alarm 2 red")
    await lines.alarm("line.alarm", "e1-2")  # told after e1-3's would have been
    assert [one["subject"] for one in await lines.alarms.open()] == ["e1-2"]
    assert [one.alarm for one in await lines.history.periods("e1-3", 0, 10)] == ["red"]


async def test_an_analog_line_without_its_exchange_is_a_warning(lines: Site) -> None:
    lines.happens(f"port-alarm {channel_of(lines, 'fxo-1')} red")
    await lines.line("fxo-1", "alarm")
    assert (await lines.alarm("line.alarm", "fxo-1"))["level"] == "warning"


async def test_a_pulled_card_is_missed_and_found_again(lines: Site) -> None:
    blueprint = lines.box.world.slots.blueprint("pci:0000:05:00.0")
    lines.happens("pull pci:0000:05:00.0")
    await lines.line("e1-1", "missing")
    assert not any(one["key"] == "line.missing" for one in await lines.alarms.open()), "it may come back at once"
    lines.clock.moved_s += 60
    assert (await lines.alarm("line.missing", "e1-1"))["level"] == "critical"
    lines.box.plug(blueprint, "pci:0000:05:00.0")
    await lines.line("e1-1", "in_service")
    await lines.no_alarm("line.missing", "e1-1")


async def test_a_line_that_no_card_ever_had_is_shown_as_missing(lines: Site) -> None:
    span = DESIRED.e1_spans[0].model_copy(update={"line": "e1-9", "clock": 0})
    apply(lines, DESIRED.model_copy(update={"e1_spans": (*DESIRED.e1_spans, span)}))
    assert (await lines.line("e1-9", "missing"))["label"] == "市话"
    apply(lines, DESIRED)
    gone = await lines.until(lambda one: one.id == "e1-9")
    assert gone.object is None


async def test_unknown_and_refused_cards_are_told(tmp_path: Path) -> None:
    async with site(tmp_path, "e1:8 e1:8 fxo:24") as lines:
        refused = await lines.alarm("card.refused", (await first_refused(lines))[:128])
        assert "beyond the limit" in refused["detail"]["reason"]
        await lines.line("e1-13", "refused")
        assert lines.watch.seen["e1-12"].state == "not_configured"


async def first_refused(lines: Site) -> str:
    async with asyncio.timeout(LIMIT_S):
        while lines.cards.found is None:
            await lines.told.get()
    return str(lines.cards.found.admission.refusals[0].card.id)


async def test_damaged_names_are_set_aside_and_told(tmp_path: Path) -> None:
    names = NamesFile(tmp_path / "lines.json")
    names.path.write_text("{")
    async with site(tmp_path) as lines:
        await lines.line("e1-1", "in_service")
        assert (await lines.alarm("lines.names"))["detail"]["path"] == "lines.json.damaged-1"


async def test_a_restarted_agent_goes_on_with_what_lasted(tmp_path: Path) -> None:
    box = SimBox()
    for place, blueprint in enumerate(cards("e1:4 fxo:4")):
        box.plug(blueprint, f"pci:0000:05:{place:02x}.0")
    async with site(tmp_path, box=box) as lines:
        await lines.line("e1-1", "in_service")
        lines.happens("alarm 1 red")
        lines.happens("alarm 2 red")
        first = await lines.alarm("line.alarm", "e1-1")
        await lines.alarm("line.alarm", "e1-2")
    async with site(tmp_path, box=box) as lines:
        lines.happens("alarm 2")
        await lines.line("e1-1", "alarm")
        await lines.no_alarm("line.alarm", "e1-2")
        assert (await lines.alarm("line.alarm", "e1-1"))["since"] == first["since"]
        (period,) = await lines.history.periods("e1-1", 0, 10)
        assert rfc3339(period.since_us) <= first["since"]
        assert period.until_us is None


async def test_counters_are_added_up_by_the_quarter_of_an_hour(lines: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance_agent.system.lines.watch.COUNTERS_EVERY", 1)
    counted = asyncio.Event()
    count = lines.history.count

    async def note(grown: object) -> None:
        await count(grown)  # type: ignore[arg-type]
        counted.set()

    monkeypatch.setattr(lines.history, "count", note)
    for total in (3, 7):
        lines.happens(f"count 1 crc4_errors={total} code_violations=1")
        async with asyncio.timeout(LIMIT_S):
            await counted.wait()
        counted.clear()
    (only,) = await lines.history.counts("e1-1", 0)
    assert only[1] == {"crc4_errors": 7, "code_violations": 1}
    assert only[0] % (15 * 60 * 1_000_000) == 0


async def test_a_driver_that_never_answers_stops_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = threading.Event()
    asked = 0

    async def hang(_span: SimSpan) -> SpanState:
        nonlocal asked
        asked += 1
        await asyncio.to_thread(dead.wait, LIMIT_S)
        raise NotThere("never")

    monkeypatch.setattr("appliance_agent.system.lines.asking.READ_LIMIT_S", 0.05)
    async with site(tmp_path) as lines:
        await lines.line("e1-1", "in_service")
        await lines.line("fxo-1", "in_service")
        with monkeypatch.context() as patch:
            patch.setattr(SimSpan, "state", hang)
            await lines.alarm("lines.silent")
            before = asked
            for _ in range(20):
                await lines.watch.look()
            assert asked == before, "one question hangs; no further thread is spent on it"
            assert lines.watch.seen["e1-1"].state == "in_service", "what was last known stays"
            lines.happens(f"port-alarm {channel_of(lines, 'fxo-1')} red")
            await lines.line("fxo-1", "alarm")  # the other card's
            assert asked == before
        dead.set()
        await lines.no_alarm("lines.silent")


def channel_of(lines: Site, name: str) -> int | None:
    found = lines.cards.found
    assert found is not None
    return next(line.channel for line in found.naming.lines if line.name == name)


async def test_patience_is_one_question_at_a_time() -> None:
    patient, answer = Patient(0.01), asyncio.Event()
    with pytest.raises(TimedOut, match="within"):
        await patient.ask(answer.wait)
    with pytest.raises(TimedOut, match="before"):
        await patient.ask(answer.wait)
    answer.set()
    for _ in range(3):
        await asyncio.sleep(0)
    assert await patient.ask(answer.wait)


async def test_the_door_of_a_simulated_box(lines: Site, tmp_path: Path) -> None:
    await ask(tmp_path / "door", "alarm 1 blue")
    assert (await lines.line("e1-1", "alarm"))["alarms"] == ["blue"]
    with pytest.raises(Exception, match="is nothing that can happen"):
        await ask(tmp_path / "door", "alarm 1 purple")
    with pytest.raises(NotThere, match="make run CARDS"):
        await ask(tmp_path / "nowhere", "alarm 1")


async def test_a_restarted_agent_does_not_let_an_old_alarm_settle_again(tmp_path: Path) -> None:
    box = SimBox()
    box.plug(cards("e1:4")[0], "pci:0000:05:00.0")
    async with site(tmp_path, box=box) as lines:
        await lines.line("e1-1", "in_service")
        lines.happens("pull pci:0000:05:00.0")
        await lines.line("e1-1", "missing")
        lines.clock.moved_s += 60
        first = await lines.alarm("line.missing", "e1-1")
    async with site(tmp_path, box=box) as lines:
        await lines.line("e1-1", "missing")
        for _ in range(3):
            await lines.watch.look()
        (same,) = [one for one in await lines.alarms.open() if one["subject"] == "e1-1"]
        assert (same["id"], same["since"]) == (first["id"], first["since"])


async def test_after_damage_the_names_of_before_hold(tmp_path: Path) -> None:
    names = NamesFile(tmp_path / "lines.json")
    async with site(tmp_path, "e1:1") as lines:
        await lines.line("e1-1", "in_service")
    text = names.path.read_text().replace('"e1-1"', '"e1-9"').replace('"number": 1,', '"number": 9,', 1)
    names.before.write_text(text)
    names.path.write_text("{")
    async with site(tmp_path, "e1:1") as lines:
        await lines.line("e1-9", "not_configured")
