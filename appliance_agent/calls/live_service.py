"""Keeps the live state: folds Asterisk's events, reads all anew after any gap, tells the bus what changed."""

from collections.abc import Awaitable, Callable
from typing import get_args

import structlog

from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import BridgeEntered, CallEvent, Channel, ChannelHeld, ChannelRow, listens
from appliance_agent.calls.live import fold
from appliance_agent.calls.live_model import BridgeJoined, Changes, LiveState, PhoneChanged, PhoneUse
from appliance_agent.calls.live_reread import VARIABLES, Waiting, rebuild
from appliance_agent.calls.pop import pop_body
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.kernel.bus import Bus, Gap
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import AsteriskUp, LiveChanged, Pop

log = structlog.get_logger()

EVENT_LIMIT = 20_000
"""Events that may wait for us: half a minute of 200 calls being set up and ended each second."""

HoldNote = Callable[[Channel, bool], Awaitable[None]]
"""Writes hold and unhold of a channel into the journal, which Asterisk itself does not."""


class LiveCalls:
    name = "live calls"

    def __init__(self, link: Link, bus: Bus, clock: Clock, config: ConfigHolder, hold_note: HoldNote) -> None:
        self._link, self._bus, self._clock, self._config = link, bus, clock, config
        self._hold_note = hold_note
        self.state = LiveState()

    def phone(self, extension: str) -> PhoneUse:
        return self.state.phones.get(extension, PhoneUse())

    async def run(self) -> None:
        with self._bus.subscribe(*get_args(CallEvent), AsteriskUp, limit=EVENT_LIMIT) as events:
            if self._link.up is not None:
                await self._reread()
            async for event in events:
                if isinstance(event, AsteriskUp | Gap):
                    await self._reread()
                else:
                    await self._take(event)

    async def _take(self, event: CallEvent) -> None:
        before = self.state
        self.state, changes = fold(before, event, self._clock.now_us())
        self._publish(changes)
        if isinstance(event, BridgeEntered):
            self._bus.publish(BridgeJoined(event.bridge))
        if isinstance(event, ChannelHeld):
            try:
                await self._hold_note(event.channel, event.on)
            except OSError as error:  # the journal's own health check raises the alarm
                log.error("hold not journalled", channel=event.channel.name, reason=str(error))

    async def _reread(self) -> None:
        """Events go on arriving in the subscription meanwhile and are folded afterwards: an old one does no harm."""
        ami = self._link.ami
        try:
            rows = await ami.list_action("Status", [("Variables", VARIABLES)])
            queues = await ami.list_action("QueueStatus")
        except Fault as fault:
            log.warning("live state not read; waiting for Asterisk", reason=fault.message)
            return
        before, now_us = self.state, self._clock.now_us()
        self.state = rebuild(
            [ChannelRow.from_ami(row) for row in rows if row.event == "Status" and not listens(row)],
            [Waiting.from_ami(row) for row in queues if row.event == "QueueEntry"],
            before, now_us,
        )  # fmt: skip
        log.info("live state read", calls=len(self.state.calls))
        known = before.phones.keys() | self.state.phones.keys()
        phones = frozenset(key for key in known if self.phone(key) != before.phones.get(key, PhoneUse()))
        self._publish(Changes(frozenset(before.calls.keys() | self.state.calls.keys()), phones))
        for bridge in sorted({leg.bridge for call in self.state.calls.values() for leg in call.legs if leg.bridge}):
            self._bus.publish(BridgeJoined(bridge))

    def _publish(self, changes: Changes) -> None:
        for call_id in changes.calls:
            call = self.state.calls.get(call_id)
            self._bus.publish(LiveChanged("calls", call_id, call.view() if call else None))
        for extension in sorted(changes.phones):
            self._bus.publish(PhoneChanged(extension, self.phone(extension)))
        if changes.rung is not None:
            call_id, extension = changes.rung
            body = pop_body(self.state.calls[call_id], extension, self._config.desired, self._clock.now_us())
            self._bus.publish(Pop(extension, body))
