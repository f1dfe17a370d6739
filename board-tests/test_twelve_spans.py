"""Twelve E1, own small init: every span is in service, and a call goes over each. Both sides of PRI: at the odd spans
the exchange is the network, at the even ones we are."""

from collections.abc import Callable

import pytest
from board import Board, Party
from calls import call
from score import SHARE

SPANS = 12


@pytest.fixture(scope="module")
def parties(board: Board, tell: Callable[[str], None]) -> tuple[Party, Party]:
    before = board.times()
    board.run(f"/etc/board/pri-spans {SPANS}")
    board.run("/etc/board/lines")
    exchange, dut = board.start("exchange", "dut")
    for party in (exchange, dut):
        party.wait_pri(SPANS)
    tell(f"{SPANS} E1 in service after {board.times().since(before)[0]:.0f} s")
    return exchange, dut


def test_a_call_over_each(board: Board, exchange: Party, dut: Party) -> None:
    for span in range(1, SPANS + 1):
        caller, called = (exchange, dut) if span % 4 < 2 else (dut, exchange)
        seen = call(board, caller, called, f"DAHDI/g{span}/8{span:03}", from_=f"13800138{span:03}", talk_s=4)
        assert (seen.number, seen.caller) == (f"8{span:03}", f"13800138{span:03}")
        assert min(seen.caller_heard, seen.called_heard) >= SHARE, (span, seen)
    for party in (exchange, dut):
        assert party.ami.command("pri show spans").count("Up, Active") == SPANS
