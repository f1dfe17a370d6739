"""The cable of an E1 is pulled in a call and put back; own small init. Times are of the board's clock."""

from collections.abc import Callable

from board import Board, Party
from cable import CLEAR, PRI, RED
from calls import call, dial
from score import SHARE

# dahdi_dynamic takes a second without a frame for a cable that is out. A test fails at five times the usual figure.
RED_S, CLEAR_S, CLOSED_S = 5 * 1.0, 5 * 0.1, 5 * 20
SERVICE_S = 5 * 5
"""From the far end's first SABME to the link in service: 5 s are wanted."""


def test_a_cable_is_pulled_in_a_call_and_put_back(
    board: Board, exchange: Party, dut: Party, say: Callable[[str], None]
) -> None:
    _, came = dial(exchange, dut, "DAHDI/g1/8001")
    assert PRI.alarms(board) == CLEAR

    board.kill(exchange)
    pulled_at = PRI.pull(board)
    red = dut.ami.wait("SpanAlarm", Span=str(PRI.span), Alarm="Red Alarm")
    assert PRI.alarms(board) == RED, "the fault is there"
    assert float(red["Timestamp"]) - pulled_at <= RED_S
    gone = dut.ami.wait("Hangup", Uniqueid=came["Id"])
    assert gone["Cause"] == "27", "destination out of order"
    closed_s = float(gone["Timestamp"]) - pulled_at
    assert closed_s <= CLOSED_S

    since = len(dut.ami.events)
    plugged_at = PRI.plug(board)
    clear = dut.ami.wait("SpanAlarmClear", Span=str(PRI.span), since=since)
    assert float(clear["Timestamp"]) - plugged_at <= CLEAR_S
    assert PRI.alarms(board) == CLEAR
    say(
        f"red {float(red['Timestamp']) - pulled_at:.2f} s after the pull, the call closed after {closed_s:.1f} s, "
        f"clear {float(clear['Timestamp']) - plugged_at:.2f} s after the plug"
    )

    PRI.watch(dut)
    again = PRI.back(board)
    service_s = PRI.service_s(board)
    say(f"in service {service_s:.2f} s after the far end's first SABME")
    assert service_s <= SERVICE_S
    for party in (again, dut):
        party.wait_pri()
    assert "0 active channels" in dut.ami.command("core show channels"), "no stuck channel"
    for caller, called in ((again, dut), (dut, again)):
        seen = call(board, caller, called, "DAHDI/g1/8001")
        assert seen.number == "8001"
        assert min(seen.caller_heard, seen.called_heard) >= SHARE, seen
