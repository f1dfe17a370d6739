"""Records on their way to headquarters: what is told comes back, neighbours are understood, nonsense is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.model import CallRecord, Direction, Leg, QueueVisit, Result, TimelineItem
from ledger.wire import LAST_US, VERSION, WireError, from_wire, storable, to_wire

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
whole = st.integers(-(2**63), 2**63 - 1)
legs = st.builds(Leg, *[texts] * 6, whole, st.none() | whole, whole, whole, whole, whole, st.booleans())
visits = st.builds(QueueVisit, texts, whole, whole, whole, texts, texts)
items = st.builds(TimelineItem, whole, texts, st.dictionaries(texts, texts, max_size=2))
records = st.builds(
    CallRecord,
    call_id=st.text("0123456789.-", min_size=1, max_size=40),
    direction=st.sampled_from(Direction), result=st.sampled_from(Result), caller_number=texts, caller_name=texts,
    called_number=texts, did=texts, trunk=texts, line=texts, menu_path=st.tuples(texts) | st.just(()), queue=texts,
    extension=texts, started_us=st.integers(0, LAST_US - 1), answered_us=st.none() | whole, ended_us=whole,
    menu_ms=whole, wait_ms=whole, ring_ms=whole, talk_ms=whole, hold_ms=whole, transfers=whole, hangup_by=texts,
    hangup_cause=whole, recording=texts, legs=st.tuples(legs) | st.just(()), queue_visits=st.tuples(visits),
    timeline=st.tuples(items, items),
)  # fmt: skip

LEAST = {"v": VERSION, "call_id": "1.1", "direction": "inbound", "result": "busy", "started_us": 5, "ended_us": 6}


def travelled(record: CallRecord) -> CallRecord:
    return from_wire(json.loads(json.dumps(to_wire(record))))


@given(records)
def test_what_is_told_comes_back(record: CallRecord) -> None:
    assert travelled(record) == record


@given(st.text(st.characters(codec=None), max_size=12))
def test_a_storable_text_is_utf8_without_nul(text: str) -> None:
    made = storable(text)
    assert "\0" not in made
    assert storable(made) == made
    made.encode("utf-8")


def test_halves_of_pairs_and_nul() -> None:
    assert storable("a\0\ud83d b") == "a\ufffd b"
    assert storable("张三 😀") == "张三 😀"


def test_a_name_that_no_database_takes_arrives_without_that() -> None:
    record = replace(from_wire(LEAST), caller_name="\ud800x\0", timeline=(TimelineItem(1, "did", {"k\0": "\udfff"}),))
    came = travelled(record)
    assert came.caller_name == "\ufffdx"
    assert came.timeline[0].detail == {"k": "\ufffd"}


@pytest.mark.parametrize("version", [VERSION - 1, VERSION + 1])
def test_a_neighbour_is_understood(version: int) -> None:
    """One that does not know some members yet, and one that knows more."""
    more: dict[str, Any] = {"v": version, "mood": {"of": ["tomorrow"]}, "legs": [{"uniqueid": "1.1", "codec": "opus"}]}
    record = from_wire(LEAST | more)
    assert (record.result, record.queue, record.answered_us, record.timeline) == (Result.BUSY, "", None, ())
    assert record.legs[0].uniqueid == "1.1"
    assert record.legs[0].ended_us == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"v": VERSION + 2}, "version"), ({"v": True}, "version"), ({"call_id": ""}, "call_id"),
        ({"call_id": "1" * 200}, "call_id"), ({"direction": "up"}, "direction: one of"), ({"result": []}, "result"),
        ({"started_us": -1}, "1970"), ({"started_us": LAST_US}, "2100"), ({"started_us": 1.5}, "started_us"),
        ({"wait_ms": True}, "wait_ms"), ({"wait_ms": 2**63}, "wait_ms"), ({"legs": {}}, "legs: a list"),
        ({"legs": [{"connected": 1}]}, "legs: connected"), ({"timeline": [7]}, "timeline: an object"),
        ({"timeline": [{"detail": {"a": 1}}]}, "timeline: detail"), ({"queue": None}, "queue: a text"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused_by_its_member(change: dict[str, Any], says: str) -> None:
    with pytest.raises(WireError, match=says):
        from_wire(LEAST | change)


@pytest.mark.parametrize("name", ["call_id", "direction", "result", "started_us", "ended_us"])
def test_what_makes_a_record_must_be_there(name: str) -> None:
    with pytest.raises(WireError, match=f"{name}: is missing"):
        from_wire({key: value for key, value in LEAST.items() if key != name})


def test_records_that_are_read_share_nothing() -> None:
    one, other = (from_wire(LEAST | {"timeline": [{}]}) for _ in range(2))
    assert one.timeline[0].detail is not other.timeline[0].detail
