"""SS7, own small init: the link is lost and aligned again, circuits are blocked and taken back."""

from collections.abc import Callable

import pytest
from ami import AmiError
from board import Board, Party, until
from cable import SS7
from calls import call, dial
from score import SHARE
from wire import LIMIT_S

LINK, CIC = 1, 3
"""Link set, and a circuit of it."""
POINT_CODES = {"exchange": 1, "dut": 2}
CHANNELS = {"exchange": 127, "dut": 158}
"""Of the circuit, at either end (guest: /etc/*/chan_dahdi.conf)."""


def circuit(party: Party) -> str:
    """What an end knows of the circuit: its state and who blocks it."""
    rows = [line.split(maxsplit=3) for line in party.ami.command(f"ss7 show cics {LINK}").splitlines()]
    (told,) = [row[3] for row in rows if row[:1] == [str(CIC)]]
    return " ".join(told.split())


def wait_circuit(party: Party, told: str) -> None:
    until(f"{party.name}: circuit {CIC} is {told!r}", lambda: circuit(party) == told, LIMIT_S)


@pytest.mark.parametrize("blocker", ["dut", "exchange"])
def test_a_blocked_circuit_carries_no_call(board: Board, exchange: Party, dut: Party, blocker: str) -> None:
    near, far = (dut, exchange) if blocker == "dut" else (exchange, dut)
    line, channel = f"{LINK} {POINT_CODES[far.name]} {CIC}", CHANNELS[far.name]
    assert circuit(near) == circuit(far) == "Idle"
    near.ami.command(f"ss7 block cic {line}")
    wait_circuit(near, "Idle L:M")
    wait_circuit(far, "Idle R:M")
    with pytest.raises(AmiError, match="was not answered"):
        dial(far, near, f"DAHDI/{channel}/8001")
    assert call(board, far, near, "DAHDI/g3/8002", talk_s=3).number == "8002", "the others carry calls"

    near.ami.command(f"ss7 unblock cic {line}")
    wait_circuit(near, "Idle")
    wait_circuit(far, "Idle")
    seen = call(board, far, near, f"DAHDI/{channel}/8003", talk_s=3)
    assert (seen.number, seen.caller) == ("8003", "13800138000")


def test_a_lost_link_is_aligned_again(board: Board, exchange: Party, dut: Party, say: Callable[[str], None]) -> None:
    _, came = dial(exchange, dut, "DAHDI/g3/8001")
    board.kill(exchange)
    pulled_at = SS7.pull(board)
    red = dut.ami.wait("SpanAlarm", Span=str(SS7.span), Alarm="Red Alarm")
    dut.wait_says(f"ss7 show linkset {LINK}", "status: Down")
    with pytest.raises(AmiError, match="was not answered"):
        dial(dut, exchange, "DAHDI/g3/8002")

    SS7.plug(board)
    again = SS7.back(board)
    for party in (again, dut):
        party.wait_says(f"ss7 show linkset {LINK}", "status: Up")
    gone = dut.ami.wait("Hangup", Uniqueid=came["Id"])
    say(f"red {float(red['Timestamp']) - pulled_at:.2f} s after the pull; the call closed after "
        f"{float(gone['Timestamp']) - pulled_at:.1f} s with cause {gone['Cause']}")  # fmt: skip
    for caller, called in ((again, dut), (dut, again)):
        seen = call(board, caller, called, "DAHDI/g3/8003")
        assert seen.number == "8003"
        assert min(seen.caller_heard, seen.called_heard) >= SHARE, seen
    assert "0 active channels" in dut.ami.command("core show channels"), "no stuck channel"
