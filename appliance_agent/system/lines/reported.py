"""Keeps the report of the lines true when cards go, and tells when it is another one.

`sa800-lines` writes it when cards come, and is no part of the agent: the file is looked at.
"""

import asyncio
from pathlib import Path

import structlog

from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import LinesReported
from appliance_agent.system.lines.cards import CardsChanged
from appliance_agent.system.lines.set_up import LinesSetUp

log = structlog.get_logger()

LOOK_S = 2.0
"""One stat; what is new of lines is acted on by Asterisk within seconds anyway."""


class LineReports:
    name = "line reports"

    def __init__(self, report: Path, set_up: LinesSetUp, bus: Bus) -> None:
        self._report, self._set_up, self._bus = report, set_up, bus

    async def run(self) -> None:
        with self._bus.subscribe(CardsChanged, limit=100) as news:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._look_on(), name="line reports look")
                await self._note_gone()
                async for _ in news:
                    await self._note_gone()

    async def _note_gone(self) -> None:
        try:
            await self._set_up.note_gone()
        except Fault as fault:
            log.warning("the report of the lines may be old", reason=fault.message)

    async def _look_on(self) -> None:
        before = await asyncio.to_thread(self._stamp)
        while True:
            await asyncio.sleep(LOOK_S)  # a period: nothing on the bus tells what another process wrote
            now = await asyncio.to_thread(self._stamp)
            if now != before:
                self._bus.publish(LinesReported())
            before = now

    def _stamp(self) -> tuple[int, int]:
        """Blocking. Each report is a file of its own; two can be of the same tick of the file system's clock."""
        try:
            found = self._report.stat()
        except OSError:
            return (0, 0)
        return found.st_ino, found.st_mtime_ns
