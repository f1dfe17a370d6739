"""The captured streams: streams/<name>.jsonl, its earlier generations <name>.<n>.jsonl, and <name>.expected.json."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ledger.calls import OpenCalls
from ledger.derive import derive
from ledger.journal import parse_line
from ledger.model import CallRecord

STREAMS = Path(__file__).with_name("streams")
NAMES = sorted(path.name.removesuffix(".jsonl") for path in STREAMS.glob("*.jsonl") if path.name.count(".") == 1)


def files(name: str) -> list[Path]:
    """In the order of the journal: rotated files first."""
    rotated = list(STREAMS.glob(f"{name}.*.jsonl"))
    return [*sorted(rotated, key=lambda path: int(path.name.split(".")[1])), STREAMS / f"{name}.jsonl"]


def lines(name: str) -> list[bytes]:
    return [line for path in files(name) for line in path.read_bytes().splitlines()]


def records(rows: list[bytes], book: OpenCalls | None = None) -> dict[str, CallRecord]:
    """What the ledger makes of these rows: call id → record, as written last."""
    book = book or OpenCalls()
    found: dict[str, CallRecord] = {}
    for seq, line in enumerate(rows, start=1):
        event = parse_line(line, seq)
        step = book.feed(event)
        if step.orphan and OpenCalls.may_start(event):  # as JournalStore does
            book.adopt(event.linkedid, [], event)
            step = book.feed(event)
        for gone, _ in step.joined:
            found.pop(gone, None)
        for call in step.finished:
            record = derive(call.call_id, call.events, closed_by=call.closed_by)
            if record is not None:
                found[call.call_id] = record
    return found


def expected(name: str) -> Any:
    return json.loads((STREAMS / f"{name}.expected.json").read_text())


def as_json(found: dict[str, CallRecord]) -> Any:
    return json.loads(json.dumps([asdict(record) for record in found.values()]))


def main() -> None:
    """`python -m tests.ledger.streams`: rewrite the expected records; the diff is the review."""
    for name in NAMES:
        text = json.dumps(as_json(records(lines(name))), ensure_ascii=False, indent=1)
        (STREAMS / f"{name}.expected.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
