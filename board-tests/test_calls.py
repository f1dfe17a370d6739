"""Calls over each kind of line, both ways, with sound both ways."""

import pytest
from board import Board, Party
from calls import Seen, call
from score import SHARE

TRUNKS = {"PRI": "g1", "R2": "g2", "SS7": "g3"}
"""Groups of channels at both ends (guest/kernel/etc/*/chan_dahdi.conf)."""


PLAYED_DBM0 = -10.0
"""How loud Asterisk plays a tone."""


def check_heard(seen: Seen) -> None:
    assert min(seen.caller_heard, seen.called_heard) >= SHARE, seen


def check_level(seen: Seen) -> None:
    """A trunk is digital from end to end: a wrong law makes a tone some 10 dB louder, and its share is still 0.85."""
    assert [seen.caller_level, seen.called_level] == pytest.approx([PLAYED_DBM0] * 2, abs=0.5), "dBm0"


@pytest.mark.parametrize("trunk", TRUNKS)
def test_in_by_a_trunk(board: Board, exchange: Party, dut: Party, trunk: str) -> None:
    seen = call(board, exchange, dut, f"DAHDI/{TRUNKS[trunk]}/8001")
    check_heard(seen)
    check_level(seen)
    assert seen.cause == 16
    assert (seen.number, seen.caller) == ("8001", "13800138000")


@pytest.mark.parametrize("trunk", TRUNKS)
def test_out_by_a_trunk(board: Board, exchange: Party, dut: Party, trunk: str) -> None:
    seen = call(board, dut, exchange, f"DAHDI/{TRUNKS[trunk]}/8002", from_="075588886666")
    check_heard(seen)
    check_level(seen)
    assert seen.cause == 16
    assert (seen.number, seen.caller) == ("8002", "075588886666")


def test_in_by_an_fxo_port(board: Board, exchange: Party, dut: Party) -> None:
    seen = call(board, exchange, dut, "DAHDI/187")
    check_heard(seen)
    assert (seen.number, seen.caller, seen.name) == ("", "13800138000", "Zhang San"), "FSK caller id"


def test_out_by_an_fxo_port(board: Board, exchange: Party, dut: Party) -> None:
    seen = call(board, dut, exchange, "DAHDI/192/8003")
    check_heard(seen)
    assert seen.number == "8003", "DTMF digits"


def test_to_a_telephone_at_an_fxs_port(board: Board, exchange: Party, dut: Party) -> None:
    check_heard(call(board, dut, exchange, "DAHDI/193"))


def test_from_a_telephone_at_an_fxs_port(board: Board, exchange: Party, dut: Party) -> None:
    seen = call(board, exchange, dut, "DAHDI/190/8004")
    check_heard(seen)
    assert seen.number == "8004"
