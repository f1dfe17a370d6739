"""Has a port for a test without ever taking it out of Asterisk's hands, and gives it back whatever happens."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import structlog

from appliance_agent.asterisk.line_calls import CallEnds, LineCalls
from appliance_agent.asterisk.models import ChannelChanged
from appliance_agent.kernel.bus import Bus, Subscription
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import AsteriskDown
from appliance_agent.system.lines import console
from appliance_agent.system.lines.blocks import Place
from appliance_agent.system.lines.channels import Channels
from appliance_agent.system.linetests.kinds import Taking

log = structlog.get_logger()

SPARE_S = 20.0
"""Longer than the test: then Asterisk ends the test's call by itself."""
SETTLE_S = 3.0
"""An FXO line is called answered as soon as it is dialled: then the exchange still works."""
EVENTS = 20_000

Command = Callable[[str], Awaitable[str]]


class Ports:
    """`command` None: behind simulated cards there is no Asterisk that could use them. `blocked`: what people took out
    of service, by line."""

    def __init__(
        self, *, bus: Bus, channels: Channels, calls: LineCalls, command: Command | None,
        blocked: Callable[[], Mapping[str, frozenset[int]]],
    ) -> None:  # fmt: skip
        self._bus, self._channels, self._calls = bus, channels, calls
        self._command, self._blocked = command, blocked

    @contextlib.asynccontextmanager
    async def taken(self, place: Place, how: Taking, id_: str, number: str, seconds: float) -> AsyncIterator[CallEnds]:
        """Within, the port is the test's until `over`: then somebody else has it, and nothing is to be sent. Raises
        Fault when it is in a call."""
        if self._command is None:
            yield CallEnds()
            return
        match how:
            case Taking.CALL:
                await self._free(place)
                settle_s = SETTLE_S if number and place.wanted.signalling == "fxo" else 0.0
                async with self._calls.call(place.channel, number, id_, seconds + settle_s + SPARE_S) as ends:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(settle_s):
                            await ends.over.wait()
                    yield ends
            case Taking.DO_NOT_DISTURB:
                async with self._undisturbed(place) as ends:
                    yield ends
            case Taking.NOTHING:
                await self._free(place)
                yield CallEnds()

    async def give_back(self, places: list[Place]) -> None:
        """After an agent that was killed in a test. Again does no harm. Raises Fault when Asterisk is away."""
        if self._command is None:
            return
        if count := await self._calls.hang_up():
            log.warning("calls of a killed agent's line test ended", count=count)
        for place in places:
            await self._disturb(place)

    @contextlib.asynccontextmanager
    async def _undisturbed(self, place: Place) -> AsyncIterator[CallEnds]:
        """First nobody rings it any more, then it is looked at: who came before is seen, who comes after is told."""
        assert self._command is not None
        ends = CallEnds()
        with self._bus.subscribe(ChannelChanged, AsteriskDown, limit=EVENTS) as events:
            try:
                await self._command(console.block(place.wanted, place.channel, place.timeslot))
                await self._free(place)
                watching = asyncio.create_task(_watch(events, place.channel, ends), name="port of a line test")
                try:
                    yield ends
                finally:
                    watching.cancel()
            finally:
                with contextlib.suppress(Fault):  # Asterisk is away, and forgets it
                    await self._disturb(place)

    async def _disturb(self, place: Place) -> None:
        assert self._command is not None
        if place.wanted.signalling == "fxs" and place.timeslot not in self._blocked().get(place.line.name, ()):
            await self._command(console.unblock(place.wanted, place.channel, place.timeslot))

    async def _free(self, place: Place) -> None:
        channel = (await self._channels.read()).get(place.channel)
        who = f"{place.line.name}, timeslot {place.timeslot}" if place.line.channels > 1 else place.line.name
        if channel is None:
            raise Fault(
                FaultKind.CONFLICT, "lines.not_served", f"{who}: Asterisk does not have it now",
                hint="Look whether the line is in service.",
            )  # fmt: skip
        if channel.uniqueid:
            raise Fault(
                FaultKind.CONFLICT, "lines.in_call", f"{who} is in a call",
                hint="Wait until the call has ended, or end it.",
            )  # fmt: skip


async def _watch(events: Subscription, channel: int, ends: CallEnds) -> None:
    async for event in events:
        match event:
            case ChannelChanged(changed) if changed.name.startswith(f"DAHDI/{channel}-"):
                ends.end("the set was lifted: the port belongs to its call")
            case AsteriskDown():
                ends.end("Asterisk stopped")
