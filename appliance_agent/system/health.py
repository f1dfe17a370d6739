"""Looks after the box: disk, memory, Asterisk, trunks. Raises and clears alarms."""

import asyncio
from pathlib import Path
from typing import Any

import psutil

from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import Endpoint, EndpointChanged
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.kernel.bus import Bus, Gap
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import AsteriskDown, AsteriskUp, VersionApplied
from appliance_agent.render.pjsip import trunk_endpoint
from appliance_agent.system.alarms import Alarms, Level
from appliance_agent.system.limits import Space, disk_level, memory_level

CHECK_S = 60.0
AWAY_S = 10.0
"""Asterisk is back in < 5 s after a crash; longer is an alarm."""
SETTLE_S = 5.0
"""A trunk that was just loaded has not answered its first OPTIONS yet."""


class Health:
    """Alarms: asterisk.away, disk.space, memory.low, trunk.unreachable (subject: the trunk's id)."""

    name = "health"

    def __init__(self, *, link: Link, alarms: Alarms, config: ConfigHolder, bus: Bus, data: Path) -> None:
        self._link, self._alarms, self._config, self._bus, self._data = link, alarms, config, bus, data
        self._away = asyncio.Event()
        self._loaded = asyncio.Event()
        """Trunks were loaded (anew)."""
        self._trunk_ids: set[str] = set()

    async def run(self) -> None:
        heard = (AsteriskUp, AsteriskDown, EndpointChanged, VersionApplied)
        with self._bus.subscribe(*heard, limit=1000) as events:
            if self._link.up is None:
                self._away.set()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._each_minute(), name="health check")
                tasks.create_task(self._watch_asterisk(), name="asterisk watch")
                tasks.create_task(self._watch_trunks(), name="trunk watch")
                async for event in events:
                    await self._hear(event)

    async def _hear(self, event: Any) -> None:
        match event:
            case AsteriskUp():
                self._away.clear()
                await self._alarms.clear("asterisk.away", "")
                self._loaded.set()
            case AsteriskDown():
                self._away.set()
            case EndpointChanged(endpoint, online):
                for trunk in self._config.desired.trunks:
                    if trunk_endpoint(trunk.id) == endpoint:
                        await self._trunk(trunk.id, online)
            case VersionApplied() | Gap():
                self._loaded.set()

    async def check(self) -> None:
        """Everything that is looked at each minute."""
        disk = await asyncio.to_thread(psutil.disk_usage, str(self._data))
        await self._space("disk.space", disk_level, Space(disk.free, disk.total))
        memory = await asyncio.to_thread(psutil.virtual_memory)
        await self._space("memory.low", memory_level, Space(memory.available, memory.total))

    async def _each_minute(self) -> None:
        while True:
            await self.check()
            await asyncio.sleep(CHECK_S)

    async def _watch_asterisk(self) -> None:
        while True:
            await self._away.wait()
            await asyncio.sleep(AWAY_S)
            if self._away.is_set() and self._link.up is None:
                await self._alarms.raise_("asterisk.away", Level.CRITICAL, "", {"reason": self._link.reason})

    async def _watch_trunks(self) -> None:
        while True:
            try:
                async with asyncio.timeout(CHECK_S):
                    await self._loaded.wait()
            except TimeoutError:
                pass
            else:
                self._loaded.clear()
                await asyncio.sleep(SETTLE_S)
            await self._trunks()

    async def _space(self, key: str, judge: Any, space: Space) -> None:
        level = judge(space)
        if level is None:
            await self._alarms.clear(key, "")
        else:
            detail = {"free_mib": space.free_bytes // 1024**2, "total_mib": space.total_bytes // 1024**2}
            await self._alarms.raise_(key, level, "", detail)

    async def _trunks(self) -> None:
        """All of them, by ARI; those that are configured no more have no alarm."""
        ids = {trunk.id for trunk in self._config.desired.trunks}
        for gone in self._trunk_ids - ids:
            await self._alarms.clear("trunk.unreachable", gone)
        self._trunk_ids = ids
        try:
            rows = await self._link.ari.request("GET", "/endpoints/PJSIP")
        except Fault:
            return  # Asterisk is away: that has an alarm of its own
        online = {endpoint.name: endpoint.online for endpoint in map(Endpoint.from_ari, rows)}
        for trunk in sorted(ids):
            if trunk_endpoint(trunk) in online:
                await self._trunk(trunk, online[trunk_endpoint(trunk)])

    async def _trunk(self, trunk: str, online: bool) -> None:
        if online:
            await self._alarms.clear("trunk.unreachable", trunk)
        else:
            await self._alarms.raise_("trunk.unreachable", Level.CRITICAL, trunk, {})
