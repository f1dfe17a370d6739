"""Calls and their sums, which change together: whoever reads sees both before a batch, or both after it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from hq.store.database import Row, Transaction
from hq.store.schema import CALL_COLUMNS, COUNTS, WITHIN
from ledger.model import CallRecord, Leg, QueueVisit, TimelineItem
from ledger.rollup import QUARTER_US, Key, Sums, quarter_of, rollup

_PLAIN = CALL_COLUMNS[1:-1]
_PARTS = {
    name: [field.name for field in fields(kind)]
    for name, kind in (("legs", Leg), ("queue_visits", QueueVisit), ("timeline", TimelineItem))
}
_KEY = ("box", "at_us", "direction", "queue")
_ADD = (
    f"INSERT INTO rollup ({', '.join((*_KEY, *COUNTS, 'max_wait_ms'))})"
    f" VALUES ({', '.join('?' * (len(_KEY) + len(COUNTS) + 1))})"
    f" ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET "
    + ", ".join(f"{name} = rollup.{name} + excluded.{name}" for name in COUNTS)
    + ", max_wait_ms = CASE WHEN rollup.max_wait_ms < excluded.max_wait_ms THEN excluded.max_wait_ms"
    " ELSE rollup.max_wait_ms END"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """What the sums need of a stored call."""

    direction: str
    queue: str
    started_us: int
    answered_us: int | None
    wait_ms: int
    talk_ms: int


_COUNTED = ", ".join(f"call.{name}" for name in Counted.__dataclass_fields__)


def to_row(box: str, record: CallRecord) -> tuple[Any, ...]:
    """In the order of CALL_COLUMNS."""
    plain = [getattr(record, name) for name in _PLAIN]
    detail: dict[str, Any] = {"menu_path": record.menu_path}
    for name, names in _PARTS.items():
        # Not asdict: it copies each text and costs more than all else of taking a call in.
        detail[name] = [{part: getattr(one, part) for part in names} for one in getattr(record, name)]
    return (box, *plain, json.dumps(detail, ensure_ascii=False, separators=(",", ":")))


def to_wire(row: Row) -> dict[str, Any]:
    """A row of `call` → what `ledger.wire.from_wire` reads."""
    return {name: row[name] for name in _PLAIN} | dict(json.loads(row["detail"]))


async def replace(transaction: Transaction, box: str, calls: Mapping[str, CallRecord | None]) -> None:
    """The state of these calls (None: there is no such call any more); the sums follow. The box is locked."""
    if not calls:
        return
    await transaction.temporary("touched_call", "call", ("call_id",), [(call_id,) for call_id in calls])
    gone = await transaction.rows(
        "DELETE FROM call WHERE box = ? AND call_id IN (SELECT call_id FROM touched_call) RETURNING started_us", box
    )
    records = [record for record in calls.values() if record is not None]
    await transaction.copy("call", CALL_COLUMNS, [to_row(box, record) for record in records])
    changed = {quarter_of(row["started_us"]) for row in gone}
    await _add(transaction, box, rollup(one for one in records if quarter_of(one.started_us) not in changed))
    await _sum_anew(transaction, box, changed)


async def _sum_anew(transaction: Transaction, box: str, quarters: Iterable[int]) -> None:
    """Quarters that lost a call, or the state it had."""
    starts = [(at_us,) for at_us in sorted(quarters)]
    if not starts:
        return
    await transaction.temporary("touched_quarter", "rollup", ("at_us",), starts)
    await transaction.run("DELETE FROM rollup WHERE box = ? AND at_us IN (SELECT at_us FROM touched_quarter)", box)
    found = await transaction.rows(
        f"SELECT {_COUNTED} FROM touched_quarter JOIN call ON call.box = ? AND call.started_us >= touched_quarter.at_us"
        f" AND call.started_us < touched_quarter.at_us + {QUARTER_US}",
        box,
    )
    await _add(transaction, box, rollup(Counted(**row) for row in found))


async def _add(transaction: Transaction, box: str, sums: Mapping[Key, Sums]) -> None:
    rows = [
        (box, *key, one.offered, one.answered, one.queued, one.wait_ms, one.talk_ms, *one.within, one.max_wait_ms)
        for key, one in sorted(sums.items())
    ]
    if rows:
        await transaction.many(_ADD, rows)


def sums_of(row: Row) -> Sums:
    """A row of `rollup`, or several added up."""
    return Sums(
        offered=int(row["offered"]), answered=int(row["answered"]), queued=int(row["queued"]),
        wait_ms=int(row["wait_ms"]), max_wait_ms=int(row["max_wait_ms"]), talk_ms=int(row["talk_ms"]),
        within=[int(row[name]) for name in WITHIN],
    )  # fmt: skip
