"""The events of a batch → what they change: the last state of each thing. Pure.

What this server cannot read (a kind of a newer box, a broken body) is left out and counted, with the reason: one such
event must not hold up all that come after it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.sync import Event, Kind
from ledger.model import CallRecord
from ledger.wire import MOST_ID, WireError, from_wire, storable

_MOST_INT = 2**63


@dataclass(frozen=True, slots=True)
class LeftOut:
    kind: str
    why: str
    """Of the last one."""
    count: int


@dataclass(slots=True)
class Changes:
    calls: dict[str, CallRecord | None] = field(default_factory=dict)
    """call_id → the record; None: it has none any more."""
    recordings: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """call_id → seconds, size_bytes, sha256, finished_us."""
    seats: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    """id → at_us, user_id, extension, state, reason, by."""
    alarms: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    """id → key, level, subject, detail (JSON), since_us, cleared_us, acked_by."""
    inventory: str | None = None
    """JSON."""
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    """By kind."""


def changes_of(events: Iterable[Event]) -> Changes:
    changes = Changes()
    for event in events:
        read = _READERS.get(event.kind)
        try:
            if read is None:
                raise WireError("this server does not know the kind; a newer one does")
            read(changes, event.body)
        except WireError as error:
            kind = storable(event.kind)[:64]
            before = changes.left_out.get(kind)
            changes.left_out[kind] = LeftOut(kind, str(error)[:200], (before.count if before else 0) + 1)
    return changes


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise WireError(f"{name}: a text, not {value!r:.40}")
    return storable(value)


def _whole(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if type(value) is not int or not -_MOST_INT <= value < _MOST_INT:
        raise WireError(f"{name}: a whole number of 64 bits, not {value!r:.40}")
    return value


def _id(body: Mapping[str, Any], name: str) -> str:
    """It is in an index, which takes short texts only."""
    value = _text(body, name)
    if not 0 < len(value) <= MOST_ID:
        raise WireError(f"{name}: 1 to {MOST_ID} letters, not {len(value)}")
    return value


def _call(changes: Changes, body: Mapping[str, Any]) -> None:
    record = from_wire(body)
    if len(record.queue) > MOST_ID:
        raise WireError(f"queue: at most {MOST_ID} letters, not {len(record.queue)}")
    changes.calls[record.call_id] = record


def _call_gone(changes: Changes, body: Mapping[str, Any]) -> None:
    changes.calls[_id(body, "call_id")] = None


def _recording(changes: Changes, body: Mapping[str, Any]) -> None:
    changes.recordings[_id(body, "call_id")] = (
        _whole(body, "seconds"), _whole(body, "size_bytes"), _text(body, "sha256"), _whole(body, "finished_us"),
    )  # fmt: skip


def _seat(changes: Changes, body: Mapping[str, Any]) -> None:
    texts = [_text(body, name) for name in ("user_id", "extension", "state", "reason", "by")]
    changes.seats[_whole(body, "id")] = (_whole(body, "at_us"), *texts)


def _alarm(changes: Changes, body: Mapping[str, Any]) -> None:
    cleared_us = None if body.get("cleared_us") is None else _whole(body, "cleared_us")
    acked_by = None if body.get("acked_by") is None else _text(body, "acked_by")
    changes.alarms[_whole(body, "id")] = (
        _text(body, "key"), _text(body, "level"), _text(body, "subject"), json.dumps(body.get("detail")),
        _whole(body, "since_us"), cleared_us, acked_by,
    )  # fmt: skip


def _inventory(changes: Changes, body: Mapping[str, Any]) -> None:
    changes.inventory = json.dumps(body)


def _void(_changes: Changes, _body: Mapping[str, Any]) -> None:
    """It only keeps the sequence without gaps."""


_READERS: dict[str, Callable[[Changes, Mapping[str, Any]], None]] = {
    Kind.CALL: _call, Kind.CALL_GONE: _call_gone, Kind.RECORDING: _recording, Kind.SEAT: _seat, Kind.ALARM: _alarm,
    Kind.INVENTORY: _inventory, Kind.VOID: _void,
}  # fmt: skip
