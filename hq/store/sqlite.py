"""SQLite: headquarters for a try, or on a box. One file, one connection, one transaction at a time."""

import asyncio
import sqlite3
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from appliance_agent.kernel.errors import Fault, FaultKind
from hq.store.database import Row, Transaction
from hq.store.schema import STEPS, steps_after

WAIT_LIMIT_S = 10.0
IDENTITY = "INTEGER PRIMARY KEY AUTOINCREMENT"


class SqliteTransaction:
    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def rows(self, statement: str, *values: Any) -> list[Row]:
        return [dict(row) for row in await self._connection.execute_fetchall(statement, values)]

    async def run(self, statement: str, *values: Any) -> int:
        async with self._connection.execute(statement, values) as cursor:
            return cursor.rowcount

    async def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        await self._connection.executemany(statement, rows)

    async def copy(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        marks = ", ".join("?" * len(columns))
        await self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)

    async def temporary(self, table: str, like: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        await self._connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
        wanted = ", ".join(columns)
        await self._connection.execute(f"CREATE TEMPORARY TABLE {table} AS SELECT {wanted} FROM main.{like} LIMIT 0")
        await self.copy(table, columns, rows)

    async def lock_box(self, box: str) -> None:
        """There is one transaction at a time anyway."""

    async def segments(self, starts: Sequence[int]) -> str:
        known = list(starts)
        await self._connection.create_function("segment_of", 1, lambda at_us: bisect_right(known, at_us))
        return "segment_of(at_us)"


class Sqlite:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = asyncio.Lock()
        """Guards: the connection."""
        self._connection: aiosqlite.Connection | None = None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        async with self._transaction("IMMEDIATE") as transaction:
            yield transaction

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        async with self._transaction("DEFERRED") as transaction:
            yield transaction

    async def prepare(self) -> None:
        async with self.write() as transaction:
            version = (await transaction.rows("SELECT user_version FROM pragma_user_version"))[0]["user_version"]
            for statement in steps_after(version, identity=IDENTITY, monthly=""):
                await transaction.run(statement)
            await transaction.run(f"PRAGMA user_version = {max(version, len(STEPS))}")

    async def make_months(self, months: Sequence[str]) -> None:
        """One table has room for all."""

    async def close(self) -> None:
        async with self._lock:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None

    @asynccontextmanager
    async def _transaction(self, kind: str) -> AsyncIterator[Transaction]:
        try:
            async with asyncio.timeout(WAIT_LIMIT_S):
                await self._lock.acquire()
        except TimeoutError as error:
            raise _away("it is busy") from error
        try:
            connection = await self._connect()
            await connection.execute(f"BEGIN {kind}")
            try:
                yield SqliteTransaction(connection)
            except BaseException:
                await connection.rollback()
                raise
            await connection.commit()
        except sqlite3.OperationalError as error:
            raise _away(str(error)) from error
        finally:
            self._lock.release()

    async def _connect(self) -> aiosqlite.Connection:
        if self._connection is None:
            connection = await aiosqlite.connect(self._path, isolation_level=None, timeout=WAIT_LIMIT_S)
            connection.row_factory = aiosqlite.Row
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                await connection.execute(f"PRAGMA {pragma}")
            self._connection = connection
        return self._connection


def _away(why: str) -> Fault:
    return Fault(
        FaultKind.UNAVAILABLE, "store.away", f"The database cannot be used: {why}",
        hint="See whether its disk has room.", retry_after_s=5,
    )  # fmt: skip
