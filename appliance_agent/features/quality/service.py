"""Listens to RTCP reports, keeps the windows of each leg, and raises an alarm where a trunk sounds poor for minutes."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import structlog

from appliance_agent.asterisk.jitter import all_stats, has_buffer
from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import ChannelChanged, ChannelGone, ChannelState
from appliance_agent.asterisk.rtcp import RtcpReport
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.features.quality.fold import Legs, Taken
from appliance_agent.features.quality.judge import TrunkJudge
from appliance_agent.features.quality.store import QualityStore, peer_of
from appliance_agent.kernel.bus import Bus, Gap
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import AsteriskUp
from ledger.quality import POOR_R, WINDOW_S

log = structlog.get_logger()

EVENT_LIMIT = 20_000
"""Events that may wait for us; beyond, reports are lost and their windows with them."""
TICK_S = 1.0
"""So soon after its end a leg's windows are stored."""
STORE_S = 30
"""So often are those of legs that go on: a killed agent loses no more."""
LOOK_S = WINDOW_S // 2
"""From here on in each window the jitter buffers are looked at once."""
ALARM = "trunk.poor"


class Alarms(Protocol):
    """`system.alarms` fulfils it."""

    async def raise_(self, key: str, level: str, subject: str, detail: dict[str, Any]) -> None: ...

    async def clear(self, key: str, subject: str) -> None: ...

    async def open(self) -> list[dict[str, Any]]: ...


class Quality:
    """Beside the calls: nothing waits for it, and what it does not hear is missing in a chart."""

    name = "quality"

    def __init__(
        self, *, link: Link, bus: Bus, clock: Clock, store: QualityStore, alarms: Alarms, config: ConfigHolder
    ) -> None:
        self._link, self._bus, self._clock, self._store = link, bus, clock, store
        self._alarms, self._config = alarms, config
        self._legs, self._judge = Legs(), TrunkJudge()
        self._ended = False
        self._buffers = False
        """This Asterisk has our jitter buffer."""

    async def run(self) -> None:
        heard = (RtcpReport, ChannelChanged, ChannelGone, AsteriskUp)
        with self._bus.subscribe(*heard, limit=EVENT_LIMIT) as events:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._each_second(), name="quality windows")
                await self._ask_for_buffer()
                async for event in events:
                    await self._hear(event)

    async def _hear(self, event: RtcpReport | ChannelChanged | ChannelGone | AsteriskUp | Gap) -> None:
        match event:
            case RtcpReport(channel=channel) if channel.startswith("PJSIP/"):  # a tap's RTP goes to ourselves
                self._legs.report(event, self._clock.now_us())
            case ChannelChanged(channel):
                if channel.state is ChannelState.UP and channel.technology == "PJSIP":
                    self._legs.up(channel.uniqueid, self._clock.now_us())
            case ChannelGone(channel):
                self._ended |= self._legs.gone(channel.uniqueid)
            case AsteriskUp() | Gap():
                self._legs.missed()
                await self._ask_for_buffer()

    async def _ask_for_buffer(self) -> None:
        """A module is loaded when Asterisk starts, so it is enough to ask then."""
        try:
            self._buffers = self._link.up is not None and await has_buffer(self._link.ami)
        except Fault:
            self._buffers = False  # Asterisk went away again; AsteriskUp will tell

    async def _each_second(self) -> None:
        seconds, looked_slot = 0, 0
        while True:
            await asyncio.sleep(TICK_S)
            seconds += 1
            now_s = self._clock.now_us() // 1_000_000
            if self._buffers and now_s % WINDOW_S >= LOOK_S and now_s // WINDOW_S != looked_slot:
                looked_slot = now_s // WINDOW_S
                await self._look_at_buffers()
            if self._ended or seconds % STORE_S == 0:
                await self._keep(ended_only=seconds % STORE_S != 0)

    async def _look_at_buffers(self) -> None:
        try:
            found = await all_stats(self._link.ami)
        except Fault as fault:
            log.warning("jitter buffers not looked at", reason=fault.message)
            return
        for uniqueid, stats in found.items():
            self._legs.buffered(uniqueid, stats, self._clock.now_us())

    async def _keep(self, *, ended_only: bool) -> None:
        self._ended = False
        taken = self._legs.take(self._clock.now_us(), ended_only=ended_only)
        if taken:
            await self._store.add(taken)
            await self._tell(taken)
        if not ended_only:
            await self._forget_trunks()

    async def _tell(self, taken: Sequence[Taken]) -> None:
        trunks = {trunk.id for trunk in self._config.desired.trunks}
        for leg in taken:
            trunk = peer_of(leg.channel)
            for window in leg.windows if trunk in trunks else ():
                # Not by `went`: gaps of other legs are in it, so a phone's bad network would raise a trunk's alarm.
                if window.r_came is not None:
                    self._judge.see(trunk, window.slot, window.r_came < POOR_R)
        for verdict in self._judge.verdicts(self._clock.now_us()):
            if verdict.poor:
                await self._alarms.raise_(ALARM, "warning", verdict.trunk, {"poor_share": f"{verdict.share:.0%}"})
            else:
                await self._alarms.clear(ALARM, verdict.trunk)

    async def _forget_trunks(self) -> None:
        """Those that are none any more, also alarms that an agent before us has raised."""
        trunks = {trunk.id for trunk in self._config.desired.trunks}
        for gone in self._judge.trunks() - trunks:
            self._judge.forget(gone)
        for alarm in await self._alarms.open():
            if alarm["key"] == ALARM and alarm["subject"] not in trunks:
                await self._alarms.clear(ALARM, alarm["subject"])
