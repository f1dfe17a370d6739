"""Which legs get the jitter buffer later, and why Asterisk may not have it."""

from pathlib import Path

import pytest

from appliance_agent.asterisk import models as ast
from appliance_agent.asterisk.models import Channel, ChannelState
from appliance_agent.calls.line_joins import joined
from appliance_agent.calls.live import fold
from appliance_agent.calls.live_model import LiveState
from appliance_agent.system.jitter_buffer import Refusal, refusal


def channel(name: str, call: str = "1.0") -> Channel:
    return Channel(f"{call}-{name}", call, name, ChannelState.UP, "", "", "", "", "")


LINE, SEAT, OTHER = channel("DAHDI/i1/138-1"), channel("PJSIP/1001-1"), channel("PJSIP/1002-2", "2.0")


def entered(*places: tuple[str, Channel]) -> LiveState:
    state = LiveState()
    for bridge, who in places:
        state, _ = fold(state, ast.BridgeEntered(bridge, who), 0)
    return state


def test_who_comes_to_a_line() -> None:
    """1002 takes the place of 1001 in the line's bridge, its own call being another."""
    before = entered(("b1", LINE), ("b1", SEAT), ("b2", OTHER))
    assert joined(before, ast.BridgeEntered("b1", OTHER)) == ["PJSIP/1001-1", "PJSIP/1002-2"]
    moved, _ = fold(before, ast.BridgeLeft("b1", SEAT), 0)
    assert joined(moved, ast.BridgeEntered("b1", OTHER)) == ["PJSIP/1002-2"]


def test_a_line_that_comes_to_a_seat() -> None:
    assert joined(entered(("b1", SEAT)), ast.BridgeEntered("b1", LINE)) == ["PJSIP/1001-1"]


@pytest.mark.parametrize("other", [("b1", OTHER), ("b2", LINE)])
def test_without_a_line_nobody_does(other: tuple[str, Channel]) -> None:
    assert joined(entered(other), ast.BridgeEntered("b1", SEAT)) == []


def test_why_it_is_not_there(tmp_path: Path) -> None:
    program, module = tmp_path / "asterisk", tmp_path / "module.so"
    program.write_bytes(b"\x7fELF\0" + b"a1" * 16 + b"\0" + b"b2" * 16 + b"\0")
    assert refusal(program, module) is Refusal.ABSENT
    module.write_bytes(b"\0" + b"b2" * 16 + b"\0")
    assert refusal(program, module) is Refusal.REFUSED
    module.write_bytes(b"\0" + b"c3" * 16 + b"\0" + b"b2" * 16)
    assert refusal(program, module) is Refusal.OTHER_BUILD
