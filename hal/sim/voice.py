"""Spans and ports of the simulated box: they do all that the protocol knows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence, Set
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from hal.capabilities import Capability, require
from hal.errors import NotThere, Refused, TimedOut
from hal.model.inventory import Card, Port, PortKind, Span
from hal.protocols.voice import (
    SIGNALLINGS,
    Alarm,
    ChannelConfig,
    ChannelState,
    Hook,
    Law,
    LineConfig,
    Look,
    Loop,
    PortEvent,
    PortState,
    Signalling,
    SpanCounters,
    SpanState,
    check_timeslot,
)
from hal.sim.line import SimLine, SimTap
from hal.sim.slots import Slots

T = TypeVar("T")

SPAN_CAN = frozenset(
    {Capability.SPAN_STATE, Capability.SPAN_CONFIGURE, Capability.SPAN_COUNTERS, Capability.SPAN_LOOPBACK}
)
PORT_CAN = frozenset(
    {
        Capability.PORT_STATE,
        Capability.PORT_CONFIGURE,
        Capability.PORT_HOOK,
        Capability.PORT_EVENTS,
        Capability.PORT_TAP,
    }
)
MODULE_CAN = SPAN_CAN | PORT_CAN | {Capability.SPAN_ASSIGN}
MOST_EVENTS = 64
"""Waiting at one channel, as many as DAHDI keeps."""
ECHO_CANCELLERS = frozenset({"mg2", "hwec"})
"""That the simulated kernel has."""
_WORDS = {
    Signalling.NONE: None,
    Signalling.FXS_KEWL: "FXSKS",
    Signalling.FXO_KEWL: "FXOKS",
    Signalling.FXS_LOOP: "FXSLS",
    Signalling.FXO_LOOP: "FXOLS",
    Signalling.BEARER: "Clear",
    Signalling.DATA_LINK: "HDLCFCS",
    Signalling.HARD_DATA_LINK: "Hardware-assisted HDLC",
    Signalling.MTP2: "MTP2",
    Signalling.CAS: "CAS",
}
"""As DAHDI shows them."""


@dataclass
class SpanWorld:
    """What the simulated box knows of one span."""

    state: SpanState = field(default_factory=lambda: SpanState(frozenset(), None, clock_master=False))
    counters: SpanCounters = field(default_factory=SpanCounters)
    loop: Loop | None = None
    clock_order: int = 0
    running: bool = False


@dataclass
class PortWorld:
    """One channel."""

    config: ChannelConfig = field(default_factory=lambda: ChannelConfig(Signalling.NONE))
    open: bool = False
    tapped: bool = False
    line: SimLine = field(default_factory=SimLine)
    """What a test finds."""
    alarms: frozenset[Alarm] = frozenset()
    configured: int = 0
    """How often it was configured: what was left alone is told by that."""
    hooks: list[Hook] = field(default_factory=list)
    """What was asked of it, in its order."""
    events: asyncio.Queue[PortEvent] = field(default_factory=lambda: asyncio.Queue(MOST_EVENTS))

    def happens(self, event: PortEvent) -> None:
        """Told to whoever holds the channel; nobody holds it, or there is no room: lost, as with DAHDI."""
        if self.open and not self.events.full():
            self.events.put_nowait(event)


@dataclass
class VoiceWorld:
    """By DAHDI's numbers; a new span begins with a new world."""

    slots: Slots = field(default_factory=Slots)
    on_change: Callable[[], None] = lambda: None
    """Called when cards or spans came or went."""
    spans: dict[int, SpanWorld] = field(default_factory=dict)
    ports: dict[int, PortWorld] = field(default_factory=dict)

    def span(self, number: int) -> SpanWorld:
        return self.spans.setdefault(number, SpanWorld())

    def port(self, channel: int) -> PortWorld:
        return self.ports.setdefault(channel, PortWorld())

    def forget(self, card: Card) -> None:
        for span in card.spans:
            self.spans.pop(span.number or 0, None)
            for port in span.ports:
                for channel in _channels(port):
                    self.ports.pop(channel, None)


class SimSpan:
    def __init__(self, world: VoiceWorld, card: Card, span: Span, lacks: Set[Capability]) -> None:
        self._world, self._card, self._span = world, card, span
        self._who = f"span {span.local} of {card.id}"
        self.capabilities: Set[Capability] = SPAN_CAN - lacks

    async def state(self) -> SpanState:
        return self._here(Capability.SPAN_STATE).state

    async def configure(self, line: LineConfig, clock_order: int = 0) -> None:
        here = self._here(Capability.SPAN_CONFIGURE)
        if not any(port.kind is PortKind.E1 for port in self._span.ports):
            raise Refused(f"{self._who} is analog: it has no framing")
        here.state = replace(here.state, line=line)
        here.clock_order = clock_order

    async def start(self) -> None:
        self._here(Capability.SPAN_CONFIGURE).running = True

    async def counters(self) -> SpanCounters:
        return self._here(Capability.SPAN_COUNTERS).counters

    async def loop(self, where: Loop | None) -> None:
        self._here(Capability.SPAN_LOOPBACK).loop = where

    def _here(self, wanted: Capability) -> SpanWorld:
        require(wanted, self.capabilities, self._who)
        number = self._world.slots.now(self._card, self._span.local, self._span.number).number
        assert number
        return self._world.span(number)


