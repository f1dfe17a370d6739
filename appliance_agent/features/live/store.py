"""Today's answered and lost queue calls from the records."""

from sqlalchemy import case, func, select

from appliance_agent.store.database import Database
from appliance_agent.store.tables import call_record
from ledger.model import Result

LOST = (Result.ABANDONED_QUEUE, Result.QUEUE_TIMEOUT, Result.QUEUE_UNAVAILABLE)


async def counts_since(database: Database, since_us: int) -> dict[str, tuple[int, int]]:
    """Queue id → (answered, lost), of calls that began then or later."""
    c = call_record.c
    answered = func.sum(case((c.result == Result.ANSWERED.value, 1), else_=0))
    lost = func.sum(case((c.result.in_([result.value for result in LOST]), 1), else_=0))
    query = select(c.queue, answered, lost).where(c.started_us >= since_us, c.queue != "").group_by(c.queue)
    async with database.read() as connection:
        return {row[0]: (int(row[1]), int(row[2])) for row in (await connection.execute(query)).all()}
