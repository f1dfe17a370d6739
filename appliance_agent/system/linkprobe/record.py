"""A probe as it is kept and shown."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, select, update

from appliance_agent.kernel.clock import rfc3339
from appliance_agent.store.database import Database
from appliance_agent.store.tables import link_probe

KEPT = 100
"""The oldest go first."""


class State(StrEnum):
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    """By a person: what was measured until then counts."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LinkProbe:
    id: str
    peer: str
    """Its id in the configuration."""
    by: str
    began_us: int
    ended_us: int | None = None
    state: State = State.RUNNING
    detail: dict[str, Any] = field(default_factory=dict)
    """order {steps, seconds, in_spite_of_calls}, steps (linkprobe.result.view), early, calls, reason {key, message,
    hint}."""
    seconds: list[dict[str, Any]] = field(default_factory=list)
    """linkprobe.result.view; left out where many probes are listed."""

    def view(self) -> dict[str, Any]:
        """As in docs/api.md."""
        return {
            "id": self.id, "peer": self.peer, "by": self.by, "began_at": rfc3339(self.began_us),
            "ended_at": None if self.ended_us is None else rfc3339(self.ended_us), "state": self.state.value,
            "seconds": self.seconds, "steps": [], "early": False, "reason": None, "calls": 0, **self.detail,
        }  # fmt: skip


class KeptProbes:
    """The table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, probe: LinkProbe) -> None:
        values = {
            "id": probe.id, "peer": probe.peer, "by": probe.by[:64], "began_us": probe.began_us,
            "ended_us": probe.ended_us, "state": probe.state.value, "detail": probe.detail, "seconds": probe.seconds,
        }  # fmt: skip
        old = select(link_probe.c.id).order_by(link_probe.c.began_us.desc(), link_probe.c.id).offset(KEPT)
        async with self._database.write() as connection:
            await connection.execute(link_probe.insert().values(values))
            await connection.execute(delete(link_probe).where(link_probe.c.id.in_(old.scalar_subquery())))

    async def end(self, probe: LinkProbe) -> None:
        values = {
            "ended_us": probe.ended_us, "state": probe.state.value, "detail": probe.detail, "seconds": probe.seconds,
        }  # fmt: skip
        async with self._database.write() as connection:
            await connection.execute(update(link_probe).where(link_probe.c.id == probe.id).values(values))

    async def all(self) -> list[LinkProbe]:
        """Newest first, without seconds."""
        query = select(*_LISTED).order_by(link_probe.c.began_us.desc(), link_probe.c.id)
        async with self._database.read() as connection:
            return [_probe(row) for row in (await connection.execute(query)).all()]

    async def one(self, id_: str) -> LinkProbe | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(link_probe).where(link_probe.c.id == id_))).one_or_none()
        return None if row is None else replace(_probe(row), seconds=row.seconds)

    async def open(self) -> list[LinkProbe]:
        """Those that an agent began and did not end."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(link_probe).where(link_probe.c.ended_us.is_(None)))
        return [replace(_probe(row), seconds=row.seconds) for row in rows.all()]


_LISTED = [column for column in link_probe.c if column is not link_probe.c.seconds]


def _probe(row: Row[tuple[Any, ...]]) -> LinkProbe:
    return LinkProbe(row.id, row.peer, row.by, row.began_us, row.ended_us, State(row.state), row.detail)
