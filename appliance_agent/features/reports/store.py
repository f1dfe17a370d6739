"""The columns that the figures need, page by page."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Row, select

from appliance_agent.store.database import Database
from appliance_agent.store.tables import call_record
from ledger.model import Direction

PAGE = 5000


class ReportStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def inbound(self, from_us: int, to_us: int, queue: str) -> AsyncIterator[list[Row[Any]]]:
        """Inbound calls that began in [from_us, to_us), by start; rows fulfil `ledger.report.CallLike`."""
        c = call_record.c
        query = select(c.direction, c.queue, c.started_us, c.answered_us, c.wait_ms, c.talk_ms).where(
            c.direction == Direction.INBOUND.value, c.started_us >= from_us, c.started_us < to_us
        )
        if queue:
            query = query.where(c.queue == queue)
        async with self._database.read() as connection:
            result = await connection.stream(query.order_by(c.started_us))
            async for rows in result.partitions(PAGE):
                yield list(rows)
