"""Reads records; writes and reads what is known of recordings."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.dialects.sqlite import insert as upsert

from appliance_agent.features.records.model import RecordFilter, RecordQuery
from appliance_agent.kernel.clock import parse_rfc3339
from appliance_agent.store.database import Database
from appliance_agent.store.outbox import tell
from appliance_agent.store.tables import call_join, call_party, call_record, open_call, recording
from contracts.sync import Kind

CSV_PAGE = 1000
_LIST = tuple(column for column in call_record.columns if column.name != "detail")
_COLUMNS = {"started_at": "started_us", "ended_at": "ended_us"}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose eyes: an agent sees the calls they took part in, others all."""

    user_id: str
    role: str

    @property
    def sees_all(self) -> bool:
        return self.role in ("admin", "supervisor")


@dataclass(frozen=True, slots=True)
class RecordingRow:
    call_id: str
    path: str
    seconds: int
    size_bytes: int
    sha256: str
    finished_us: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A call that was recorded and whose recording is not in the archive yet."""

    call_id: str
    file: str
    started_us: int
    ended_us: int
    talk_ms: int


class RecordStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: RecordQuery, viewer: Viewer) -> tuple[list[Mapping[str, Any]], int]:
        where = _where(query, viewer)
        name = query.sort.lstrip("-")
        column = call_record.c[_COLUMNS.get(name, name)]
        order = (
            (column.desc(), call_record.c.call_id.desc()) if query.sort[0] == "-" else (column, call_record.c.call_id)
        )
        rows = _with_recording(select(*_LIST)).where(where).order_by(*order).limit(query.limit).offset(query.offset)
        async with self._database.read() as connection:
            total = (await connection.execute(select(func.count()).select_from(call_record).where(where))).scalar_one()
            items = (await connection.execute(rows)).mappings().all()
        return [dict(item) for item in items], total

    async def count(self, query: RecordFilter, viewer: Viewer) -> int:
        async with self._database.read() as connection:
            where = _where(query, viewer)
            return (await connection.execute(select(func.count()).select_from(call_record).where(where))).scalar_one()

    async def all(self, query: RecordFilter, viewer: Viewer) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """Pages in order of start; each is a short read of its own, so that a slow client holds nothing."""
        after: tuple[int, str] = (-1, "")
        order = (call_record.c.started_us, call_record.c.call_id)
        while True:
            past = or_(order[0] > after[0], and_(order[0] == after[0], order[1] > after[1]))
            rows = _with_recording(select(*_LIST)).where(_where(query, viewer), past).order_by(*order).limit(CSV_PAGE)
            async with self._database.read() as connection:
                page = [dict(row) for row in (await connection.execute(rows)).mappings()]
            if not page:
                return
            yield page
            after = (page[-1]["started_us"], page[-1]["call_id"])

    async def one(self, call_id: str, viewer: Viewer) -> Mapping[str, Any] | None:
        """The whole row with `detail`; None also when the viewer may not see it."""
        query = _with_recording(select(call_record)).where(call_record.c.call_id == call_id, _visible(viewer))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return dict(row) if row is not None else None

    async def recording(self, call_id: str) -> RecordingRow | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(recording).where(recording.c.call_id == call_id))).mappings().first()
        return RecordingRow(**row) if row else None

    async def add_recording(self, row: RecordingRow) -> None:
        values = {name: getattr(row, name) for name in RecordingRow.__dataclass_fields__}
        async with self._database.write() as connection:
            await connection.execute(upsert(recording).values(values).on_conflict_do_update(["call_id"], set_=values))
            await tell(connection, Kind.RECORDING, [row.call_id], row.finished_us)

    async def unfinished(self, limit: int) -> list[Unfinished]:
        """Records whose recording is still to be finished, the newest first."""
        c = call_record.c
        done = exists().where(recording.c.call_id == c.call_id)
        query = select(c.call_id, c.recording, c.started_us, c.ended_us, c.talk_ms).where(c.recording != "", ~done)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(c.started_us.desc()).limit(limit))).all()
        return [Unfinished(*row) for row in rows]

    async def started_us(self, call_id: str) -> int | None:
        async with self._database.read() as connection:
            query = select(call_record.c.started_us).where(call_record.c.call_id == call_id)
            return (await connection.execute(query)).scalar()

    async def is_open(self, linkedid: str) -> bool:
        """Whether the call that this linkedid belongs to is still going on."""
        join = select(call_join.c.call_id).where(call_join.c.linkedid == linkedid)
        async with self._database.read() as connection:
            call_id = (await connection.execute(join)).scalar() or linkedid
            found = await connection.execute(select(open_call.c.call_id).where(open_call.c.call_id == call_id))
            return found.first() is not None


def _with_recording(query: Select[Any]) -> Select[Any]:
    return query.add_columns(
        recording.c.seconds.label("recording_seconds"),
        recording.c.size_bytes.label("recording_bytes"),
        recording.c.sha256.label("recording_sha256"),
    ).outerjoin_from(call_record, recording, recording.c.call_id == call_record.c.call_id)


def _visible(viewer: Viewer) -> ColumnElement[bool]:
    if viewer.sees_all:
        return call_record.c.call_id.is_not(None)
    return call_record.c.call_id.in_(select(call_party.c.call_id).where(call_party.c.user_id == viewer.user_id))


def _where(query: RecordFilter, viewer: Viewer) -> ColumnElement[bool]:
    c = call_record.c
    found: list[ColumnElement[bool]] = [_visible(viewer)]
    if query.from_ is not None:
        found.append(c.started_us >= parse_rfc3339(query.from_))
    if query.to is not None:
        found.append(c.started_us < parse_rfc3339(query.to))
    if query.direction:
        found.append(c.direction.in_(query.direction.split(",")))
    if query.result:
        found.append(c.result.in_(query.result.split(",")))
    if query.queue:
        found.append(c.queue == query.queue)
    if query.did:
        found.append(c.did == query.did)
    if query.extension:
        found.append(c.call_id.in_(select(call_party.c.call_id).where(call_party.c.extension == query.extension)))
    if query.number:
        found.append(
            or_(c.caller_number.contains(query.number, autoescape=True),
                c.called_number.contains(query.number, autoescape=True))
        )  # fmt: skip
    return and_(*found)
