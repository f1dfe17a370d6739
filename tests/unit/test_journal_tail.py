"""Journal → database → bus, whatever is killed in between. The rows are captured from a real Asterisk."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from appliance_agent.calls import journal_file, journal_store
from appliance_agent.calls.journal_health import JournalHealth
from appliance_agent.calls.journal_rows import from_row, to_row
from appliance_agent.calls.journal_tail import JournalTail
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import AsteriskUp, RecordWritten
from appliance_agent.store.outbox import Outbox
from appliance_agent.store.tables import (
    call_join,
    call_party,
    call_record,
    journal_event,
    open_call,
    outbox,
    seat,
    user,
)
from contracts.journal import UserEvent
from ledger.journal import parse_line
from tests.ledger.streams import NAMES, lines, records
from tests.unit.journal_kit import Desk, desk_at

LIMIT_S = 20


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path) as made:
        yield made


async def records_of(desk: Desk) -> dict[str, Any]:
    return {row["call_id"]: from_row(row) for row in await desk.rows(call_record)}


@pytest.mark.parametrize("name", NAMES)
async def test_every_stream_through_the_database(desk: Desk, name: str) -> None:
    """Some rows at a time, with a new agent after each: the same records, no call left open, each told."""
    wanted, rows = records(lines(name)), lines(name)
    for start in range(0, len(rows), 5):
        desk.write(rows[start : start + 5])
        desk.restart()
        await desk.read_all()
    assert await records_of(desk) == wanted
    assert await desk.rows(open_call) == []
    assert {event.call_id for event in desk.published()} >= set(wanted)
    stored = await desk.rows(journal_event)
    assert [row["seq"] for row in stored] == list(range(1, len(lines(name)) + 1))
    assert {row["call_id"] for row in stored} - {""} == set(wanted)


async def test_an_attended_transfer_joins_its_consultation(desk: Desk) -> None:
    desk.write(lines("attended_transfer"))
    await desk.read_all()
    (record,) = await desk.rows(call_record)
    (join,) = await desk.rows(call_join)
    assert join["call_id"] == record["call_id"] != join["linkedid"]
    parties = {row["extension"] for row in await desk.rows(call_party)}
    assert parties == {"1001", "1002"}


async def test_headquarters_is_told_of_records_and_of_those_that_went_away(desk: Desk) -> None:
    rows = lines("attended_transfer")
    ((call_id, record),) = records(rows).items()
    (consultation,) = {parse_line(row, 1).linkedid for row in rows} - {call_id, ""}
    early = replace(record, call_id=consultation)  # as if it had been over before the transfer was told
    async with desk.database.write() as connection:
        await connection.execute(insert(call_record).values(to_row(early, user_id="", user_name="")))
    await Outbox(desk.database).join("hq.example:443", "Harbour", 1)
    desk.write(rows)
    await desk.read_all()
    assert [row["call_id"] for row in await desk.rows(call_record)] == [call_id]
    told = await desk.rows(outbox)
    assert [(row["seq"], row["kind"]) for row in told] == [(1, "call"), (2, "call")]
    assert {row["key"] for row in told} == {call_id, consultation}


async def test_a_commit_that_fails_leaves_nothing_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = lines("attended_transfer")
    desk.write(rows[:20])
    await desk.read_all()
    before = desk.tail.at
    desk.write(rows[20:])

    async def fails(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(journal_store, "_write_position", fails)
        with pytest.raises(sqlite3.OperationalError):
            await desk.tail.step()
    assert desk.tail.at == before
    assert await desk.rows(call_record) == []
    assert desk.published() == []
    while await desk.tail.step():
        pass
    assert await records_of(desk) == records(rows)


async def test_garbage_is_left_out_and_told(desk: Desk) -> None:
    rows = lines("internal")
    desk.write([rows[0], b"\x00\x00\x00", *rows[1:5], rows[5][:200] + rows[6], *rows[7:]])
    await desk.read_all()
    assert len(desk.tail.garbage) == 2
    (record,) = await desk.rows(call_record)
    assert record["result"] == "answered"


async def test_a_journal_read_again_from_its_start_writes_nothing_twice(desk: Desk) -> None:
    """A restored copy has another inode."""
    rows = lines("answered")
    desk.write(rows)
    await desk.read_all()
    once, events = await records_of(desk), len(await desk.rows(journal_event))
    copy = desk.folder / "copy"
    copy.write_bytes(desk.files.path.read_bytes())
    copy.rename(desk.files.path)
    desk.restart()
    await desk.read_all()
    assert desk.tail.faults == [journal_file.JournalFault.REPLACED]
    assert await records_of(desk) == once
    assert len(await desk.rows(journal_event)) == events
    assert await desk.rows(open_call) == []


async def test_whose_call_it_was(desk: Desk) -> None:
    people = [("u1", "1001", "张三"), ("u2", "1002", "李四"), ("u3", "1003", "王五")]
    async with desk.database.write() as connection:
        for uid, extension, name in people:
            await connection.execute(insert(user).values(
                id=uid, login=uid, name=name, role="agent", extension=extension, language="zh", password_hash="",
                active=True,
            ))  # fmt: skip
        # u3 sits at 1001 today.
        await connection.execute(insert(seat).values(
            user_id="u3", extension="1001", state="idle", reason="", since_us=1, wrap_up_until_us=None
        ))  # fmt: skip
    desk.write(lines("blind_transfer"))
    await desk.read_all()
    (record,) = await desk.rows(call_record)
    assert (record["extension"], record["user_id"], record["user_name"]) == ("1002", "u2", "李四")
    assert {(row["extension"], row["user_id"]) for row in await desk.rows(call_party)} == {
        ("1001", "u3"),
        ("1002", "u2"),
    }


async def test_an_asterisk_that_does_not_answer_at_once_is_asked_again(desk: Desk) -> None:
    """Else the calls that its end left open would wait for the minutely check."""
    desk.write(lines("answered")[:-6])
    await desk.read_all()
    asked = 0

    async def channels() -> frozenset[str]:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise Fault(FaultKind.UNAVAILABLE, "asterisk.away", "not yet")
        return frozenset()

    tail = JournalTail(desk.files, desk.store, desk.bus, SystemClock(), channels)
    async with asyncio.timeout(LIMIT_S):
        await tail.asterisk_up(AsteriskUp(restarted=True, startup_time="2036-11-22T08:00:01.000+0000"))
    assert asked == 3
    await desk.read_all()
    (record,) = await desk.rows(call_record)
    assert record["result"] == "interrupted"


async def test_asterisk_restarted(desk: Desk) -> None:
    """The row in the journal closes what is gone; calls of the new Asterisk, and of an unchanged one, live on."""
    rows = lines("answered")
    desk.write(rows[:-6])
    await desk.read_all()
    (call,) = desk.store.book.calls.values()
    up = AsteriskUp(restarted=False, startup_time="2026-11-22T08:00:00.000+0000")

    desk.alive = set(call.live)
    await desk.tail.asterisk_up(up)  # the agent came back, Asterisk did not restart
    await desk.read_all()
    assert await desk.rows(call_record) == []
    assert len(await desk.rows(open_call)) == 1

    desk.alive = set()
    await desk.tail.asterisk_up(up)  # the same start again: nothing is written
    await desk.read_all()
    assert await desk.rows(call_record) == []

    later = AsteriskUp(restarted=True, startup_time="2036-11-22T08:00:01.000+0000")
    await desk.tail.asterisk_up(later)
    await desk.read_all()
    (record,) = await desk.rows(call_record)
    assert (record["result"], record["extension"]) == ("interrupted", "1001")
    assert await desk.rows(open_call) == []
    note = parse_line(desk.files.path.read_bytes().splitlines()[-1], 1)
    assert note.data == {
        "reason": "asterisk_start", "generation": "1", "started": later.startup_time, "startup": "2110953601.000",
        "alive": "",
    }  # fmt: skip


async def test_asterisk_is_back_within_the_second_in_which_a_call_began(desk: Desk) -> None:
    """Killed and there again in 0.8 s: what was born before in that second is dead, what was born after lives on."""
    desk.write(lines("answered")[:-6])
    await desk.read_all()
    (call,) = desk.store.book.calls.values()
    born_us = max(event.time_us for event in call.events if event.type == "CHAN_START")
    for startup_us, results in ((born_us - 60_000_000, []), (born_us + 1_000, ["interrupted"])):
        assert startup_us % 1_000_000 > 1_000, "in the youngest channel's second"
        moment = datetime.fromtimestamp(startup_us / 1e6, UTC).isoformat(timespec="milliseconds")
        await desk.tail.asterisk_up(AsteriskUp(restarted=True, startup_time=moment))
        await desk.read_all()
        assert [record["result"] for record in await desk.rows(call_record)] == results


class SetClock(SystemClock):
    shift_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.shift_us


async def test_a_clock_that_is_set_is_noted(desk: Desk) -> None:
    clock = SetClock()
    tail = JournalTail(desk.files, desk.store, desk.bus, clock, desk.live_channels)
    await tail.note_clock()
    await tail.note_clock()
    assert not desk.files.path.exists()
    clock.shift_us = -7_000_000
    await tail.note_clock()
    await tail.note_clock()
    (line,) = desk.files.path.read_bytes().splitlines()
    note = parse_line(line, 1)
    assert note.type == UserEvent.CLOCK
    assert int(note.data["shift_us"]) == pytest.approx(-7_000_000, abs=100_000)


async def test_hold_notes_are_rows(desk: Desk) -> None:
    rows = lines("internal")
    middle = next(n for n, row in enumerate(rows) if b'"BRIDGE_EXIT"' in row)
    desk.write(rows[:middle])
    await desk.read_all()
    first = parse_line(rows[0], 1)
    await desk.tail.journal_note(UserEvent.HOLD, {"on": "1"}, uniqueid=first.uniqueid, linkedid=first.linkedid)
    desk.write(rows[middle:])
    await desk.read_all()
    (record,) = (await records_of(desk)).values()
    assert [item.kind for item in record.timeline].count("hold") == 1


async def test_the_service_follows_a_growing_and_rotated_journal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "ROTATE_BYTES", 6000)
    monkeypatch.setattr(journal_file, "LINGER_S", 0.2)
    names = ["answered", "attended_transfer", "internal", "outbound", "refusal"]
    wanted = {call_id: record for name in names for call_id, record in records(lines(name)).items()}
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        service = tasks.create_task(desk.tail.run())
        for name in names:
            desk.write(lines(name))
            await asyncio.sleep(0.12)  # the writer's own pace
        seen: set[str] = set()
        while set(wanted) - seen:
            event = await desk.written.get()
            assert isinstance(event, RecordWritten)
            seen.add(event.call_id)
        service.cancel()
    assert await records_of(desk) == wanted
    assert desk.tail.at.generation > 1
    assert desk.tail.faults == []


class Alarms:
    def __init__(self) -> None:
        self.raised: dict[str, dict[str, Any]] = {}

    async def raise_(self, key: str, level: str, subject: str, detail: dict[str, Any]) -> None:
        self.raised[key] = detail

    async def clear(self, key: str, subject: str) -> None:
        self.raised.pop(key, None)


async def test_health_closes_what_has_no_end_and_alarms(desk: Desk) -> None:
    desk.write(lines("answered")[:-6])
    await desk.read_all()
    (call,) = desk.store.book.calls.values()
    desk.alive = {*call.live, "9.9"}
    alarms = Alarms()
    health = JournalHealth(desk.files.path, desk.tail, alarms, desk.live_channels)
    await health.check()
    assert alarms.raised == {}, "a difference must stand for two checks"
    await health.check()
    assert alarms.raised == {"journal.count": {"not_in_journal": ["9.9"], "without_end": []}}
    desk.alive = set()
    await health.check()
    await health.check()
    await desk.read_all()
    (record,) = await desk.rows(call_record)
    assert record["result"] == "interrupted"
    await health.check()
    assert alarms.raised == {}


async def test_health_tells_lost_folders_and_files(desk: Desk) -> None:
    alarms = Alarms()

    async def away() -> frozenset[str]:
        raise Fault(FaultKind.UNAVAILABLE, "asterisk.away", "gone")

    health = JournalHealth(desk.folder / "none/journal.jsonl", desk.tail, alarms, away)
    desk.tail.faults = [journal_file.JournalFault.TRUNCATED]
    desk.tail.garbage = ["torn"]
    await health.check()
    assert set(alarms.raised) == {"journal.folder", "journal.truncated", "journal.garbage"}
