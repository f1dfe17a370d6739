"""Digits pressed in a call over a trunk reach the other end, whatever the trunk's signalling.

Debian's Asterisk dies of a digit on an R2 line; on PRI and SS7 lines a word that means something else decides whether
it is taken. The image mends it (docs/adr/0019).
"""

import pytest
from board import Board, Party
from calls import dial
from test_calls import TRUNKS

DIGITS = "4711"


@pytest.mark.parametrize("trunk", TRUNKS)
def test_digits_are_heard(board: Board, exchange: Party, dut: Party, trunk: str) -> None:
    for caller, called in ((exchange, dut), (dut, exchange)):
        began, came = dial(caller, called, f"DAHDI/{TRUNKS[trunk]}/9001", context="keys", keys=DIGITS)
        heard = called.ami.wait("UserEvent", UserEvent="Digits", Id=came["Id"])
        assert heard["Heard"] == DIGITS
        for party, unique_id in ((caller, began["Uniqueid"]), (called, came["Id"])):
            party.ami.wait("Hangup", Uniqueid=unique_id)
