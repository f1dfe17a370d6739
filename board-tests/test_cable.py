"""The cable of an E1 is pulled in a call and put back. Times are of the board's clock."""

from collections.abc import Callable

from board import Board, Party
from calls import call, dial

ADDRESS, CHANNELS, SPAN = "1:0", 31, "2"
"""The exchange's end of the PRI span, and our end's number (guest/kernel/etc/dahdi/system.conf)."""
ALARMS = f"cat /sys/bus/dahdi_spans/devices/span-{SPAN}/alarms"
RED = "0x8"
# dahdi_dynamic takes a second without a frame for a cable that is out. A test fails at five times the usual figure.
RED_S, CLEAR_S, CLOSED_S = 5 * 1.0, 5 * 0.1, 5 * 20


def test_a_cable_is_pulled_in_a_call_and_put_back(
    board: Board, exchange: Party, dut: Party, say: Callable[[str], None]
) -> None:
    _, came = dial(exchange, dut, "DAHDI/g1/8001")
    assert board.run(ALARMS) == "0x0"

    board.kill(exchange)
    pulled_at = float(board.run(f"/etc/board/cable pull {ADDRESS} {CHANNELS}"))
    red = dut.ami.wait("SpanAlarm", Span=SPAN, Alarm="Red Alarm")
    assert board.run(ALARMS) == RED, "the fault is there"
    assert float(red["Timestamp"]) - pulled_at <= RED_S
    gone = dut.ami.wait("Hangup", Uniqueid=came["Id"])
    assert gone["Cause"] == "27", "destination out of order"
    closed_s = float(gone["Timestamp"]) - pulled_at
    assert closed_s <= CLOSED_S

    since = len(dut.ami.events)
    plugged_at = float(board.run(f"/etc/board/cable plug {ADDRESS} {CHANNELS}"))
    clear = dut.ami.wait("SpanAlarmClear", Span=SPAN, since=since)
    assert float(clear["Timestamp"]) - plugged_at <= CLEAR_S
    assert board.run(ALARMS) == "0x0"
    say(
        f"red {float(red['Timestamp']) - pulled_at:.2f} s after the pull, the call closed after {closed_s:.1f} s, "
        f"clear {float(clear['Timestamp']) - plugged_at:.2f} s after the plug"
    )

    board.run("/etc/board/lines again PRI")
    (again,) = board.start("exchange")
    again.wait_pri()
    dut.wait_pri()
    assert "0 active channels" in dut.ami.command("core show channels"), "no stuck channel"
    # From our side: a first call of the restarted exchange was seen refused (README).
    seen = call(board, dut, again, "DAHDI/g1/8001")
    assert seen.number == "8001"
    assert min(seen.caller_heard, seen.called_heard) >= 0.8, seen
