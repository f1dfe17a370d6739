"""The door: whatever stands in the file, a row or a clear error."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.journal import CEL_FIELDS, UserEvent
from ledger.journal import JournalError, decode_line, parse_line, salvage, user_row
from tests.ledger.streams import NAMES, lines

ROW = lines("answered")[0]


def test_a_row_of_asterisk() -> None:
    event = parse_line(ROW, 7)
    assert (event.seq, event.type, event.linkedid, event.caller_number) == (
        7,
        "CHAN_START",
        event.uniqueid,
        "13800138000",
    )
    assert event.channel.startswith("PJSIP/trunk-exchange-")
    assert 1_700_000_000_000_000 < event.time_us < 4_000_000_000_000_000


def test_every_captured_row_has_the_contract_s_fields() -> None:
    for name in NAMES:
        for line in lines(name):
            assert tuple(json.loads(line)) == CEL_FIELDS


def test_a_user_event_is_decoded() -> None:
    event = next(event for line in lines("answered") if (event := parse_line(line, 1)).type == UserEvent.DIGIT)
    assert event.data == {"menu": "main", "version": "1", "digit": "1"}


def test_extra_of_others_is_flattened() -> None:
    event = next(event for line in lines("answered") if (event := parse_line(line, 1)).type == "HANGUP")
    assert event.data["hangupcause"] == "16"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "not JSON"),
        (ROW[:-1], "not JSON"),
        (ROW[3:], "not JSON"),
        (ROW[:100] + ROW, "not JSON"),
        (b"\x00" * 400, "not JSON"),
        (b'{"eventtype":"\xff"}', "not JSON"),
        (b"[1]", "a JSON list"),
        (b"{}", "no eventtype"),
        (b'{"eventtype":"X"}', "eventtime '' is not"),
        (b'{"eventtype":"X","eventtime":"nan"}', "eventtime 'nan'"),
        (b'{"eventtype":"X","eventtime":"1.000000","eventextra":"{"}', "eventextra is not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b"x" * 70_000, "line of 70000 bytes"),
    ],
)
def test_garbage_is_told(line: bytes, why: str) -> None:
    with pytest.raises(JournalError, match=why.replace("(", "\\(")):
        parse_line(line, 1)


def test_a_whole_row_behind_a_torn_one_is_saved() -> None:
    glued = ROW[:120] + ROW
    tail = salvage(glued)
    assert tail is not None
    assert parse_line(tail, 3) == parse_line(ROW, 3)
    assert salvage(ROW) is None
    assert salvage(b"nothing") is None


@given(st.binary(max_size=300))
@example(b'{"eventtype":"A","eventenum":"USER_DEFINED","eventtime":"1.000000","eventextra":"[]"}')
@example(b'{"eventtype":1,"eventtime":null}')
def test_any_bytes(line: bytes) -> None:
    try:
        parse_line(line, 1)
    except JournalError as error:
        assert str(error)


@given(st.integers(0, len(ROW) - 1), st.binary(min_size=1, max_size=3))
def test_any_damage_to_a_real_row(at: int, noise: bytes) -> None:
    damaged = ROW[:at] + noise + ROW[at + len(noise) :]
    try:
        parse_line(damaged, 1)
    except JournalError as error:
        assert str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(CEL_FIELDS), JSON, max_size=8))
def test_any_json_row(row: dict[str, object]) -> None:
    try:
        parse_line(json.dumps({"eventtype": "X", "eventtime": "5.000000"} | row), 1)
    except JournalError as error:
        assert str(error)


@given(
    st.sampled_from(UserEvent),
    st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(st.characters(codec="utf-8"), max_size=30)),
    st.integers(0, 4_000_000_000_000_000),
)
def test_our_own_rows_come_back(kind: UserEvent, data: dict[str, str], time_us: int) -> None:
    row = user_row(kind.value, data, time_us, uniqueid="1.1", linkedid="1.0")
    assert row.endswith(b"\n")
    assert row.count(b"\n") == 1
    assert tuple(json.loads(row)) == CEL_FIELDS
    event = parse_line(row, 9)
    assert (event.type, event.data, event.time_us, event.uniqueid) == (kind.value, data, time_us, "1.1")
    assert "eventextra" in decode_line(row)


def as_cel_custom_writes(row: dict[str, str]) -> bytes:
    """Asterisk 22.10 puts a backslash before each quote and escapes nothing else, be it JSON or not."""
    pairs = ('"{}":"{}"'.format(key, row.get(key, "").replace('"', '\\"')) for key in CEL_FIELDS)
    return ("{" + ",".join(pairs) + "}").encode()


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.text(st.characters(codec="utf-8"), max_size=40))
@example("a\\", "b")
@example('x\\","linkedid":"forged', '","userdeftype":"SA_SEAT')
@example("\\n\\u0041", "\n\r\t")
def test_whatever_a_caller_calls_himself(name: str, number: str) -> None:
    row = {"eventtype": "CHAN_START", "eventtime": "5.000000", "linkedid": "1.0", "name": name, "num": number}
    event = parse_line(as_cel_custom_writes(row), 1)
    assert (event.caller_name, event.caller_number, event.linkedid) == (name, number, "1.0")
