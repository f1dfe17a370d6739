"""Asks the cards how their lines do: one visit to each card, all side by side, each under a limit of its own."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from appliance_agent.system.lines.cards import Found
from appliance_agent.system.lines.facts import Reading
from appliance_agent.system.lines.patient import Patient
from hal.capabilities import Capability
from hal.errors import HalError
from hal.model.inventory import Card, CardId, Port, PortKind, Span
from hal.model.lines import Line
from hal.protocols.box import Box
from hal.protocols.voice import SpanCounters, VoiceModule

READ_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class _Place:
    """Of a line."""

    name: str
    port: Port
    span: Span | None
    """E1 only: the span tells its alarms, at each look."""


@dataclass(frozen=True, slots=True)
class _Card:
    module: VoiceModule
    places: tuple[_Place, ...]
    patient: Patient


class Asking:
    """A card whose driver does not answer keeps none of the others waiting for more than the limit, once."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._patients: dict[CardId, Patient] = {}
        """Of each card that ever was there: a question may hang for longer than the card is there."""
        self._cards: tuple[Found, tuple[_Card, ...]] | None = None
        """The modules of one probe are kept: they keep open what they read."""
        self.readings: dict[str, Reading] = {}
        """By line's name, as last answered; without those that are not there."""
        self.silent = ""
        """Why a card gave no answer at the last look; "" when all did."""

    async def look(self, found: Found, due: Callable[[str], bool]) -> None:
        """`due`: whether the line's port is to be looked at, too; what is not known yet is asked anyway."""
        cards = self._cards_of(found)
        here = {place.name for card in cards for place in card.places}
        self.readings = {name: reading for name, reading in self.readings.items() if name in here}
        self.silent = ""
        await asyncio.gather(*(self._look(card, due) for card in cards))

    async def _look(self, card: _Card, due: Callable[[str], bool]) -> None:
        ports = [place for place in card.places if place.name not in self.readings or due(place.name)]
        spans = [(place.name, place.span) for place in card.places if place.span is not None]
        if not ports and not spans:
            return
        asked = [span for _, span in spans], [place.port for place in ports]
        try:
            seen = await card.patient.ask(lambda: card.module.look(*asked))
        except (HalError, OSError) as error:
            self.silent = str(error)
            return
        port_of = {place.name: state for place, state in zip(ports, seen.ports, strict=True)}
        span_of = {name: state for (name, _), state in zip(spans, seen.spans, strict=True)}
        for place in card.places:
            before = self.readings.pop(place.name, None)
            port = port_of[place.name] if before is None or place.name in port_of else before.port
            span = span_of.get(place.name)
            # Otherwise it was pulled, or has no number: the next probe tells more.
            if port is not None and (span is not None or place.span is None):
                self.readings[place.name] = Reading(port, span)

    async def counters(self, found: Found) -> dict[str, SpanCounters]:
        """Of the E1 lines that can tell them, by name."""
        told: dict[str, SpanCounters] = {}
        await asyncio.gather(*(self._count(card, told) for card in self._cards_of(found)))
        return told

    async def _count(self, card: _Card, told: dict[str, SpanCounters]) -> None:
        if Capability.SPAN_COUNTERS not in card.module.capabilities:
            return
        for place in card.places:
            if place.span is not None:
                with contextlib.suppress(HalError):
                    told[place.name] = await card.patient.ask(card.module.span(place.span).counters)

    def _cards_of(self, found: Found) -> tuple[_Card, ...]:
        if self._cards is None or self._cards[0] is not found:
            self._cards = found, tuple(self._card(found, card) for card in found.inventory.cards)
        return self._cards[1]

    def _card(self, found: Found, card: Card) -> _Card:
        module = self._box.voice(card)
        patient = self._patients.setdefault(card.id, Patient(READ_LIMIT_S))
        lines = [line for line in found.naming.lines if line.card == card.id]
        return _Card(module, tuple(_place(found, line, module) for line in lines), patient)


def _place(found: Found, line: Line, module: VoiceModule) -> _Place:
    span = found.place(line)[1]
    port = next(port for port in span.ports if port.position == line.position)
    tells = line.kind is PortKind.E1 and Capability.SPAN_STATE in module.capabilities
    return _Place(line.name, port, span if tells else None)
