"""Stuck channels on the service's way: what Asterisk is asked, what it is told, and how often."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance_agent.asterisk.control import Control
from appliance_agent.asterisk.dahdi import DahdiChannel
from appliance_agent.asterisk.link import Link
from appliance_agent.kernel.bus import Bus
from appliance_agent.system.lines.channels import Channels
from appliance_agent.system.lines.repair import Repair
from appliance_agent.system.lines.stuck import REPAIRS_OF_ONE, STUCK_S, WITHIN_S
from tests.unit.lines_kit import Console, Site, site

CIRCUIT = 36
"""DAHDI's channel of timeslot 5 of e1-2, whose channels begin with 32."""
RESET = "ss7 reset cic 1 2 37"
HEAD = "link      Chan Lcl Rem Call       SS7  Channel\nset  Chan Idle Blk Blk Level      Call Name\n"
HELD = f"{HEAD}   1   {CIRCUIT} No   No  No  Connect    Yes\n"
FREE = f"{HEAD}   1   {CIRCUIT} Yes  No  No  Idle       No\n"


class Asked(Channels):
    """Asterisk's list of DAHDI channels, as it answers."""

    def __init__(self, answer: dict[int, DahdiChannel]) -> None:
        super().__init__(Link(Bus(), secrets=Path("none"), seen=Path("none")), Bus())
        self.answer = answer

    async def read(self) -> dict[int, DahdiChannel]:
        self.now = self.answer
        return self.answer


class Told(Control):
    def __init__(self, console: Console) -> None:
        self.console, self.alive = console, frozenset[str]()

    async def command(self, command: str) -> str:
        return await self.console.command(command)

    async def channel_ids(self) -> frozenset[str]:
        return self.alive


@dataclass
class Scene:
    lines: Site
    channels: Asked
    control: Told
    repair: Repair = field(init=False)

    def __post_init__(self) -> None:
        self.repair = Repair(
            cards=self.lines.cards, watch=self.lines.watch, channels=self.channels, control=self.control,
            clock=self.lines.clock,
        )  # fmt: skip

    async def look_after(self, seconds: float) -> list[str]:
        """What Asterisk was told at that look, but for the questions."""
        self.control.console.said.clear()
        self.lines.clock.moved_s += seconds
        await self.repair.look()
        return [said for said in self.control.console.said if " show " not in said]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with site(tmp_path, real=True) as lines:
        await lines.line("e1-2", "in_service")
        yield Scene(lines, Asked({CIRCUIT: DahdiChannel(CIRCUIT, "", False)}), Told(lines.asterisk))


async def test_a_circuit_held_for_no_call_is_reset_and_then_left_to_a_person(scene: Scene) -> None:
    scene.control.console.answers["ss7 show channels"] = HELD
    assert await scene.look_after(0) == []
    assert await scene.look_after(STUCK_S - 1) == [], "a call that is being made looks like that, too"
    assert await scene.look_after(2) == [RESET]
    for _ in range(REPAIRS_OF_ONE - 1):
        assert await scene.look_after(1) == []
        assert await scene.look_after(STUCK_S) == [RESET]
    assert await scene.look_after(1) == []
    assert await scene.look_after(STUCK_S) == []
    assert scene.repair.now == {"e1-2": frozenset({5})}
    assert await scene.look_after(WITHIN_S) == [RESET], "an hour later it may be tried again"


async def test_what_is_free_again_is_stuck_no_more(scene: Scene) -> None:
    scene.control.console.answers["ss7 show channels"] = HELD
    await scene.look_after(0)
    scene.control.console.answers["ss7 show channels"] = FREE
    await scene.look_after(STUCK_S)
    scene.control.console.answers["ss7 show channels"] = HELD
    assert await scene.look_after(1) == []
    assert await scene.look_after(1) == []
    assert scene.repair.now == {}


async def test_a_call_that_asterisk_has_is_never_touched(scene: Scene) -> None:
    scene.control.console.answers["ss7 show channels"] = HELD
    scene.channels.answer = {CIRCUIT: DahdiChannel(CIRCUIT, "1700000000.7", False)}
    scene.control.alive = frozenset({"1700000000.7"})
    for _ in range(3):
        assert await scene.look_after(STUCK_S) == []
    scene.control.alive = frozenset()
    await scene.look_after(1)
    assert await scene.look_after(STUCK_S) == [RESET], "its owner is gone: a ghost"


async def test_on_a_line_with_an_alarm_nothing_is_called_stuck(scene: Scene) -> None:
    scene.control.console.answers["ss7 show channels"] = HELD
    scene.lines.happens("alarm 2 red")
    await scene.lines.line("e1-2", "alarm")
    for _ in range(3):
        assert await scene.look_after(STUCK_S) == []
    assert scene.repair.now == {}
