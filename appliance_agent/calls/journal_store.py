"""Journal rows → database: events, joins, open calls and records in one transaction with the position.

Whatever is killed, the position and what was derived from the rows before it agree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance_agent.calls.journal_file import START, Position
from appliance_agent.calls.journal_rows import parties, to_row
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.events import RecordWritten
from appliance_agent.store.database import Database
from appliance_agent.store.outbox import tell
from appliance_agent.store.tables import (
    call_join,
    call_party,
    call_record,
    journal_event,
    journal_position,
    open_call,
    seat,
    user,
)
from contracts.journal import LISTENING, UserEvent
from contracts.sync import Kind
from ledger.calls import CallEvents, OpenCalls
from ledger.derive import derive
from ledger.journal import JournalError, decode_line, parse_row, salvage
from ledger.model import CallRecord, Event, Result

log = structlog.get_logger()


@dataclass(slots=True)
class _Batch:
    """What one bite changes."""

    connection: AsyncConnection
    rows: list[dict[str, Any]] = field(default_factory=list)
    joined: dict[str, str] = field(default_factory=dict)
    finished: dict[str, CallEvents] = field(default_factory=dict)
    garbage: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Committed:
    position: Position
    written: tuple[RecordWritten, ...]
    garbage: tuple[str, ...]
    """Why each line that was no row was left out."""


class JournalStore:
    """One writer: the tailer. `load` first; after an exception of `commit` load again."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self.book = OpenCalls()
        self._stored_open: set[str] = set()

    async def load(self) -> Position:
        """The committed position; the open calls are collected again from their stored events."""
        self.book = OpenCalls()
        async with self._database.read() as connection:
            row = (await connection.execute(select(journal_position))).mappings().first()
            rows = (await connection.execute(select(open_call.c.call_id))).scalars().all()
            for call_id in rows:
                self.book.restore(call_id, await _events(connection, call_id, still_open=True))
        self._stored_open = set(rows)
        if row is None:
            return START
        return Position(row["generation"], row["inode"], row["offset"], row["next_seq"])

    async def last_box_started(self) -> Event | None:
        async with self._database.read() as connection:
            query = select(journal_event.c.seq, journal_event.c.row).where(
                journal_event.c.call_id == "", journal_event.c.type == UserEvent.BOX_STARTED.value
            )
            row = (await connection.execute(query.order_by(journal_event.c.seq.desc()).limit(1))).first()
        return parse_row(row.row, row.seq) if row else None

    async def commit(self, lines: Sequence[bytes], after: Position) -> Committed:
        """Take these lines in and move on to `after`: all of it, or (with an exception) nothing."""
        async with self._database.write() as connection:
            batch = _Batch(connection)
            seq = after.next_seq
            for line in lines:
                await self._take(batch, line, seq)
                seq += 1
            after = replace(after, next_seq=seq)
            await _flush(batch)
            gone = await _write_joins(batch)
            records = await self._write_records(batch)
            changed = [*gone, *(record.call_id for record in records)]
            await tell(connection, Kind.CALL, changed, self._clock.now_us())
            await self._write_open(connection)
            await _write_position(connection, after)
        written = tuple(RecordWritten(record.call_id, record.result.value) for record in records)
        return Committed(after, written, tuple(batch.garbage))

    async def _take(self, batch: _Batch, line: bytes, seq: int) -> None:
        row, event = _parse(line, seq, batch)
        if event is None or event.uniqueid.startswith(LISTENING):
            return
        step = self.book.feed(event)
        if step.orphan:
            await self._adopt(batch, event)
            step = self.book.feed(event)
        for gone, into in step.joined:
            batch.joined[gone] = into
        for call in step.finished:
            batch.finished[call.call_id] = call
        if not step.duplicate:
            batch.rows.append({
                "seq": seq, "call_id": step.call_id, "linkedid": event.linkedid[:64], "time_us": event.time_us,
                "type": event.type[:32], "row": row,
            })  # fmt: skip

    async def _adopt(self, batch: _Batch, event: Event) -> None:
        """A row of a call that is not in memory: a new one, or one that was finished long ago."""
        await _flush(batch)
        connection = batch.connection
        found = select(call_join.c.call_id).where(call_join.c.linkedid == event.linkedid)
        call_id = (await connection.execute(found)).scalar()
        if call_id is None and event.linkedid:
            found = select(journal_event.c.call_id).where(journal_event.c.linkedid == event.linkedid).limit(1)
            call_id = (await connection.execute(found)).scalar()
        if call_id:
            found = select(call_record.c.result).where(call_record.c.call_id == call_id)
            interrupted = (await connection.execute(found)).scalar() == Result.INTERRUPTED.value
            closed_by = Event(0, UserEvent.BOX_STARTED.value, 0, "", "", "") if interrupted else None
            self.book.adopt(call_id, await _events(connection, call_id), event, closed_by)
        elif OpenCalls.may_start(event) and event.linkedid:
            self.book.adopt(event.linkedid, [], event)

    async def _write_records(self, batch: _Batch) -> list[CallRecord]:
        records: list[CallRecord] = []
        for call_id, call in batch.finished.items():
            if call_id in batch.joined or call_id in self.book.calls:
                continue  # taken in by another call, or going on after all
            record = derive(call_id, call.events, closed_by=call.closed_by)
            if record is not None:
                await _write_record(batch.connection, record)
                records.append(record)
        return records

    async def _write_open(self, connection: AsyncConnection) -> None:
        now = set(self.book.calls)
        if gone := self._stored_open - now:
            await connection.execute(
                delete(open_call).where(open_call.c.call_id == bindparam("gone")), [{"gone": item} for item in gone]
            )
        if new := now - self._stored_open:
            calls = [self.book.calls[call_id] for call_id in new]
            await connection.execute(
                upsert(open_call).on_conflict_do_nothing(),
                [{"call_id": c.call_id, "first_seq": c.first_seq, "started_us": c.started_us} for c in calls],
            )
        self._stored_open = now