class SimHeldPort:
    def __init__(self, world: PortWorld, port: Port, who: str, can: Set[Capability]) -> None:
        self._world, self._port, self._who, self._can = world, port, who, can

    async def hook(self, position: Hook) -> None:
        require(Capability.PORT_HOOK, self._can, self._who)
        if self._port.kind is PortKind.E1 or (position is Hook.RING and self._port.kind is PortKind.FXO):
            raise Refused(f"{self._who} is {self._port.kind}: there is no {position} on it")
        self._world.hooks.append(position)

    async def next_event(self, within_s: float) -> PortEvent:
        try:
            async with asyncio.timeout(within_s):
                return await self._world.events.get()
        except TimeoutError:
            raise TimedOut(f"{self._who}: no event within {within_s} s") from None


class SimPort:
    def __init__(self, world: VoiceWorld, card: Card, port: Port, lacks: Set[Capability]) -> None:
        self._world, self._card, self._port = world, card, port
        self._who = f"port {port.position} of span {port.span} of {card.id}"
        self.capabilities: Set[Capability] = PORT_CAN - lacks

    async def state(self) -> PortState:
        worlds = [self._here(Capability.PORT_STATE, timeslot) for timeslot in range(1, self._port.channels + 1)]
        return PortState(
            signalling=_WORDS[worlds[0].config.signalling],
            open=any(world.open for world in worlds),
            alarms=worlds[0].alarms,
        )

    async def channel(self, timeslot: int = 1) -> ChannelState:
        here = self._here(Capability.PORT_STATE, timeslot)
        config = here.config
        return ChannelState(
            signalling=config.signalling,
            open=here.open,
            alarms=here.alarms,
            echo_canceller=config.echo_canceller,
            law=None if config.law is Law.DEFAULT else config.law,
            idle_bits=config.idle_bits if config.signalling is Signalling.CAS else None,
        )

    async def configure(self, config: ChannelConfig, timeslot: int = 1) -> None:
        here = self._here(Capability.PORT_CONFIGURE, timeslot)
        if here.open:
            raise Refused(f"channel {timeslot} of {self._who} is in use", hint="take it out of service first")
        if config.signalling not in SIGNALLINGS.get(self._port.kind, frozenset()):
            raise Refused(f"{self._who} is {self._port.kind}: it cannot do {config.signalling}")
        if config.echo_canceller is not None and config.echo_canceller not in ECHO_CANCELLERS:
            raise Refused(f"{self._who} has no echo canceller {config.echo_canceller!r}")
        here.config = config
        here.configured += 1

    def hold(self, timeslot: int = 1) -> AbstractAsyncContextManager[SimHeldPort]:
        return self._hold(self._here(Capability.PORT_EVENTS, timeslot))

    @contextlib.asynccontextmanager
    async def _hold(self, here: PortWorld) -> AsyncIterator[SimHeldPort]:
        if here.open:
            raise Refused(f"{self._who} is in use", hint="take it out of service first")
        if here.config.signalling is Signalling.NONE:
            raise Refused(f"{self._who} is not configured", hint="configure it first")
        here.open, here.events = True, asyncio.Queue(MOST_EVENTS)
        try:
            yield SimHeldPort(here, self._port, self._who, self.capabilities)
        finally:
            here.hooks.append(Hook.ON)
            here.open = False

    def tap(self, timeslot: int = 1, *, speak: bool = True) -> AbstractAsyncContextManager[SimTap]:
        return self._tap(self._here(Capability.PORT_TAP, timeslot), speak)

    @contextlib.asynccontextmanager
    async def _tap(self, here: PortWorld, speak: bool) -> AsyncIterator[SimTap]:
        """A configured channel is held by the Asterisk that is not there."""
        if here.config.signalling is Signalling.NONE:
            raise Refused(f"{self._who}: no program holds the channel as sound", hint="set the line up")
        if speak and here.tapped:
            raise Refused(f"{self._who} is tapped already", hint="wait until the other test has ended")
        here.tapped = here.tapped or speak
        try:
            yield SimTap(lambda: here.line, speak=speak)
        finally:
            here.tapped = here.tapped and not speak

    def _here(self, wanted: Capability, timeslot: int = 1) -> PortWorld:
        require(wanted, self.capabilities, self._who)
        check_timeslot(self._port, timeslot, self._who)
        number = next(span.number for span in self._card.spans if span.local == self._port.span)
        self._world.slots.now(self._card, self._port.span, number)
        return self._world.port(_channels(self._port)[timeslot - 1])


def _channels(port: Port) -> range:
    """DAHDI's numbers; none as long as the span has no number."""
    return range(port.channel, port.channel + port.channels) if port.channel else range(0)


class SimModule:
    def __init__(self, world: VoiceWorld, card: Card, lacks: Set[Capability]) -> None:
        self.card = card
        self._world, self._lacks = world, lacks
        self.capabilities: Set[Capability] = MODULE_CAN - lacks

    def span(self, span: Span) -> SimSpan:
        return SimSpan(self._world, self.card, span, self._lacks)

    def port(self, port: Port) -> SimPort:
        return SimPort(self._world, self.card, port, self._lacks)

    async def look(self, spans: Sequence[Span], ports: Sequence[Port]) -> Look:
        return Look(
            tuple([await _if_there(self.span(span).state()) for span in spans]),
            tuple([await _if_there(self.port(port).state()) for port in ports]),
        )

    async def assign(self, span: Span, number: int, first_channel: int) -> None:
        require(Capability.SPAN_ASSIGN, self.capabilities, str(self.card.id))
        self._world.slots.assign(self.card, span.local, number, first_channel)
        self._world.on_change()


async def _if_there(state: Awaitable[T]) -> T | None:
    try:
        return await state
    except NotThere:
        return None
