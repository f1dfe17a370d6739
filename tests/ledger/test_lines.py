"""Calls over telephone lines: the record names the line, and the timeslot on an E1."""

from contracts.journal import UserEvent
from ledger.derive import derive
from ledger.model import CallRecord, Event


def derived(rows: list[Event]) -> CallRecord:
    record = derive("1.1", rows)
    assert record is not None
    return record


def told(*events: tuple[str, str, dict[str, str]]) -> CallRecord:
    """`events`: (type, channel's number, data); one second apart, all of one call."""
    rows = [
        Event(seq, kind, 1_000_000 * seq, f"{who}.1", "1.1", f"DAHDI/i1/{who}", "13800138000", data=data)
        for seq, (kind, who, data) in enumerate(events, 1)
    ]
    return derived(rows)


def test_a_call_that_comes_in_on_an_e1() -> None:
    record = told(
        ("CHAN_START", "1", {}),
        (UserEvent.CALL, "1", {"dir": "in", "trunk": "city"}),
        (UserEvent.LINE, "1", {"line": "e1-2", "channel": "5"}),
        (UserEvent.DID, "1", {"did": "8001", "known": "1"}),
        ("HANGUP", "1", {"hangupcause": "16"}),
        ("CHAN_END", "1", {}),
        ("LINKEDID_END", "1", {}),
    )
    assert (record.line, record.trunk, record.did) == ("e1-2:5", "city", "8001")


def test_an_analog_line_tells_the_caller_after_the_call_began() -> None:
    rows = [
        Event(1, "CHAN_START", 1_000_000, "1.1", "1.1", "DAHDI/97-1"),
        Event(2, UserEvent.CALL, 2_000_000, "1.1", "1.1", "DAHDI/97-1", "13800138000", "Zhang San", data={"dir": "in"}),
        Event(3, "LINKEDID_END", 3_000_000, "1.1", "1.1", "DAHDI/97-1"),
    ]
    record = derived(rows)
    assert (record.caller_number, record.caller_name) == ("13800138000", "Zhang San")


def test_who_withholds_his_number_is_not_told() -> None:
    """The exchange passes the number, marked; Asterisk's first row has it."""
    call = {"dir": "in", "withheld": "1"}
    rows = [
        Event(1, "CHAN_START", 1_000_000, "1.1", "1.1", "DAHDI/i1/13800138000-1", "13800138000", "Zhang San"),
        Event(2, UserEvent.CALL, 2_000_000, "1.1", "1.1", "DAHDI/i1/13800138000-1", data=call),
        Event(3, "LINKEDID_END", 3_000_000, "1.1", "1.1", "DAHDI/i1/13800138000-1"),
    ]
    record = derived(rows)
    assert (record.caller_number, record.caller_name) == ("", "")
    assert "13800138000" not in str([leg.number for leg in record.legs])


def test_a_call_out_that_found_its_first_line_dead() -> None:
    dial = {"trunk": "city", "number": "10086", "ext": "1001"}
    record = told(
        ("CHAN_START", "1", {}),
        (UserEvent.CALL, "1", {"dir": "out", "trunk": "city"}),
        (UserEvent.DIAL_OUT, "1", dial),
        ("CHAN_START", "2", {}),
        (UserEvent.LINE, "2", {"line": "e1-1", "channel": "31"}),
        ("HANGUP", "2", {"hangupcause": "34"}),
        ("CHAN_END", "2", {}),
        (UserEvent.DIAL_OUT, "1", dial),
        ("CHAN_START", "3", {}),
        (UserEvent.LINE, "3", {"line": "fxo-1", "channel": "1"}),
        ("ANSWER", "3", {}),
        ("BRIDGE_ENTER", "3", {"bridge_id": "b", "bridge_technology": "simple_bridge"}),
        ("BRIDGE_ENTER", "1", {"bridge_id": "b", "bridge_technology": "simple_bridge"}),
        ("HANGUP", "1", {"hangupcause": "16"}),
        ("CHAN_END", "1", {}),
        ("HANGUP", "3", {"hangupcause": "16"}),
        ("CHAN_END", "3", {}),
        ("LINKEDID_END", "1", {}),
    )
    assert (record.line, record.trunk, record.called_number) == ("fxo-1", "city", "10086")
    assert record.answered_us is not None


def test_a_call_of_an_analog_set_within_the_house() -> None:
    """Its channel begins before anything was dialled."""
    record = told(
        ("CHAN_START", "1", {}),
        (UserEvent.CALL, "1", {"dir": "internal"}),
        ("CHAN_START", "2", {}),
        (UserEvent.RING, "2", {"ext": "1011", "queue": ""}),
        ("HANGUP", "1", {"hangupcause": "16"}),
        ("CHAN_END", "1", {}),
        ("CHAN_END", "2", {}),
        ("LINKEDID_END", "1", {}),
    )
    assert record.called_number == "1011"
