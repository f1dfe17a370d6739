"""Spans and ports of the simulated box: they do all that the protocol knows."""

import asyncio
from collections.abc import Callable, Set
from dataclasses import dataclass, field, replace

from hal.capabilities import Capability, require
from hal.errors import Refused, TimedOut
from hal.model.inventory import Card, Port, PortKind, Span
from hal.protocols.voice import Hook, LineConfig, Loop, PortEvent, PortState, SpanCounters, SpanState
from hal.sim.slots import Slots

SPAN_CAN = frozenset(
    {Capability.SPAN_STATE, Capability.SPAN_CONFIGURE, Capability.SPAN_COUNTERS, Capability.SPAN_LOOPBACK}
)
PORT_CAN = frozenset({Capability.PORT_STATE, Capability.PORT_HOOK, Capability.PORT_EVENTS})
MODULE_CAN = SPAN_CAN | PORT_CAN | {Capability.SPAN_ASSIGN}
MOST_EVENTS = 100
"""Waiting at one port; DAHDI keeps 16."""


@dataclass
class SpanWorld:
    """What the simulated box knows of one span."""

    state: SpanState = field(default_factory=lambda: SpanState(frozenset(), None, clock_master=False))
    counters: SpanCounters = field(default_factory=SpanCounters)
    loop: Loop | None = None


@dataclass
class PortWorld:
    state: PortState = field(default_factory=lambda: PortState(None, open=False, alarms=frozenset()))
    hooks: list[Hook] = field(default_factory=list)
    """What was asked of it, in its order."""
    events: asyncio.Queue[PortEvent] = field(default_factory=lambda: asyncio.Queue(MOST_EVENTS))


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
                self.ports.pop(port.channel or 0, None)


class SimSpan:
    def __init__(self, world: VoiceWorld, card: Card, span: Span, lacks: Set[Capability]) -> None:
        self._world, self._card, self._span = world, card, span
        self._who = f"span {span.local} of {card.id}"
        self.capabilities: Set[Capability] = SPAN_CAN - lacks

    async def state(self) -> SpanState:
        return self._here(Capability.SPAN_STATE).state

    async def configure(self, line: LineConfig) -> None:
        here = self._here(Capability.SPAN_CONFIGURE)
        here.state = replace(here.state, line=line)

    async def counters(self) -> SpanCounters:
        return self._here(Capability.SPAN_COUNTERS).counters

    async def loop(self, where: Loop | None) -> None:
        self._here(Capability.SPAN_LOOPBACK).loop = where

    def _here(self, wanted: Capability) -> SpanWorld:
        require(wanted, self.capabilities, self._who)
        number = self._world.slots.now(self._card, self._span.local, self._span.number).number
        assert number
        return self._world.span(number)


class SimPort:
    def __init__(self, world: VoiceWorld, card: Card, port: Port, lacks: Set[Capability]) -> None:
        self._world, self._card, self._port = world, card, port
        self._who = f"port {port.position} of span {port.span} of {card.id}"
        self.capabilities: Set[Capability] = PORT_CAN - lacks

    async def state(self) -> PortState:
        return self._here(Capability.PORT_STATE).state

    async def hook(self, position: Hook) -> None:
        here = self._here(Capability.PORT_HOOK)
        if self._port.kind is PortKind.E1 or (position is Hook.RING and self._port.kind is PortKind.FXO):
            raise Refused(f"{self._who} is {self._port.kind}: there is no {position} on it")
        here.hooks.append(position)

    async def next_event(self, within_s: float) -> PortEvent:
        here = self._here(Capability.PORT_EVENTS)
        try:
            async with asyncio.timeout(within_s):
                return await here.events.get()
        except TimeoutError:
            raise TimedOut(f"{self._who}: no event within {within_s} s") from None

    def _here(self, wanted: Capability) -> PortWorld:
        require(wanted, self.capabilities, self._who)
        number = next(span.number for span in self._card.spans if span.local == self._port.span)
        self._world.slots.now(self._card, self._port.span, number)
        assert self._port.channel
        return self._world.port(self._port.channel)


class SimModule:
    def __init__(self, world: VoiceWorld, card: Card, lacks: Set[Capability]) -> None:
        self.card = card
        self._world, self._lacks = world, lacks
        self.capabilities: Set[Capability] = MODULE_CAN - lacks

    def span(self, span: Span) -> SimSpan:
        return SimSpan(self._world, self.card, span, self._lacks)

    def port(self, port: Port) -> SimPort:
        return SimPort(self._world, self.card, port, self._lacks)

    async def assign(self, span: Span, number: int, first_channel: int) -> None:
        require(Capability.SPAN_ASSIGN, self.capabilities, str(self.card.id))
        self._world.slots.assign(self.card, span.local, number, first_channel)
        self._world.on_change()
