"""Listens to the ports of the rendered file, and has Asterisk hang up those on which a busy tone sounds.

It keeps nothing: a port's channels in Asterisk are named after its DAHDI number, and a call that is not there is not an
error. Asterisk away: asked again while the tone goes on. A file that changed: the new ports are listened to.
"""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import structlog

from appliance_agent.asterisk.ami import Ami
from appliance_agent.hangup.ear import Cause, Ears
from appliance_agent.hangup.watched import Watched, from_json
from appliance_agent.kernel.errors import Fault
from hal.errors import HalError
from hal.linux.listen import Place, Take, listening

log = structlog.get_logger()

Listen = Callable[[int, Take], AbstractContextManager[Callable[[], bool]]]
"""hal.linux.listen.listening"""
AGAIN_S = 1.0
"""Between two requests for one port, and between two looks at the file."""


class Supervisor:
    def __init__(self, ami: Ami, file: Path, listen: Listen = listening, again_s: float = AGAIN_S) -> None:
        self._ami, self._file, self._listen, self._again_s = ami, file, listen, again_s

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            text = await asyncio.to_thread(self._read)
            try:
                ports = from_json(text, str(self._file))
            except Fault as fault:
                log.error("no port is listened to", reason=fault.message, hint=fault.hint)
                ports = ()
            async with asyncio.TaskGroup() as tasks:
                watching = [tasks.create_task(self._watch(port), name=port.line) for port in ports]
                await self._changed(text)
                for task in watching:
                    task.cancel()

    async def _changed(self, text: str) -> None:
        """Until the file holds something else."""
        while await asyncio.to_thread(self._read) == text:  # noqa: ASYNC110 - a file has no event of ours
            await asyncio.sleep(self._again_s)

    def _read(self) -> str:
        """What the file holds; without one there are no such ports."""
        try:
            return self._file.read_text("utf-8")
        except FileNotFoundError:
            return "[]"

    async def _watch(self, port: Watched) -> None:
        """One port. A card that is away is looked for again."""
        missed = False
        while True:
            ears, heard = Ears(port.learned), asyncio.Event()

            def take(place: Place, samples: bytes, ears: Ears = ears, heard: asyncio.Event = heard) -> None:
                ears.feed(place, samples)
                if ears.sounding is not None:
                    heard.set()

            try:
                with self._listen(port.channel, take) as there:
                    log.info("listening", line=port.line, channel=port.channel)
                    missed = False
                    while there():
                        await self._serve(port, ears, heard)
            except HalError as error:
                if not missed:
                    log.warning("cannot listen", line=port.line, reason=str(error))
                missed = True
            await asyncio.sleep(self._again_s)

    async def _serve(self, port: Watched, ears: Ears, heard: asyncio.Event) -> None:
        """One round: a tone that is heard ends the port's calls; without one it is soon over."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(heard.wait(), self._again_s)
        heard.clear()
        if ears.sounding is not None:
            await self._hang_up(port, ears.sounding)
            await asyncio.sleep(self._again_s)

    async def _hang_up(self, port: Watched, cause: Cause) -> None:
        fields = [("Channel", f"/^DAHDI/{port.channel}-[0-9]+$/"), ("Cause", str(int(cause)))]
        try:
            await self._ami.action("Hangup", fields)
            log.info("hung up", line=port.line, cause=int(cause))
        except Fault as fault:
            if fault.key != "asterisk.refused":  # refused: there is no call on the port
                log.warning("not hung up yet", line=port.line, reason=fault.message)
