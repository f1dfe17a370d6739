"""Alarms: what is wrong with the box, since when, and who has seen it."""

import asyncio
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import Row, delete, select, update

from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock, rfc3339
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import LiveChanged
from appliance_agent.store.database import Database
from appliance_agent.store.outbox import tell
from appliance_agent.store.tables import alarm as alarms
from contracts.sync import Kind

log = structlog.get_logger()

KEPT_US = 90 * 86_400 * 1_000_000
"""Cleared alarms are forgotten after this."""
LISTED = 200
OPEN_LIMIT = 500
"""More alarms than this at once tell nothing new."""


class Level(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Alarms:
    """One open alarm for each (key, subject). Raising it again changes its level or detail, not its beginning."""

    def __init__(self, database: Database, bus: Bus, clock: Clock) -> None:
        self._database, self._bus, self._clock = database, bus, clock
        self._order = asyncio.Lock()
        """Guards: at most one open row for a key and subject."""

    async def raise_(self, key: str, level: str, subject: str, detail: dict[str, Any]) -> None:
        """`subject`: what it is about (a trunk's id, "disk"), "" when the key says it. ValueError: unknown level."""
        values = {"level": Level(level).value, "detail": detail}
        async with self._order, self._database.write() as connection:
            row = (await connection.execute(_open(key, subject))).one_or_none()
            if row is not None and (row.level, row.detail) == (values["level"], detail):
                return
            if row is not None:
                await connection.execute(update(alarms).where(alarms.c.id == row.id).values(values))
                id_ = row.id
            else:
                count = len((await connection.execute(_all_open().limit(OPEN_LIMIT))).all())
                if count >= OPEN_LIMIT:
                    log.error("too many alarms", key=key, subject=subject, detail=detail)
                    return
                made = values | {"key": key, "subject": subject[:128], "since_us": self._clock.now_us()}
                result = await connection.execute(alarms.insert().values(made).returning(alarms.c.id))
                id_ = result.scalar_one()
                log.warning("alarm", key=key, level=level, subject=subject, detail=detail)
            await tell(connection, Kind.ALARM, [str(id_)], self._clock.now_us())
            new = (await connection.execute(select(alarms).where(alarms.c.id == id_))).one()
        self._bus.publish(LiveChanged("alarms", str(id_), view(new)))

    async def clear(self, key: str, subject: str) -> None:
        """Does nothing when it is not open."""
        now_us = self._clock.now_us()
        async with self._order, self._database.write() as connection:
            row = (await connection.execute(_open(key, subject))).one_or_none()
            if row is None:
                return
            await connection.execute(update(alarms).where(alarms.c.id == row.id).values(cleared_us=now_us))
            await tell(connection, Kind.ALARM, [str(row.id)], now_us)
            old = alarms.c.cleared_us < now_us - KEPT_US
            await connection.execute(delete(alarms).where(alarms.c.cleared_us.is_not(None), old))
        log.info("alarm cleared", key=key, subject=subject)
        self._bus.publish(LiveChanged("alarms", str(row.id), None))

    async def open(self) -> list[dict[str, Any]]:
        """As in GET /alarms; what is wrong now."""
        async with self._database.read() as connection:
            return [view(row) for row in (await connection.execute(_all_open().limit(OPEN_LIMIT))).all()]

    async def list(self) -> list[dict[str, Any]]:
        """Open ones, then those that were cleared, newest first; at most LISTED of these."""
        query = select(alarms).where(alarms.c.cleared_us.is_not(None)).order_by(alarms.c.cleared_us.desc())
        async with self._database.read() as connection:
            cleared = (await connection.execute(query.limit(LISTED))).all()
        return [*await self.open(), *map(view, cleared)]

    async def ack(self, id_: str, by: str) -> dict[str, Any]:
        """Somebody has seen it. Fault NOT_FOUND."""
        number = int(id_) if id_.isascii() and id_.isdigit() and len(id_) < 16 else -1
        async with self._database.write() as connection:
            await connection.execute(update(alarms).where(alarms.c.id == number).values(acked_by=by[:64]))
            row = (await connection.execute(select(alarms).where(alarms.c.id == number))).one_or_none()
            if row is not None:
                await tell(connection, Kind.ALARM, [str(row.id)], self._clock.now_us())
        if row is None:
            raise Fault(FaultKind.NOT_FOUND, "alarms.unknown", f"there is no alarm {id_}")
        if row.cleared_us is None:
            self._bus.publish(LiveChanged("alarms", str(row.id), view(row)))
        return view(row)


def _all_open() -> Any:
    return select(alarms).where(alarms.c.cleared_us.is_(None)).order_by(alarms.c.since_us.desc())


def _open(key: str, subject: str) -> Any:
    return select(alarms).where(alarms.c.key == key, alarms.c.subject == subject[:128], alarms.c.cleared_us.is_(None))


def view(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.id), "key": row.key, "level": row.level, "subject": row.subject, "detail": row.detail,
        "since": rfc3339(row.since_us), "cleared_at": rfc3339(row.cleared_us) if row.cleared_us is not None else None,
        "acked_by": row.acked_by,
    }  # fmt: skip
