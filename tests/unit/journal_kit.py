"""A journal folder and a database of a test, with captured real rows as what Asterisk writes."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from appliance_agent.calls.journal_file import JournalFiles
from appliance_agent.calls.journal_store import JournalStore
from appliance_agent.calls.journal_tail import JournalTail
from appliance_agent.kernel.bus import Bus, Subscription
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.kernel.events import RecordWritten
from appliance_agent.store.database import Database
from appliance_agent.store.tables import metadata


@dataclass
class Desk:
    folder: Path
    database: Database
    bus: Bus
    written: Subscription
    alive: set[str] = field(default_factory=set)
    """Channels that "Asterisk" has."""

    def __post_init__(self) -> None:
        self.files = JournalFiles(self.folder / "journal.jsonl")
        self.restart()

    def restart(self) -> None:
        """A new agent process: nothing but the disk is kept."""
        self.store = JournalStore(self.database, SystemClock())
        self.tail = JournalTail(self.files, self.store, self.bus, SystemClock(), self.live_channels)

    async def live_channels(self) -> frozenset[str]:
        return frozenset(self.alive)

    def write(self, rows: Iterable[bytes]) -> None:
        """As Asterisk does: open, append one row, close."""
        for row in rows:
            with self.files.path.open("ab") as file:
                file.write(row + b"\n")

    async def read_all(self) -> None:
        self.tail.at = await self.store.load()
        while await self.tail.step():
            pass

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        async with self.database.read() as connection:
            return [dict(row) for row in (await connection.execute(select(table))).mappings()]

    def published(self) -> list[RecordWritten]:
        found = []
        while not self.written._queue.empty():
            found.append(self.written._queue.get_nowait())
        return found


@asynccontextmanager
async def database_at(path: Path) -> AsyncIterator[Database]:
    database = Database(path)
    async with database.write() as connection:
        await connection.run_sync(metadata.create_all)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def desk_at(folder: Path) -> AsyncIterator[Desk]:
    bus = Bus()
    async with database_at(folder / "box.db") as database:
        with bus.subscribe(RecordWritten) as written:
            yield Desk(folder, database, bus, written)
