"""A test as it is kept and shown."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, select, update

from appliance_agent.kernel.clock import rfc3339
from appliance_agent.store.database import Database
from appliance_agent.store.tables import line_test
from appliance_agent.system.linetests.kinds import Kind

KEPT_OF_A_LINE = 100
"""The oldest go first."""


class State(StrEnum):
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    """By a person: what was measured until then counts."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LineTest:
    id: str
    line: str
    timeslot: int
    kind: Kind
    by: str
    began_us: int
    ended_us: int | None = None
    state: State = State.RUNNING
    detail: dict[str, Any] = field(default_factory=dict)
    """order {seconds, level_dbm0, number}, verdict, figures, found (tone, caller), reason {key, message, hint}."""

    def view(self, progress: dict[str, Any] | None = None) -> dict[str, Any]:
        """As in docs/api.md."""
        return {
            "id": self.id, "line": self.line, "timeslot": self.timeslot, "kind": self.kind.value, "by": self.by,
            "began_at": rfc3339(self.began_us),
            "ended_at": None if self.ended_us is None else rfc3339(self.ended_us),
            "state": self.state.value, "progress": progress, "verdict": "", "figures": [], "tone": None,
            "caller": None, "reason": None, **self.detail,
        }  # fmt: skip


class KeptTests:
    """The table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, test: LineTest) -> None:
        values = {
            "id": test.id, "line": test.line, "timeslot": test.timeslot, "kind": test.kind.value, "by": test.by[:64],
            "began_us": test.began_us, "ended_us": test.ended_us, "state": test.state.value, "detail": test.detail,
        }  # fmt: skip
        old = (
            select(line_test.c.id)
            .where(line_test.c.line == test.line)
            .order_by(line_test.c.began_us.desc(), line_test.c.id)
            .offset(KEPT_OF_A_LINE)
        )
        async with self._database.write() as connection:
            await connection.execute(line_test.insert().values(values))
            await connection.execute(delete(line_test).where(line_test.c.id.in_(old.scalar_subquery())))

    async def end(self, test: LineTest) -> None:
        values = {"ended_us": test.ended_us, "state": test.state.value, "detail": test.detail}
        async with self._database.write() as connection:
            await connection.execute(update(line_test).where(line_test.c.id == test.id).values(values))

    async def of(self, line: str) -> list[LineTest]:
        """Newest first."""
        query = select(line_test).where(line_test.c.line == line).order_by(line_test.c.began_us.desc(), line_test.c.id)
        async with self._database.read() as connection:
            return [_test(row) for row in (await connection.execute(query)).all()]

    async def one(self, id_: str) -> LineTest | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(line_test).where(line_test.c.id == id_))).one_or_none()
        return None if row is None else _test(row)

    async def open(self) -> list[LineTest]:
        """Those that an agent began and did not end."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(line_test).where(line_test.c.ended_us.is_(None)))
        return [_test(row) for row in rows.all()]


def _test(row: Row[tuple[Any, ...]]) -> LineTest:
    return LineTest(
        row.id, row.line, row.timeslot, Kind(row.kind), row.by, row.began_us, row.ended_us, State(row.state), row.detail
    )
