"""Puts together what people are shown of cards and lines."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import asdict

from appliance_agent.calls.live_service import LiveCalls
from appliance_agent.features.lines.model import (
    CallOn,
    CardOut,
    CountsOut,
    FramingOut,
    HistoryOut,
    LineDetail,
    LineOut,
    LinesOut,
    LineTestOrder,
    LineTestOut,
    LineTestsOut,
    PeriodOut,
    PortOut,
    PossibleOut,
    ReasonOut,
    RefusalOut,
    SpanOut,
    TraceOut,
    card_key,
)
from appliance_agent.kernel.clock import Clock, rfc3339
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.system.lines.blocks import Blocks
from appliance_agent.system.lines.cards import Cards, Found
from appliance_agent.system.lines.channels import Channels
from appliance_agent.system.lines.history import LineHistory
from appliance_agent.system.lines.trace import Trace, Traces
from appliance_agent.system.lines.watch import LineWatch
from appliance_agent.system.linetests import kinds
from appliance_agent.system.linetests.service import Asked, LineTests
from hal.errors import HalError, Refused
from hal.model.inventory import Card, CardId
from hal.model.lines import NamedCard
from hal.protocols.box import Box

HOUR_US = 3600 * 1_000_000


class Lines:
    def __init__(
        self, *, box: Box, cards: Cards, watch: LineWatch, channels: Channels, history: LineHistory, live: LiveCalls,
        clock: Clock, blocks: Blocks, traces: Traces, tests: LineTests, simulated: bool,
    ) -> None:  # fmt: skip
        self._blocks, self._traces, self._tests = blocks, traces, tests
        self._box, self._cards, self._watch, self._channels = box, cards, watch, channels
        self._history, self._live, self._clock, self._simulated = history, live, clock, simulated

    def overview(self) -> LinesOut:
        found, board = self._cards.found, self._cards.board
        return LinesOut(
            product=board.name, analog_limit=board.most_analog, e1_limit=board.most_e1, simulated=self._simulated,
            fault=self._cards.fault, probed=found is not None, cards=_cards(found) if found else [],
            lines=[LineOut.model_validate(line) for line in self._watch.live()],
            refusals=[
                RefusalOut(card=card_key(one.card.id), lines=list(one.lines), reason=one.reason, hint=one.hint)
                for one in (found.admission.refusals if found else ())
            ],
        )  # fmt: skip

    def detail(self, name: str) -> LineDetail:
        seen = self._watch.one(name)
        found, reading = self._cards.found, seen.facts.reading
        line = found.line(name) if found else None
        framing = reading.span.line if reading and reading.span else None
        return LineDetail(
            line=LineOut.model_validate(seen.view()),
            card=card_key(line.card) if line else None,
            span=line.span_number if line else None,
            channel=line.channel if line else None,
            driver_signalling=(reading.port.signalling or "") if reading else "",
            held=bool(reading and reading.port.open),
            framing=framing
            and FramingOut(coding=framing.coding, common_channel=framing.common_channel, crc4=framing.crc4),
            clock_master=bool(reading and reading.span and reading.span.clock_master),
            calls=[CallOn(timeslot=slot, call_id=self._call(line.channel, slot)) for slot in sorted(seen.facts.calls)]
            if line and line.channel
            else [],
            can=sorted(self._box.voice(found.place(line)[0]).capabilities) if found and line else [],
        )

    async def history(self, name: str, hours: int, limit: int) -> HistoryOut:
        self._watch.one(name)
        since_us = self._clock.now_us() - hours * HOUR_US
        periods = await self._history.periods(name, since_us, limit)
        counts = await self._history.counts(name, since_us)
        return HistoryOut(
            alarms=[
                PeriodOut.model_validate(
                    {"alarm": one.alarm, "since": rfc3339(one.since_us),
                     "until": rfc3339(one.until_us) if one.until_us is not None else None}
                )
                for one in periods
            ],
            counts=[CountsOut(at=rfc3339(at_us), counts=dict(came)) for at_us, came in counts],
        )  # fmt: skip

    async def block(self, name: str, timeslots: list[int], by: str, *, on: bool) -> LineDetail:
        self._watch.one(name)
        if on:
            await self._blocks.block(name, timeslots, by)
        else:
            await self._blocks.unblock(name, timeslots)
        await self._watch.look()
        return self.detail(name)

    async def tests(self, name: str) -> LineTestsOut:
        possible = [
            PossibleOut(
                kind=kind, refused=ReasonOut(**asdict(refusal)) if refusal else None, seconds=kinds.SECONDS[kind],
                number=self._tests.needs_number(name, kind),
            )
            for kind, refusal in self._tests.possible(name).items()
        ]  # fmt: skip
        return LineTestsOut(
            possible=possible, tests=[LineTestOut.model_validate(one) for one in await self._tests.of(name)]
        )

    async def test(self, name: str, order: LineTestOrder, by: str) -> LineTestOut:
        asked = Asked(order.kind, order.timeslot, order.seconds, order.level_dbm0, order.number)
        return LineTestOut.model_validate(await self._tests.begin(name, asked, by))

    async def stop_test(self, id_: str) -> LineTestOut:
        return LineTestOut.model_validate(await self._tests.stop(id_))

    async def trace(self, name: str, seconds: int, by: str) -> TraceOut:
        self._watch.one(name)
        return _trace(await self._traces.begin(name, seconds, by))

    async def traces(self, name: str) -> list[TraceOut]:
        self._watch.one(name)
        return [_trace(trace) for trace in await self._traces.of(name)]

    async def stop_trace(self, id_: str) -> TraceOut:
        return _trace(await self._traces.stop(id_))

    async def trace_text(self, id_: str) -> tuple[TraceOut, bytes]:
        """Raises Fault NOT_FOUND also while it runs."""
        trace = await self._traces.one(id_)
        try:
            return _trace(trace), await asyncio.to_thread(self._traces.path(trace).read_bytes)
        except FileNotFoundError:
            raise Fault(FaultKind.NOT_FOUND, "lines.trace", "the trace has not ended yet, or was lost") from None

    async def look(self) -> LinesOut:
        """Probes the cards now."""
        try:
            await self._cards.look()
        except HalError as error:
            raise Fault(FaultKind.UNAVAILABLE, "lines.driver", error.message, hint=error.hint) from error
        return self.overview()

    async def forget(self, key: str) -> CardId:
        card = self._named(key)
        if self._present(card):
            raise Fault(
                FaultKind.CONFLICT, "cards.present", f"{card} is in the box: its lines keep their names",
                hint="Take the card out first.",
            )  # fmt: skip
        await self._renamed(self._cards.forget(card))
        return card

    async def replace(self, key: str, by: str) -> tuple[CardId, CardId]:
        old, new = self._named(key), self._named(by)
        if self._present(old) or not self._present(new):
            raise Fault(
                FaultKind.CONFLICT, "cards.not_replaceable", f"{new} cannot take over the lines of {old}",
                hint="The old card must be out of the box, the new one in it.",
            )  # fmt: skip
        await self._renamed(self._cards.replace(old, new))
        return old, new

    async def _renamed(self, change: Awaitable[None]) -> None:
        try:
            await change
        except Refused as error:
            raise Fault(FaultKind.CONFLICT, "cards.refused", error.message, hint=error.hint) from error
        except HalError as error:
            raise Fault(FaultKind.UNAVAILABLE, "lines.driver", error.message, hint=error.hint) from error

    def _named(self, key: str) -> CardId:
        found = self._cards.found
        for named in found.naming.names.cards if found else ():
            if card_key(named.id) == key:
                return named.id
        raise Fault(FaultKind.NOT_FOUND, "cards.unknown", f"no line belongs to a card {key[:20]!r}")

    def _present(self, card: CardId) -> bool:
        return self._cards.found is not None and self._cards.found.inventory.card(card) is not None

    def _call(self, first: int, timeslot: int) -> str:
        channel = self._channels.now.get(first + timeslot - 1)
        return self._live.state.where.get(channel.uniqueid, "") if channel else ""


def _trace(trace: Trace) -> TraceOut:
    ended = None if trace.ended_us is None else rfc3339(trace.ended_us)
    return TraceOut.model_validate(
        {"id": trace.id, "line": trace.line, "by": trace.by, "began_at": rfc3339(trace.began_us), "ended_at": ended,
         "size_bytes": trace.size_bytes, "end": trace.end}
    )  # fmt: skip


def _cards(found: Found) -> list[CardOut]:
    """Those in the box in the order of their places, then those that are away and still have names."""
    named = {card.id: card for card in found.naming.names.cards}
    guessed = {match.now for match in found.naming.guessed}
    here = [_present_card(card, named.get(card.id), card.id in guessed) for card in found.inventory.cards]
    away = [card for id_, card in named.items() if found.inventory.card(id_) is None]
    return here + [_absent_card(card) for card in away]


def _present_card(card: Card, named: NamedCard | None, guessed: bool) -> CardOut:
    names = _names(named)
    return CardOut(
        id=card_key(card.id), model=card.id.model, serial=card.id.serial, position=card.id.position,
        location=card.location, maker=card.maker, present=True, known=card.known, trouble=card.trouble, guessed=guessed,
        spans=[
            SpanOut(
                local=span.local, type=span.type, number=span.number,
                ports=[
                    PortOut(kind=port.kind, position=port.position, line=names.get((port.span, port.position)))
                    for port in span.ports
                ],
            )
            for span in card.spans
        ],
    )  # fmt: skip


def _absent_card(card: NamedCard) -> CardOut:
    """As its lines remember it."""
    spans = sorted({line.span for line in card.lines})
    return CardOut(
        id=card_key(card.id), model=card.id.model, serial=card.id.serial, position=card.id.position, location="",
        maker="", present=False, known=True, trouble="", guessed=False,
        spans=[
            SpanOut(
                local=span, type="", number=None,
                ports=[
                    PortOut(kind=line.kind, position=line.position, line=line.name)
                    for line in card.lines
                    if line.span == span
                ],
            )
            for span in spans
        ],
    )  # fmt: skip


def _names(named: NamedCard | None) -> Mapping[tuple[int, int], str]:
    return {(line.span, line.position): line.name for line in named.lines} if named else {}
