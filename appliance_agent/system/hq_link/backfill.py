"""Tells a new epoch what the database held before it began: newest first, in steps that leave room for what is new."""

from sqlalchemy import Column, Integer, literal_column, select, update

from appliance_agent.store import tables
from appliance_agent.store.database import Database
from appliance_agent.store.outbox import TELLABLE, tell
from contracts.sync import MOST_EVENTS, Kind

STEP = MOST_EVENTS
WAITING = 2 * MOST_EVENTS
"""No further step while so many events wait: the outbox stays small, however much there is to tell."""

_KEYS: dict[Kind, Column[object]] = {
    Kind.CALL: tables.call_record.c.call_id, Kind.RECORDING: tables.recording.c.call_id,
    Kind.SEAT: tables.seat_event.c.id, Kind.ALARM: tables.alarm.c.id,
}  # fmt: skip
_ROWID = literal_column("rowid", Integer)
"""SQLite's own number of a row. Downwards, because VACUUM may lower them: then some are told twice, none is missed."""


async def step(database: Database, now_us: int) -> bool:
    """False: there is nothing to do now. One transaction, at most STEP rows."""
    async with database.write() as connection:
        c = tables.sync_state.c
        state = (await connection.execute(select(c.backfill, c.next_seq, c.mark))).one_or_none()
        if state is None or not state.backfill or state.next_seq - 1 - state.mark > WAITING:
            return False
        left: dict[str, int | None] = dict(state.backfill)
        kind = next(kind for kind in TELLABLE if kind.value in left)
        below = left[kind.value]
        query = select(_KEYS[kind], _ROWID).order_by(_ROWID.desc()).limit(STEP)
        rows = (await connection.execute(query if below is None else query.where(below > _ROWID))).all()
        if rows:
            left[kind.value] = rows[-1][1]
        else:
            del left[kind.value]
        await tell(connection, kind, [str(row[0]) for row in rows], now_us)
        await connection.execute(update(tables.sync_state).values(backfill=left))
        return True
