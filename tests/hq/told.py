"""What boxes tell in these tests, and what headquarters then holds."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from contracts.sync import Batch, Event, Kind
from hq.store.calls import sums_of, to_wire
from hq.store.database import Database
from ledger import wire
from ledger.model import CallRecord, Direction, Leg, Result
from ledger.rollup import Key, Sums

DAY_US = 86_400_000_000
NOVEMBER = 1_794_355_200_000_000
"""2026-11-11T00:00:00Z."""
ONE, TWO = "1" * 32, "2" * 32
"""Epochs."""


class ClockOf:
    def __init__(self, now_us: int = NOVEMBER) -> None:
        self.us = now_us

    def now_us(self) -> int:
        return self.us

    def monotonic(self) -> float:
        return self.us / 1e6


def record(call_id: str, started_us: int = NOVEMBER, **changes: Any) -> CallRecord:
    leg = Leg(call_id, "PJSIP/exchange-1", "caller", "", "exchange", "", started_us, None, started_us, 0, 0, 16, True)
    made = CallRecord(
        call_id=call_id, direction=Direction.INBOUND, result=Result.ABANDONED_QUEUE, caller_number="02155512345",
        caller_name="张三", called_number="8000", did="8000", trunk="exchange", line="", menu_path=("main:1",),
        queue="sales", extension="", started_us=started_us, answered_us=None, ended_us=started_us + 60_000_000,
        menu_ms=0, wait_ms=7000, ring_ms=0, talk_ms=0, hold_ms=0, transfers=0, hangup_by="caller", hangup_cause=16,
        recording="", legs=(leg,), queue_visits=(), timeline=(),
    )  # fmt: skip
    return replace(made, **changes)


def call(one: CallRecord) -> tuple[str, dict[str, Any]]:
    return Kind.CALL, wire.to_wire(one)


def gone(call_id: str) -> tuple[str, dict[str, Any]]:
    return Kind.CALL_GONE, {"call_id": call_id}


def batch(first: int, *told: tuple[str, dict[str, Any]], box: str = "box-1", epoch: str = ONE) -> Batch:
    return Batch(box, epoch, tuple(Event(first + n, kind, NOVEMBER, body) for n, (kind, body) in enumerate(told)))


async def add_box(database: Database, box: str = "box-1") -> None:
    async with database.write() as transaction:
        await transaction.run(
            "INSERT INTO box (id, name, epoch, inventory, enrolled_us) VALUES (?, ?, '', '{}', 0)", box, box
        )  # fmt: skip


async def rows(database: Database, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    async with database.read() as transaction:
        return [tuple(row.values()) for row in await transaction.rows(statement, *values)]


async def held(database: Database, box: str = "box-1") -> dict[str, CallRecord]:
    async with database.read() as transaction:
        found = await transaction.rows("SELECT * FROM call WHERE box = ?", box)
    records = [wire.from_wire(to_wire(row) | {"v": wire.VERSION}) for row in found]
    assert len({one.call_id for one in records}) == len(records), "a call is there twice"
    return {one.call_id: one for one in records}


async def sums(database: Database, box: str = "box-1") -> dict[Key, Sums]:
    async with database.read() as transaction:
        found = await transaction.rows("SELECT * FROM rollup WHERE box = ?", box)
    return {Key(row["at_us"], row["direction"], row["queue"]): sums_of(row) for row in found}


async def until_asked(holds: Callable[[], Awaitable[bool]]) -> None:
    """Of what nobody tells."""
    async with asyncio.timeout(60):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.01)  # a poll within the limit above: a database tells nobody
