"""Is the box's own jitter buffer in Asterisk? While it is not, the dialplan takes Asterisk's; that is an alarm."""

import asyncio
import re
from enum import StrEnum
from pathlib import Path

from appliance_agent.asterisk.link import Link
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import AsteriskUp
from appliance_agent.system.alarms import Alarms, Level

ALARM = "asterisk.jitter_buffer"
MODULE = "func_sa_jitter.so"
PROGRAM = Path("/usr/sbin/asterisk")
MODULES = Path("/usr/lib/x86_64-linux-gnu/asterisk/modules")
_SUM = re.compile(rb"(?<=\0)[0-9a-f]{32}(?=\0)")
"""AST_BUILDOPT_SUM: how an Asterisk was built. It takes no module of another sum."""


class Refusal(StrEnum):
    ABSENT = "absent"
    """The module's file is not there."""
    OTHER_BUILD = "other_build"
    """It was built for another Asterisk."""
    REFUSED = "refused"
    """Asterisk's log has why."""


def refusal(program: Path, module: Path) -> Refusal:
    """Why Asterisk (`program`) did not take the module. OSError: a file that is there cannot be read."""
    if not module.is_file():
        return Refusal.ABSENT
    sums = set(_SUM.findall(module.read_bytes()))
    return Refusal.REFUSED if sums & set(_SUM.findall(program.read_bytes())) else Refusal.OTHER_BUILD


class JitterBuffer:
    """Alarm: asterisk.jitter_buffer. Asked each time that Asterisk is up."""

    name = "jitter buffer"

    def __init__(
        self, *, link: Link, alarms: Alarms, bus: Bus, program: Path = PROGRAM, module: Path = MODULES / MODULE
    ) -> None:
        self._link, self._alarms, self._bus = link, alarms, bus
        self._program, self._module = program, module

    async def run(self) -> None:
        with self._bus.subscribe(AsteriskUp, limit=100) as events:
            if self._link.up is not None:
                await self.check()
            async for _ in events:
                await self.check()

    async def check(self) -> None:
        try:
            await self._link.ari.request("GET", f"/asterisk/modules/{MODULE}")
        except Fault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                why = await asyncio.to_thread(refusal, self._program, self._module)
                await self._alarms.raise_(ALARM, Level.WARNING, "", {"reason": why.value})
            return  # else Asterisk is away again, and that has an alarm of its own
        await self._alarms.clear(ALARM, "")
