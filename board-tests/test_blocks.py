"""The words by which the box takes ports and circuits out of service and traces signalling, on the real chan_dahdi.

The same as in appliance_agent/system/lines/console.py, which these tests do not import.
"""

import pytest
from ami import AmiError
from board import Board, Party, until
from calls import call, dial

LIMIT_S = 60.0
TRACE = "/var/log/dut/line-trace.log"


def row(party: Party, command: str, channel: int) -> list[str]:
    """The words of a channel's row in a table of the console."""
    rows = [line.split() for line in party.ami.command(command).splitlines()]
    return next((words for words in rows if str(channel) in words[:2]), [])


def blocked_ss7(party: Party, channel: int, column: int) -> bool:
    """Columns: linkset, channel, idle, blocked by us, blocked by the far end."""
    return row(party, "ss7 show channels", channel)[column] == "Yes"


def refused(caller: Party, called: Party, line: str) -> None:
    with pytest.raises(AmiError, match="was not answered"):
        dial(caller, called, line, talk_s=1)


def test_a_circuit_is_blocked_and_given_back(board: Board, exchange: Party, dut: Party) -> None:
    dut.ami.command("ss7 block cic 1 1 5")
    until("the exchange knows of the block", lambda: blocked_ss7(exchange, 129, 4), LIMIT_S)
    assert blocked_ss7(dut, 160, 3)
    refused(exchange, dut, "DAHDI/129/8001")
    dut.ami.command("ss7 unblock cic 1 1 5")
    until("the exchange knows that it is over", lambda: not blocked_ss7(exchange, 129, 4), LIMIT_S)
    assert call(board, exchange, dut, "DAHDI/129/8001", talk_s=3).cause == 16


def test_an_r2_channel_is_blocked_and_given_back(board: Board, exchange: Party, dut: Party) -> None:
    dut.ami.command("mfcr2 set blocked 95")
    until("the exchange sees the bits", lambda: row(exchange, "mfcr2 show channels", 64)[-1] == "BLOCK", LIMIT_S)
    refused(exchange, dut, "DAHDI/64/8001")
    dut.ami.command("mfcr2 set idle 95")
    until("the exchange sees them gone", lambda: row(exchange, "mfcr2 show channels", 64)[-1] == "IDLE", LIMIT_S)
    assert call(board, exchange, dut, "DAHDI/64/8001", talk_s=3).cause == 16


def test_an_outside_line_takes_no_calls_out(board: Board, exchange: Party, dut: Party) -> None:
    dut.ami.command("dahdi set dnd 192 on")
    refused(dut, exchange, "DAHDI/192/8003")
    dut.ami.command("dahdi set dnd 192 off")
    assert call(board, dut, exchange, "DAHDI/192/8003", talk_s=3).number == "8003"


def test_what_a_pri_says_is_written_down_until_it_is_enough(board: Board, exchange: Party, dut: Party) -> None:
    dut.ami.command(f"logger add channel {TRACE} verbose")
    dut.ami.command("pri set debug intense span 2")
    call(board, exchange, dut, "DAHDI/g1/8001", talk_s=3)
    dut.ami.command("pri set debug off span 2")
    dut.ami.command(f"logger remove channel {TRACE}")
    told = board.run(f"cat {TRACE}")
    for word in "PRI Span: 2", "SETUP", "8001", "RELEASE COMPLETE":
        assert word in told, word
    call(board, exchange, dut, "DAHDI/g1/8001", talk_s=3)
    assert board.run(f"cat {TRACE}") == told
