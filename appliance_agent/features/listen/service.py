"""Who listens to what: opens, follows the call, says why it is over, writes down who did it and for how long."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import structlog

from appliance_agent.asterisk.models import ChannelGone
from appliance_agent.asterisk.taps import Side, Taps
from appliance_agent.calls.live_model import Leg
from appliance_agent.calls.live_service import LiveCalls
from appliance_agent.features.listen import model
from appliance_agent.features.listen.frames import Frames
from appliance_agent.features.listen.sound import Ear, ears, tick
from appliance_agent.http.route import Identity
from appliance_agent.kernel.bus import Bus, Gap, Subscription
from appliance_agent.kernel.clock import Clock, rfc3339
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import AsteriskDown, AsteriskUp, LiveChanged, SessionEnded

log = structlog.get_logger()

SETTLE_S = 1.0
"""Between ARI's word that a tap is over and AMI's that its channel is."""
FOLLOW_S = 60.0
"""A call that is being handed on is waited for so long: the next phone rings."""
EVENTS = 20_000


class Audit(Protocol):
    """See AuditTrail."""

    async def __call__(self, who: Identity, action: str, detail: Mapping[str, object]) -> None: ...


class Heard:
    """One listening, as the page's connection sees it."""

    def __init__(self, who: Identity, call_id: str) -> None:
        self.who, self.call_id = who, call_id
        self.frames = Frames()
        self.over = asyncio.Event()
        self.why: Fault | None = None
        """None: the page itself has stopped."""

    def end(self, why: Fault) -> None:
        self.why = self.why or why
        self.over.set()


class Listening:
    name = "listening"

    def __init__(self, *, taps: Taps, live: LiveCalls, bus: Bus, clock: Clock, audit: Audit) -> None:
        self._taps, self._live, self._bus, self._clock, self._audit = taps, live, bus, clock, audit
        self._open: set[Heard] = set()

    async def run(self) -> None:
        with self._bus.subscribe(AsteriskUp, AsteriskDown, SessionEnded, limit=EVENTS) as events:
            try:
                async for event in events:
                    await self._take(event)
            finally:
                self._end(model.stopping())

    async def _take(self, event: object) -> None:
        match event:
            case AsteriskDown():
                self._end(model.asterisk_away())
            case SessionEnded(session_id=session_id):
                self._end(model.session_ended(), session_id)
            case Gap():
                self._end(model.lost())  # a session's end may have been among what we missed
            case AsteriskUp():
                try:
                    await self._taps.sweep()
                except Fault as fault:
                    log.warning("taps left open stay until Asterisk answers", reason=fault.message)

    def _end(self, why: Fault, session_id: str | None = None) -> None:
        for heard in self._open:
            if session_id is None or heard.who.session_id == session_id:
                heard.end(why)

    @contextlib.asynccontextmanager
    async def open(self, who: Identity, call_id: str) -> AsyncIterator[Heard]:
        """Sound comes while inside, until `over`. Raises Fault: no such call, nobody has answered, too many listen."""
        if call_id not in self._live.state.calls:
            raise model.no_call(call_id)
        leg = model.leg_to_hear(self._live.state.calls[call_id])
        if leg is None:
            raise model.nobody_yet(call_id)
        if len(self._open) >= model.MOST:
            raise model.full()
        heard = Heard(who, call_id)
        self._open.add(heard)
        try:
            async with self._written_down(heard), ears() as made:
                following = asyncio.create_task(self._follow(heard, leg, made), name="listening follows")
                clock = asyncio.create_task(tick(made, heard.frames.offer), name="listening clock")
                try:
                    yield heard
                finally:
                    for task in (clock, following):
                        task.cancel()
                    await asyncio.gather(clock, following, return_exceptions=True)
        finally:
            self._open.discard(heard)

    @contextlib.asynccontextmanager
    async def _written_down(self, heard: Heard) -> AsyncIterator[None]:
        """Before anything is heard that somebody begins; afterwards from when to when."""
        began_us = self._clock.now_us()
        await self._audit(heard.who, "listen.begin", {"call": heard.call_id})
        try:
            yield
        finally:
            ended_us = self._clock.now_us()
            told = {
                "call": heard.call_id, "from": rfc3339(began_us), "to": rfc3339(ended_us),
                "seconds": round((ended_us - began_us) / 1e6), "end": heard.why.key if heard.why else "stopped",
            }  # fmt: skip
            await self._audit(heard.who, "listen.end", told)

    async def _follow(self, heard: Heard, leg: Leg, made: Mapping[Side, Ear]) -> None:
        """From leg to leg, while the call goes on."""
        ports = {side: ear.port for side, ear in made.items()}
        try:
            while True:
                call_id = await self._hear(leg, ports)
                leg = await self._next(call_id, leg)
        except Fault as fault:
            # Its leg ended while it was being tapped.
            heard.end(model.call_ended() if fault.kind is FaultKind.NOT_FOUND else fault)
        except Exception:
            log.exception("listening failed", call=heard.call_id)
            heard.end(model.lost())

    async def _hear(self, leg: Leg, ports: Mapping[Side, int]) -> str:
        """Until the leg is gone; the id of the call that it was in, which may be another one than it began in."""
        with self._bus.subscribe(ChannelGone, limit=EVENTS) as events:
            gone = asyncio.create_task(_gone(events, leg.channel.uniqueid), name="listening leg")
            try:
                async with self._taps.open(leg.channel.uniqueid, ports) as lost:
                    losing = asyncio.create_task(lost.wait(), name="listening tap")
                    await asyncio.wait({gone, losing}, return_when=asyncio.FIRST_COMPLETED)
                    losing.cancel()
                async with asyncio.timeout(SETTLE_S):
                    return await gone
            except TimeoutError:
                raise model.lost() from None
            finally:
                gone.cancel()

    async def _next(self, call_id: str, gone: Leg) -> Leg:
        """The leg to hear when the one before is gone: the call was handed on, or ends."""
        with self._bus.subscribe(LiveChanged, limit=EVENTS) as events:
            try:
                async with asyncio.timeout(FOLLOW_S):
                    while (call := self._live.state.calls.get(call_id)) is not None:
                        call = model.without(call, gone)
                        leg = model.leg_to_hear(call)
                        if leg is not None and model.talks(call):
                            return leg
                        await events.get()
            except TimeoutError:
                raise model.lost() from None
        raise model.call_ended()


async def _gone(events: Subscription, uniqueid: str) -> str:
    while True:
        event = await events.get()
        if isinstance(event, Gap):
            raise model.lost()  # its end may have been among what we missed
        if isinstance(event, ChannelGone) and event.channel.uniqueid == uniqueid:
            return event.channel.linkedid
