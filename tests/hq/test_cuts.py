"""Headquarters and its database die at random moments while a box tells its calls: in the end both hold the same."""

import asyncio
import random
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from appliance_agent.calls.journal_rows import from_row, to_row
from appliance_agent.store.outbox import tell
from appliance_agent.store.tables import call_record
from appliance_agent.system.hq_link import packing, retry, sender
from contracts.sync import Kind
from hq.serve import open_database
from hq.store.database import Database
from ledger.model import CallRecord
from ledger.rollup import rollup
from tests.hq import postgres, program
from tests.hq.told import NOVEMBER, held, record, sums, until_asked
from tests.unit.hq_box import Box, box_at

BOX = "sa800-1"
MINUTE_US = 60_000_000


class Branch:
    """What happens at the box: calls end, some are corrected later, some turn out to be part of another."""

    def __init__(self, box: Box, chance: random.Random) -> None:
        self._box, self._chance, self._count = box, chance, 0

    async def busy(self, calls: int) -> None:
        for _ in range(calls):
            self._count += 1
            one = record(f"1.{self._count}", NOVEMBER + self._count * MINUTE_US, wait_ms=self._chance.randrange(90_000))
            async with self._box.database.write() as connection:
                await connection.execute(insert(call_record).values(to_row(one, user_id="", user_name="")))
                await tell(connection, Kind.CALL, [one.call_id], one.ended_us)
            if self._chance.random() < 0.3:
                await self._change(f"1.{self._chance.randint(1, self._count)}")

    async def _change(self, call_id: str) -> None:
        this = call_record.c.call_id == call_id
        gone = self._chance.random() < 0.3
        how = delete(call_record) if gone else update(call_record).values(wait_ms=self._chance.randrange(90_000))
        async with self._box.database.write() as connection:
            await connection.execute(how.where(this))
            await tell(connection, Kind.CALL, [call_id], NOVEMBER)

    async def records(self) -> dict[str, CallRecord]:
        async with self._box.database.read() as connection:
            rows = (await connection.execute(select(call_record))).mappings().all()
        return {
            one.call_id: one for row in rows if (one := from_row({str(name): value for name, value in row.items()}))
        }

    async def told(self) -> int:
        state = await self._box.link.view()
        return self._count - int(state["joined"]["backlog"]) if state["joined"] else 0

    async def all_told(self) -> bool:
        joined = (await self._box.link.view())["joined"]
        return joined["backlog"] == 0 and not joined["earlier_to_tell"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small batches: what dies dies in the midst of them."""
    monkeypatch.setattr(retry, "FIRST_S", 0.02)
    monkeypatch.setattr(retry, "LONGEST_S", 0.3)
    monkeypatch.setattr(sender, "LOOK_S", 0.02)
    monkeypatch.setattr(packing, "MOST_EVENTS", 7)


async def check(branch: Branch, database: Database) -> int:
    await until_asked(branch.all_told)
    there = await branch.records()
    assert await held(database, BOX) == there
    assert await sums(database, BOX) == rollup(there.values())
    return len(there)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_killed_at_random_moments(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    server: postgres.Server | None = None
    if kind == "postgres":
        server = request.getfixturevalue("postgres_server")
    address = server.new_database() if server else ""
    (data := tmp_path / "hq").mkdir()
    (folder := tmp_path / BOX).mkdir()
    async with program.serving(data, address) as headquarters, box_at(folder) as box:
        branch = Branch(box, chance)
        await branch.busy(30)  # from before it joined
        await box.link.join(f"127.0.0.1:{headquarters.port}", await program.code(data, address, "Harbour"))
        for turn in range(8):
            working = asyncio.create_task(branch.busy(60))
            goal = await branch.told() + chance.randint(1, 40)

            async def reached(goal: int = goal) -> bool:
                return await branch.told() >= goal

            await until_asked(reached)
            if server and turn % 2:
                await asyncio.to_thread(server.kill)
                await working
                await asyncio.to_thread(server.start)
            else:
                await headquarters.kill()
                await working
                await headquarters.start()
        database = open_database(address, data)
        try:
            assert await check(branch, database) > 300
        finally:
            await database.close()
