"""Batches to headquarters: what is packed comes back; what is no batch is refused with a reason."""

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.sync import MOST_BYTES, MOST_EVENTS, MOST_PACKED, VERSION, BadBatch, Batch, Event, pack, unpack

bodies = st.dictionaries(
    st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=20), max_size=4
)


def batch(count: int = 2, *, first: int = 1, version: int = VERSION) -> Batch:
    return Batch("box-1", "e" * 32, tuple(Event(first + n, "call", n, {"n": n}) for n in range(count)), version)


def packed(head: object, *lines: object) -> bytes:
    return zlib.compress("\n".join(map(json.dumps, (head, *lines))).encode())


HEAD = {"v": VERSION, "box": "box-1", "epoch": "e" * 32, "first": 1, "count": 1}
LINE = {"kind": "call", "at_us": 1, "body": {}}


@given(st.integers(1, 2**60), st.lists(st.tuples(st.text(max_size=9), st.integers(), bodies), min_size=1, max_size=9))
def test_what_is_packed_comes_back(first: int, events: list[tuple[str, int, dict[str, object]]]) -> None:
    told = Batch("分店 1", "e" * 32, tuple(Event(first + n, *event) for n, event in enumerate(events)))
    assert unpack(pack(told)) == told


@pytest.mark.parametrize("version", [VERSION - 1, VERSION + 1])
def test_a_neighbour_version_is_taken_with_what_it_added(version: int) -> None:
    data = packed(HEAD | {"v": version, "new": 1}, LINE | {"kind": "of tomorrow", "more": []})
    assert unpack(data).events == (Event(1, "of tomorrow", 1, {}),)
    assert unpack(data).version == version


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "cut off"),
        (b"nonsense", "not zlib"),
        (pack(batch())[:-3], "cut off"),
        (pack(batch()) + b"x", "followed by"),
        (zlib.compress(b"{" * 100_000), "no batch"),
        (zlib.compress(b" " * (MOST_BYTES + 1)), "more than"),
        (b"x" * (MOST_PACKED + 1), "at most"),
        (packed(HEAD | {"v": VERSION + 2}, LINE), "version 3"),
        (packed(HEAD | {"count": 2}, LINE), "there are 1"),
        (packed(HEAD | {"first": 0}, LINE), "from 0"),
        (packed(HEAD | {"first": True}, LINE), "whole numbers"),
        (packed(HEAD | {"box": 7}, LINE), "are texts"),
        (packed(HEAD | {"count": 0}), "0 events"),
        (packed({}, LINE), "'v'"),
        (packed([], LINE), "no batch"),
        (packed(HEAD, LINE | {"body": []}), "event 1"),
        (pack(batch(MOST_EVENTS + 1)), "to 2000"),
    ],
)
def test_what_is_no_batch_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadBatch, match=why):
        unpack(data)


def test_a_full_batch_is_taken() -> None:
    assert len(unpack(pack(batch(MOST_EVENTS, first=10**12))).events) == MOST_EVENTS
