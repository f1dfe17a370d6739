"""PostgreSQL: where headquarters keeps the records of many branches."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from appliance_agent.kernel.errors import Fault, FaultKind
from hq.store.database import Row, Transaction
from hq.store.schema import STEPS, steps_after

CONNECTIONS = 8
WAIT_LIMIT_S = 10.0
"""For a connection, made or given back."""
STATEMENT_LIMIT_S = 20
IDENTITY = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
MONTHLY = "PARTITION BY RANGE (started_us)"
_SCHEMA_LOCK, _MONTH_LOCK = 800_001, 800_002
"""Advisory locks: who makes tables, who makes months."""

Connection = psycopg.AsyncConnection[DictRow]


def _words(statement: str) -> Any:
    """Ours have no question mark and no percent sign but for values."""
    return statement.replace("?", "%s")


class PostgresTransaction:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def rows(self, statement: str, *values: Any) -> list[Row]:
        cursor = await self._connection.execute(_words(statement), values)
        return list(await cursor.fetchall())

    async def run(self, statement: str, *values: Any) -> int:
        return (await self._connection.execute(_words(statement), values)).rowcount

    async def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        async with self._connection.cursor() as cursor:
            await cursor.executemany(_words(statement), rows)

    async def copy(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        into = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        async with self._connection.cursor() as cursor, cursor.copy(_words(into)) as copy:
            for row in rows:
                await copy.write_row(row)

    async def temporary(self, table: str, like: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        # Kept with the connection, empty: to make it for each batch would fill the catalogue with dead rows.
        await self._connection.execute(_words(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ON COMMIT DELETE ROWS AS"
            f" SELECT {', '.join(columns)} FROM {like} WITH NO DATA"
        ))  # fmt: skip
        await self.copy(table, columns, rows)
        # Without figures the planner takes these rows for few or many, and then goes through all months for them.
        await self._connection.execute(_words(f"ANALYZE {table}"))

    async def lock_box(self, box: str) -> None:
        await self._connection.execute("SELECT id FROM box WHERE id = %s FOR UPDATE", (box,))

    async def segments(self, starts: Sequence[int]) -> str:
        await self._connection.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS starts (all_us BIGINT[]) ON COMMIT DELETE ROWS"
        )
        await self._connection.execute("INSERT INTO starts VALUES (%s)", (list(starts),))
        return "width_bucket(at_us, (SELECT all_us FROM starts))"


class Postgres:
    """`address`: as libpq takes it, postgresql://user@host/database. Connections are made when they are needed."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._idle: deque[Connection] = deque()
        self._gate = asyncio.Semaphore(CONNECTIONS)
        self._months: set[str] = set()
        """Known to be there."""

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        async with self._connected() as connection, connection.transaction():
            yield PostgresTransaction(connection)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        async with self._connected() as connection, connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield PostgresTransaction(connection)

    async def prepare(self) -> None:
        async with self._connected() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))
            await connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
            row = await (await connection.execute("SELECT max(version) AS version FROM schema_version")).fetchone()
            version = (row or {}).get("version") or 0
            for statement in steps_after(version, identity=IDENTITY, monthly=MONTHLY):
                await connection.execute(_words(statement))
            await connection.execute("DELETE FROM schema_version")
            await connection.execute("INSERT INTO schema_version VALUES (%s)", (max(version, len(STEPS)),))

    async def make_months(self, months: Sequence[str]) -> None:
        for month in sorted(set(months) - self._months):
            first, last = _ends(month)
            name = f"call_{month.replace('-', '_')}"
            async with self._connected() as connection, connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MONTH_LOCK,))
                await connection.execute(_words(
                    f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF call FOR VALUES FROM ({first}) TO ({last})"
                ))  # fmt: skip
            self._months.add(month)

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        """A connection whose transaction is over; one that broke is not given to anybody again."""
        try:
            async with asyncio.timeout(WAIT_LIMIT_S):
                await self._gate.acquire()
        except TimeoutError as error:
            raise _away("all connections are busy") from error
        try:
            connection = await self._take()
            try:
                yield connection
            except psycopg.OperationalError as error:
                raise _away(str(error)) from error
            finally:
                if connection.closed or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                    await connection.close()
                else:
                    self._idle.append(connection)
        finally:
            self._gate.release()

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed and await _alive(connection):
                return connection
            await connection.close()
        try:
            connection = await psycopg.AsyncConnection.connect(
                self._address, row_factory=dict_row, autocommit=True, connect_timeout=int(WAIT_LIMIT_S),
                options=f"-c statement_timeout={STATEMENT_LIMIT_S}s -c timezone=UTC",
            )  # fmt: skip
        except psycopg.OperationalError as error:
            raise _away(str(error)) from error
        return connection


async def _alive(connection: Connection) -> bool:
    """The server may have been restarted since: told before the transaction, which then need not be done twice."""
    try:
        await connection.execute("")
    except psycopg.OperationalError:
        return False
    return True


def _away(why: str) -> Fault:
    return Fault(
        FaultKind.UNAVAILABLE, "store.away", f"The database cannot be reached: {why.strip()[:200]}",
        hint="See whether PostgreSQL runs and its disk has room.", retry_after_s=5,
    )  # fmt: skip


def month_of(time_us: int) -> str:
    return f"{datetime.fromtimestamp(time_us // 1_000_000, UTC):%Y-%m}"


def _ends(month: str) -> tuple[int, int]:
    year, number = int(month[:4]), int(month[5:])
    first = datetime(year, number, 1, tzinfo=UTC)
    last = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return int(first.timestamp()) * 1_000_000, int(last.timestamp()) * 1_000_000
