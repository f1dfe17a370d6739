"""What apply asks of Asterisk, by AMI. Satisfies `render.control.AsteriskControl` by its shape."""

import asyncio
import contextlib
import re
from collections.abc import Mapping

from appliance_agent.asterisk.ami import Ami
from appliance_agent.asterisk.ami_wire import Message
from appliance_agent.asterisk.faults import unavailable
from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import listens
from appliance_agent.kernel.bus import Bus, Gap
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import AsteriskUp

_CONTEXT = re.compile(r"^\[ Context '([^']+)'", re.MULTILINE)
_NONE_FOUND = "No endpoints found"


class Control:
    def __init__(self, link: Link, bus: Bus) -> None:
        self._link, self._bus = link, bus

    @property
    def _ami(self) -> Ami:
        """AMI already answers while Asterisk still loads its modules: what it says then is not the truth."""
        if self._link.up is None:
            raise unavailable(f"Asterisk is not up: {self._link.reason}")
        return self._link.ami

    async def command(self, cli: str) -> str:
        return await self._ami.command(cli)

    async def unload(self, module: str) -> None:
        """AMI refuses `module unload` as a command ("Command blacklisted"); there is an action for it."""
        if "\n0 modules loaded" not in await self._ami.command(f"module show like {module}"):
            await self._ami.action("ModuleLoad", [("Module", module), ("LoadType", "unload")])

    async def active_calls(self) -> int:
        return len({row.get("Linkedid") for row in await self._channels()})

    async def channel_ids(self) -> frozenset[str]:
        """Unique ids of all channels of calls that Asterisk has now."""
        return frozenset(row.get("Uniqueid") for row in await self._channels())

    async def _channels(self) -> list[Message]:
        """Of calls: who listens to one is in none."""
        return [row for row in await self._ami.list_action("CoreShowChannels") if not listens(row)]

    async def endpoints(self) -> set[str]:
        try:
            rows = await self._ami.list_action("PJSIPShowEndpoints")
        except Fault as fault:
            if _NONE_FOUND in fault.message:
                return set()
            raise
        return {row.get("ObjectName") for row in rows if row.event == "EndpointList"}

    async def queues(self) -> set[str]:
        return {row.get("Queue") for row in await self._ami.list_action("QueueSummary")}

    async def contexts(self) -> set[str]:
        return set(_CONTEXT.findall(await self._ami.command("dialplan show")))

    async def line_channels(self) -> Mapping[int, str]:
        rows = await self._ami.list_action("DAHDIShowChannels")
        return {
            int(row.get("DAHDIChannel")): row.get("Channel")
            for row in rows
            if row.event == "DAHDIShowChannels" and row.get("DAHDIChannel").isdecimal()  # "pseudo" is none
        }

    async def hang_up(self, channel: str) -> None:
        try:
            await self._ami.action("Hangup", [("Channel", channel)])
        except Fault as fault:
            if fault.kind is FaultKind.UNAVAILABLE:
                raise

    async def restart(self, *, limit_s: float) -> None:
        before = self._link.up
        if before is None:
            raise unavailable(f"Asterisk is not there to be restarted: {self._link.reason}")
        with self._bus.subscribe(AsteriskUp) as ups:
            with contextlib.suppress(Fault):  # it may be gone before it answers
                await self._ami.command("core restart now")
            try:
                async with asyncio.timeout(limit_s):
                    async for up in ups:
                        if not isinstance(up, Gap) and up.startup_time != before.startup_time:
                            return
            except TimeoutError:
                raise unavailable(f"Asterisk did not come back within {limit_s:g} s") from None
