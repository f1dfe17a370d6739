"""R2 as in China, own small init: the caller's number goes with a call. Without our patch to openr2 (docs/adr/0014) it
does not: the control run has Debian's library at the calling end. Our end takes the caller's number first, the
exchange after the called one. Calls follow one another over the same line."""

from collections.abc import Iterator

import pytest
from ami import AmiError
from board import Board, Party
from calls import call, dial
from score import SHARE

STOCK = "/usr/lib/openr2-stock"
"""Debian's own library (parts.py)."""
TRUNK = "DAHDI/g2"


@pytest.fixture(scope="module")
def dut(lines: Board) -> Party:
    (party,) = lines.start("dut")
    return party


def start_exchange(board: Board, dut: Party, libraries: str = "") -> Party:
    (exchange,) = board.start("exchange", libraries=libraries)
    for party in (exchange, dut):
        party.wait_r2()
    return exchange


@pytest.fixture
def exchange(board: Board, dut: Party) -> Iterator[Party]:
    party = start_exchange(board, dut)
    yield party
    board.kill(party)


@pytest.fixture
def stock_exchange(board: Board, dut: Party) -> Iterator[Party]:
    party = start_exchange(board, dut, STOCK)
    maps = board.run("grep -h libopenr2 /proc/$(cat /run/exchange/asterisk.pid)/maps")
    assert STOCK in maps, "the control is one"
    yield party
    board.kill(party)


def test_numbers_both_ways(board: Board, exchange: Party, dut: Party) -> None:
    for caller, called, ends in (
        (exchange, dut, ("8001", "13800138000")),
        (dut, exchange, ("8002", "075588886666")),
        (exchange, dut, ("8003", "7")),
        (dut, exchange, ("8004", "00861380013800012")),
        (exchange, dut, ("8005", "")),
        (dut, exchange, ("8006", "")),
    ):
        number, from_ = ends
        seen = call(board, caller, called, f"{TRUNK}/{number}", from_=from_, talk_s=3)
        assert (seen.number, seen.caller) == ends
        assert min(seen.caller_heard, seen.called_heard) >= SHARE, seen


def test_calls_right_after_calls(exchange: Party, dut: Party) -> None:
    """By the end that was called, which is idle first: the other one has not seen it yet."""
    for _ in range(4):
        for caller, called in ((exchange, dut), (dut, exchange)):
            began, came = dial(caller, called, f"{TRUNK}/8001", context="tone", talk_s=1)
            for party, unique_id in ((caller, began["Uniqueid"]), (called, came["Id"])):
                party.ami.wait("Hangup", Uniqueid=unique_id)


def test_debians_own_library_sends_no_callers_number(board: Board, stock_exchange: Party, dut: Party) -> None:
    with pytest.raises(AmiError, match="was not answered"):
        dial(stock_exchange, dut, f"{TRUNK}/8001")
    for party in (stock_exchange, dut):
        party.wait_r2()
    seen = call(board, dut, stock_exchange, f"{TRUNK}/8002", from_="075588886666")
    assert (seen.number, seen.caller) == ("8002", "075588886666"), "only the calling side has the fault"