def _parse(line: bytes, seq: int, batch: _Batch) -> tuple[dict[str, str], Event | None]:
    tail: bytes | None = line
    while tail is not None:
        try:
            row = decode_line(tail)
            return row, parse_row(row, seq)
        except JournalError as error:
            batch.garbage.append(str(error))
            tail = salvage(line) if tail is line else None
    return {}, None


async def _events(connection: AsyncConnection, call_id: str, *, still_open: bool = False) -> list[Event]:
    """The call's events, and the settings of the clock while it went on."""
    c = journal_event.c
    query = select(c.seq, c.row)
    rows = (await connection.execute(query.where(c.call_id == call_id).order_by(c.seq))).all()
    if not rows:
        return []
    clocks = query.where(c.call_id == "", c.type == UserEvent.CLOCK.value, c.seq > rows[0].seq)
    if not still_open:
        clocks = clocks.where(c.seq < rows[-1].seq)
    found = [*rows, *(await connection.execute(clocks)).all()]
    return [parse_row(row.row, row.seq) for row in sorted(found, key=lambda row: row.seq)]


async def _flush(batch: _Batch) -> None:
    """Rows so far into the database, under the ids of the calls that they belong to now."""
    for row in batch.rows:
        while row["call_id"] in batch.joined:
            row["call_id"] = batch.joined[row["call_id"]]
    if batch.rows:
        await batch.connection.execute(insert(journal_event), batch.rows)
        batch.rows.clear()


async def _write_joins(batch: _Batch) -> list[str]:
    """The calls whose records went away."""
    without_record: list[str] = []
    for gone, into in batch.joined.items():
        target = into
        while target in batch.joined:
            target = batch.joined[target]
        connection = batch.connection
        for table in (journal_event, call_join):
            await connection.execute(update(table).where(table.c.call_id == gone).values(call_id=target))
        join = {"linkedid": gone, "call_id": target}
        await connection.execute(upsert(call_join).values(join).on_conflict_do_update(["linkedid"], set_=join))
        await connection.execute(delete(call_party).where(call_party.c.call_id == gone))
        if (await connection.execute(delete(call_record).where(call_record.c.call_id == gone))).rowcount:
            without_record.append(gone)
    return without_record


async def _write_record(connection: AsyncConnection, record: CallRecord) -> None:
    users = await _users(connection, parties(record)) | await _users_then(connection, record.call_id)
    user_id, user_name = users.get(record.extension, ("", ""))
    row = to_row(record, user_id=user_id, user_name=user_name)
    await connection.execute(upsert(call_record).values(row).on_conflict_do_update(["call_id"], set_=row))
    await connection.execute(delete(call_party).where(call_party.c.call_id == record.call_id))
    party_rows = [
        {"call_id": record.call_id, "extension": number, "user_id": users.get(number, ("", ""))[0]}
        for number in parties(record)
    ]
    if party_rows:
        await connection.execute(insert(call_party), party_rows)


async def _users_then(connection: AsyncConnection, call_id: str) -> dict[str, tuple[str, str]]:
    """As already written down for this call: a record that is written again does not change hands."""
    query = select(call_record.c.extension, call_record.c.user_id, call_record.c.user_name)
    rows = await connection.execute(query.where(call_record.c.call_id == call_id, call_record.c.user_id != ""))
    return {row.extension: (row.user_id, row.user_name) for row in rows}


async def _users(connection: AsyncConnection, extensions: Iterable[str]) -> dict[str, tuple[str, str]]:
    """extension → (user id, name): who is logged in there now, or else whose extension it is."""
    wanted = tuple(extensions)
    own = select(user.c.extension, user.c.id, user.c.name).where(user.c.extension.in_(wanted))
    seats = select(seat.c.extension, user.c.id, user.c.name).join(user, user.c.id == seat.c.user_id)
    found = {row.extension: (row.id, row.name) for row in await connection.execute(own)}
    found |= {
        row.extension: (row.id, row.name) for row in await connection.execute(seats.where(seat.c.extension.in_(wanted)))
    }
    return found


async def _write_position(connection: AsyncConnection, at: Position) -> None:
    row = {"id": 1, "generation": at.generation, "inode": at.inode, "offset": at.offset, "next_seq": at.next_seq}
    await connection.execute(upsert(journal_position).values(row).on_conflict_do_update(["id"], set_=row))
