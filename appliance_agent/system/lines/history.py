"""What lines suffered: periods of alarm, and counts by the quarter of an hour. Bounded in the database."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from appliance_agent.kernel.clock import Clock
from appliance_agent.store.database import Database
from appliance_agent.store.tables import line_alarm as alarms
from appliance_agent.store.tables import line_counts
from appliance_agent.system.lines.counting import Counts, added, interval

PERIODS_KEPT = 20_000
"""Of all lines together; the oldest go first."""
PRUNE_EVERY = 200
"""Periods begun between two looks at how many there are."""
COUNTS_KEPT_US = 7 * 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Period:
    alarm: str
    since_us: int
    until_us: int | None
    """None: it still lasts."""


class LineHistory:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._begun = 0

    async def open(self) -> dict[str, frozenset[str]]:
        """Line → alarms that had not ended when they were last looked at."""
        query = select(alarms.c.line, alarms.c.alarm).where(alarms.c.until_us.is_(None))
        found: dict[str, frozenset[str]] = {}
        async with self._database.read() as connection:
            for line, alarm in (await connection.execute(query)).all():
                found[line] = found.get(line, frozenset()) | {alarm}
        return found

    async def turn(self, line: str, *, begun: frozenset[str], ended: frozenset[str]) -> None:
        """Alarms of a line that began and ended, now."""
        now_us = self._clock.now_us()
        async with self._database.write() as connection:
            still = (alarms.c.line == line, alarms.c.until_us.is_(None))
            for alarm in sorted(ended):
                await connection.execute(update(alarms).where(*still, alarms.c.alarm == alarm).values(until_us=now_us))
            for alarm in sorted(begun):
                await connection.execute(alarms.insert().values(line=line, alarm=alarm, since_us=now_us))
            self._begun += len(begun)
            if self._begun >= PRUNE_EVERY:
                self._begun = 0
                newest = await connection.scalar(select(func.max(alarms.c.id))) or 0
                await connection.execute(delete(alarms).where(alarms.c.id <= newest - PERIODS_KEPT))

    async def periods(self, line: str, since_us: int, limit: int) -> list[Period]:
        """Those that lasted then or later, newest first."""
        lasting = alarms.c.until_us.is_(None) | (alarms.c.until_us >= since_us)
        query = select(alarms).where(alarms.c.line == line, lasting).order_by(alarms.c.since_us.desc(), alarms.c.id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.limit(limit))).all()
        return [Period(row.alarm, row.since_us, row.until_us) for row in rows]

    async def count(self, grown: Mapping[str, Counts]) -> None:
        """Line → what came since it was last counted."""
        at_us = interval(self._clock.now_us())
        async with self._database.write() as connection:
            for line, counts in grown.items():
                here = select(line_counts.c.counts).where(line_counts.c.line == line, line_counts.c.at_us == at_us)
                total = added(await connection.scalar(here) or {}, counts)
                row = insert(line_counts).values(line=line, at_us=at_us, counts=total)
                row = row.on_conflict_do_update(index_elements=["line", "at_us"], set_={"counts": total})
                await connection.execute(row)
            await connection.execute(delete(line_counts).where(line_counts.c.at_us < at_us - COUNTS_KEPT_US))

    async def counts(self, line: str, since_us: int) -> list[tuple[int, Counts]]:
        """(beginning of the quarter of an hour, counts), oldest first; at most a week of them."""
        query = select(line_counts).where(line_counts.c.line == line, line_counts.c.at_us >= interval(since_us))
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(line_counts.c.at_us))).all()
        return [(row.at_us, row.counts) for row in rows]
