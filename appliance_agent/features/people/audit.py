"""Who did what, when, from where. Append-only; the oldest entries go when there are too many."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance_agent.features.people.model import AuditEntry, AuditPage, AuditQuery
from appliance_agent.http.route import Identity
from appliance_agent.kernel.clock import Clock, parse_rfc3339, rfc3339
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault
from appliance_agent.store import tables
from appliance_agent.store.database import Database

ENTRIES_KEPT = 200_000


@dataclass(frozen=True, slots=True)
class Actor:
    user_id: str | None
    """None: nobody proved to be a user (a refused log-in)."""
    login: str
    address: str

    @classmethod
    def of(cls, who: Identity) -> Self:
        return cls(who.user_id, who.login, who.address)


class AuditTrail:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def __call__(self, who: Identity, action: str, detail: Mapping[str, object]) -> None:
        """For other features: `await audit(call.who, "config.apply", {"version": 7})`. Detail holds no secrets."""
        await self.write(Actor.of(who), action, detail)

    async def write(self, actor: Actor, action: str, detail: Mapping[str, object]) -> None:
        async with self._database.write() as connection:
            await self.add(connection, actor, action, detail)

    async def add(self, connection: AsyncConnection, actor: Actor, action: str, detail: Mapping[str, object]) -> None:
        """In the caller's transaction: the deed and its trace are one."""
        values = {
            "at_us": self._clock.now_us(),
            "user_id": actor.user_id,
            "login": actor.login[:64],
            "address": actor.address[:64],
            "action": action,
            "detail": dict(detail),
        }
        await connection.execute(tables.audit.insert().values(values))

    async def page(self, query: AuditQuery) -> AuditPage:
        table = tables.audit
        conditions = []
        if query.start is not None:
            conditions.append(table.c.at_us >= _time("from", query.start))
        if query.end is not None:
            conditions.append(table.c.at_us < _time("to", query.end))
        if query.login:
            conditions.append(table.c.login == query.login.lower())
        if query.action:
            conditions.append(table.c.action == query.action)
        async with self._database.read() as connection:
            total = await connection.scalar(select(func.count()).select_from(table).where(*conditions))
            chosen = (
                select(table).where(*conditions).order_by(table.c.id.desc()).limit(query.limit).offset(query.offset)
            )
            rows = (await connection.execute(chosen)).all()
        items = [
            AuditEntry(
                id=row.id,
                at=rfc3339(row.at_us),
                login=row.login,
                address=row.address,
                action=row.action,
                detail=row.detail,
            )
            for row in rows
        ]
        return AuditPage(items=items, total=total or 0)

    async def prune(self) -> None:
        async with self._database.write() as connection:
            newest = await connection.scalar(select(func.max(tables.audit.c.id)))
            if newest is not None and newest > ENTRIES_KEPT:
                await connection.execute(delete(tables.audit).where(tables.audit.c.id <= newest - ENTRIES_KEPT))


def _time(name: str, text: str) -> int:
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError) as error:
        path = f"query/{name}"
        raise Fault(
            FaultKind.INVALID, "request.invalid", f"{path}: not a time: {error}",
            hint="Write RFC 3339, such as 2026-11-22T08:00:00Z.", fields=[FieldFault(path, "not an RFC 3339 time")],
        ) from error  # fmt: skip
