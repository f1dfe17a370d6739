"""What a box tells headquarters of its past: events in order, in batches, each taken once.

`POST /sync/v1/batch` over mutual TLS, body `pack(batch)`. HQ commits and answers its mark: the highest sequence number
it holds of this box and epoch. A batch that was taken before changes nothing and is answered alike; one that begins
beyond mark + 1 is refused with 409 and the mark, and the box goes on from there. `GET /sync/v1/mark?epoch=…` asks.

Key of an event: (box, epoch, seq). A box begins a new epoch when its database is not the one that went before: factory
reset, restored backup. Events say the state after the change (an upsert by their own key), so that the events of a new
epoch may repeat what an older one told.
"""

import json
import re
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

VERSION = 1
"""Of batches. A reader takes VERSION - 1 … VERSION + 1: fields it does not know are left out, kinds it does not know
are counted and left out."""
BATCH_PATH = "/sync/v1/batch"
MARK_PATH = "/sync/v1/mark"
MOST_EVENTS = 2_000
MOST_BYTES = 8 * 1024 * 1024
"""Of a batch, unpacked."""
MOST_PACKED = 2 * 1024 * 1024


EPOCH = re.compile(r"[0-9a-f]{32}")


class Kind(StrEnum):
    CALL = "call"
    """body: `ledger.wire.to_wire(record)`. Later events of the same call_id replace it."""
    CALL_GONE = "call_gone"
    """A call that was taken in by another one has no record any more. body: call_id."""
    RECORDING = "recording"
    """body: call_id, seconds, size_bytes, sha256, finished_us."""
    SEAT = "seat"
    """body: id, at_us, user_id, extension, state, reason, by (the table seat_event)."""
    ALARM = "alarm"
    """Raised, acknowledged or cleared. body: id, key, level, subject, detail, since_us, cleared_us, acked_by."""
    INVENTORY = "inventory"
    """body: `contracts.live.Inventory` as it is now; told when it changed."""
    VOID = "void"
    """What it told of is no more (an alarm forgotten after months). body: {}. Keeps the sequence without gaps."""


class BadBatch(ValueError):
    """Says what is wrong with which part of it."""


@dataclass(frozen=True, slots=True)
class Event:
    seq: int
    """From 1, no gaps."""
    kind: str
    """A `Kind`, or one of a newer box."""
    at_us: int
    """When the box wrote it, by the box's clock (which may be wrong): UTC microseconds."""
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    box: str
    epoch: str
    """32 hex digits, chosen at random when the epoch began."""
    events: tuple[Event, ...]
    """One to MOST_EVENTS, seq rising by one."""
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Mark:
    """HQ's answer, as JSON: {"epoch": …, "seq": …}. seq 0: nothing yet."""

    epoch: str
    seq: int


def pack(batch: Batch) -> bytes:
    """zlib over JSON lines: the header {v, box, epoch, first, count}, then a line an event {kind, at_us, body}."""
    first = batch.events[0].seq
    head = {"v": batch.version, "box": batch.box, "epoch": batch.epoch, "first": first, "count": len(batch.events)}
    lines = [head, *({"kind": event.kind, "at_us": event.at_us, "body": event.body} for event in batch.events)]
    text = "\n".join(json.dumps(line, separators=(",", ":")) for line in lines)
    return zlib.compress(text.encode("ascii"), 1)


def unpack(data: bytes) -> Batch:
    """Raises BadBatch, also for a version that is not ours and for bodies beyond the limits."""
    if len(data) > MOST_PACKED:
        raise BadBatch(f"the batch has {len(data)} bytes, at most {MOST_PACKED} are taken")
    lines = _inflate(data).split(b"\n")
    try:
        head, *events = map(json.loads, lines)
        version, box, epoch, first, count = head["v"], head["box"], head["epoch"], head["first"], head["count"]
        if not all(isinstance(text, str) for text in (box, epoch)):
            raise TypeError("box and epoch are texts")
        if not EPOCH.fullmatch(epoch):
            raise BadBatch("epoch: 32 hexadecimal digits")
        if not all(type(number) is int for number in (version, first, count)):
            raise TypeError("v, first and count are whole numbers")
        if not VERSION - 1 <= version <= VERSION + 1:
            raise BadBatch(f"a batch of version {version}; this side speaks {VERSION - 1} to {VERSION + 1}")
        if first < 1 or count != len(events) or not 1 <= count <= MOST_EVENTS:
            raise BadBatch(f"the head says {count} events from {first}, there are {len(events)} (1 to {MOST_EVENTS})")
        return Batch(box, epoch, tuple(_event(first + n, one) for n, one in enumerate(events)), version)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        if isinstance(error, BadBatch):
            raise
        raise BadBatch(f"no batch: {error!r}") from error


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise BadBatch(f"not zlib: {error}") from error
    if not inflater.eof or inflater.unused_data:
        raise BadBatch(f"cut off, more than {MOST_BYTES} bytes unpacked, or followed by something else")
    return text


def _event(seq: int, line: dict[str, Any]) -> Event:
    kind, at_us, body = line["kind"], line["at_us"], line["body"]
    if not isinstance(kind, str) or type(at_us) is not int or not isinstance(body, dict):
        raise TypeError(f"event {seq}: kind is a text, at_us a whole number, body an object")
    return Event(seq, kind, at_us, body)
