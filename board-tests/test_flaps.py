"""The cable of an E1 flaps fifty times, beginning in a call; own small init. No channel may be stuck afterwards."""

from collections.abc import Callable

from board import Board, Party
from cable import PRI
from calls import call, dial
from score import SHARE

TIMES = 50


def test_no_channel_is_stuck_after_fifty_flaps(
    board: Board, exchange: Party, dut: Party, say: Callable[[str], None]
) -> None:
    _, came = dial(exchange, dut, "DAHDI/g1/8001")
    board.kill(exchange)
    say(f"{TIMES} flaps in {PRI.flap(board, TIMES):.0f} s")
    dut.ami.wait("Hangup", Uniqueid=came["Id"])
    dut.ami.command("core show uptime")  # its answer comes after the events so far
    noticed = [one["Event"] for one in dut.ami.events if one.get("Span") == str(PRI.span)]
    assert (noticed.count("SpanAlarm"), noticed.count("SpanAlarmClear")) == (TIMES, TIMES), "the faults were there"

    PRI.watch(dut)
    again = PRI.back(board)
    PRI.service_s(board)
    for party in (again, dut):
        party.wait_pri()
    assert "0 active channels" in dut.ami.command("core show channels")
    for caller, called in ((again, dut), (dut, again)):
        seen = call(board, caller, called, "DAHDI/g1/8001", talk_s=3)
        assert seen.number == "8001"
        assert min(seen.caller_heard, seen.called_heard) >= SHARE, seen
