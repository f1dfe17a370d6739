"""Which DAHDI channel is in a call: asked of Asterisk when a channel of its came, changed or went, and now and then."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from appliance_agent.asterisk.dahdi import DahdiChannel
from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import ChannelChanged, ChannelGone
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import AsteriskDown, AsteriskUp, VersionApplied

TECHNOLOGY = "DAHDI"
GATHER_S = 0.2
"""A call has many events; one question answers them all."""
LOOK_ANYWAY_S = 10.0
NONE: Mapping[int, DahdiChannel] = MappingProxyType({})


class Channels:
    name = "line channels"

    def __init__(self, link: Link, bus: Bus) -> None:
        self._link, self._bus = link, bus
        self.now: Mapping[int, DahdiChannel] = NONE
        """DAHDI's number → channel, of those that Asterisk serves; empty while it is away or has no lines."""

    async def run(self) -> None:
        heard = (ChannelChanged, ChannelGone, AsteriskUp, AsteriskDown, VersionApplied)
        with self._bus.subscribe(*heard, limit=20_000) as events:
            asked = asyncio.Event()
            asked.set()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._look(asked), name="line channels look")
                async for event in events:
                    if _concerns_lines(event):
                        asked.set()

    async def _look(self, asked: asyncio.Event) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_ANYWAY_S):
                    await asked.wait()
            except TimeoutError:
                pass
            asked.clear()
            await self.read()
            await asyncio.sleep(GATHER_S)

    async def read(self) -> Mapping[int, DahdiChannel]:
        """Asks Asterisk now."""
        self.now = await self._read()
        return self.now

    async def _read(self) -> Mapping[int, DahdiChannel]:
        if self._link.up is None:
            return NONE
        try:
            rows = await self._link.ami.list_action("DAHDIShowChannels")
        except Fault:  # chan_dahdi is not loaded: the box has no lines; or Asterisk goes away, which is told elsewhere
            return NONE
        found = map(DahdiChannel.from_ami, (row for row in rows if row.event == "DAHDIShowChannels"))
        return {channel.number: channel for channel in found if channel.number > 0}


def _concerns_lines(event: Any) -> bool:
    match event:
        case ChannelChanged(channel) | ChannelGone(channel):
            return channel.technology == TECHNOLOGY
    return True
