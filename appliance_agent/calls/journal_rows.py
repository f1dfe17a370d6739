"""CallRecord ↔ row of `call_record`, in this one place. Driven by the table: columns that are fields go as they are."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from appliance_agent.store.tables import call_record
from ledger.model import CallRecord, Direction, Leg, QueueVisit, Result, TimelineItem

_FIELDS = frozenset(field.name for field in fields(CallRecord))
PLAIN = tuple(column.name for column in call_record.columns if column.name in _FIELDS)
"""Fields that have a column of their own."""
DETAIL = tuple(sorted(_FIELDS - set(PLAIN)))
"""Fields kept in the JSON column `detail`: menu_path, legs, queue_visits, timeline."""
_LIMITS = {
    column.name: length
    for column in call_record.columns
    if column.name in PLAIN and (length := getattr(column.type, "length", None)) is not None
}


def to_row(record: CallRecord, *, user_id: str, user_name: str) -> dict[str, Any]:
    """Values for insert; texts from the network are cut to their column's length."""
    whole = asdict(record)
    row = {name: whole[name] for name in PLAIN}
    for name, length in _LIMITS.items():
        row[name] = str(row[name])[:length]
    return row | {"detail": {name: whole[name] for name in DETAIL}, "user_id": user_id, "user_name": user_name}


def from_row(row: Mapping[str, Any]) -> CallRecord:
    """A row of `call_record` → CallRecord."""
    detail = row["detail"]
    values = {name: row[name] for name in PLAIN} | {
        "direction": Direction(row["direction"]),
        "result": Result(row["result"]),
        "menu_path": tuple(detail["menu_path"]),
        "legs": tuple(Leg(**leg) for leg in detail["legs"]),
        "queue_visits": tuple(QueueVisit(**visit) for visit in detail["queue_visits"]),
        "timeline": tuple(TimelineItem(**item) for item in detail["timeline"]),
    }
    return CallRecord(**values)


def parties(record: CallRecord) -> tuple[str, ...]:
    """Extensions that took part in the call: called it, answered it, or were consulted."""
    found = [record.extension, *(leg.extension for leg in record.legs if leg.connected or leg.role != "callee")]
    return tuple(dict.fromkeys(number for number in found if number and len(number) <= 8))
