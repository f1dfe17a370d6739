"""Which legs get the jitter buffer later, and why Asterisk may not have it."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from appliance_agent.asterisk import models as ast
from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import Channel, ChannelState
from appliance_agent.calls.line_joins import LineJoins, beside_a_line
from appliance_agent.calls.live import fold
from appliance_agent.calls.live_model import LiveState
from appliance_agent.calls.live_service import LiveCalls
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.kernel.bus import Bus
from appliance_agent.system.jitter_buffer import Refusal, refusal
from tests.unit.people_agent import HandClock

LIMIT_S = 20


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
    both = entered(("b1", LINE), ("b1", SEAT), ("b2", OTHER), ("b1", OTHER))
    assert beside_a_line(both, "b1") == ["PJSIP/1001-1", "PJSIP/1002-2"]
    moved, _ = fold(both, ast.BridgeLeft("b1", SEAT), 0)
    assert beside_a_line(moved, "b1") == ["PJSIP/1002-2"]
    assert beside_a_line(moved, "b2") == []


@pytest.mark.parametrize("other", [("b1", OTHER), ("b2", LINE)])
def test_without_a_line_nobody_does(other: tuple[str, Channel]) -> None:
    assert beside_a_line(entered(other, ("b1", SEAT)), "b1") == []


async def test_a_line_that_comes_to_a_seat_in_the_same_breath() -> None:
    """Both are told at once, and who turns buffers on may be the first to hear of it."""
    bus, asked = Bus(), asyncio.Queue[tuple[str, str]]()

    async def action(name: str, fields: list[tuple[str, str]]) -> None:
        asked.put_nowait((name, dict(fields)["Channel"]))

    link = cast("Link", SimpleNamespace(up=None, ami=SimpleNamespace(action=action)))
    live = LiveCalls(link, bus, HandClock(), ConfigHolder(), no_note)
    tasks = [asyncio.create_task(part.run()) for part in (LineJoins(link, bus, live), live)]
    await asyncio.sleep(0)  # one turn of the loop: both tasks have begun and subscribed
    bus.publish(ast.BridgeEntered("b1", SEAT))
    bus.publish(ast.BridgeEntered("b1", LINE))
    async with asyncio.timeout(LIMIT_S):
        assert await asked.get() == ("Setvar", SEAT.name)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def no_note(_channel: Channel, _on: bool) -> None:
    """Nobody holds here."""


def test_why_it_is_not_there(tmp_path: Path) -> None:
    program, module = tmp_path / "asterisk", tmp_path / "module.so"
    program.write_bytes(b"\x7fELF\0" + b"a1" * 16 + b"\0" + b"b2" * 16 + b"\0")
    assert refusal(program, module) is Refusal.ABSENT
    module.write_bytes(b"\0" + b"b2" * 16 + b"\0")
    assert refusal(program, module) is Refusal.REFUSED
    module.write_bytes(b"\0" + b"c3" * 16 + b"\0" + b"b2" * 16)
    assert refusal(program, module) is Refusal.OTHER_BUILD
