"""The logical names of the lines: fxo-1, fxs-3, e1-2. Pure.

A name belongs to a connector of a card (span and position on it, and its kind), never to a DAHDI number. It survives
reboot, re-plugging and a change of slot; a card that is away keeps its names until a person forgets or replaces it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hal.errors import Refused
from hal.model.inventory import LINE_KINDS, Card, CardId, Inventory, Place, Port, PortKind
from hal.model.matching import How, Match, match_cards


@dataclass(frozen=True, slots=True)
class NamedLine:
    kind: PortKind
    number: int
    """From 1, per kind; with the kind it is the name."""
    span: int
    position: int
    order: int
    """The how-manieth line this box ever named: who came first keeps its right when the edition's limit is reached."""

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.number}"


CHANNELS_OF_A_SPAN = 32
"""DAHDI channels that a span number brings along; no span of our cards has more."""
MOST_SPANS = 31
"""Asterisk's PRI and SS7 know 32 spans, DAHDI 1024 channels."""


@dataclass(frozen=True, slots=True)
class NumberedSpan:
    """A span's place among DAHDI's numbers, kept as long as the card's names are (ADR 0013)."""

    span: int
    """Of the card, from 1."""
    number: int
    """DAHDI's, 1 … MOST_SPANS."""

    @property
    def first_channel(self) -> int:
        return (self.number - 1) * CHANNELS_OF_A_SPAN + 1


@dataclass(frozen=True, slots=True)
class NamedCard:
    id: CardId
    """As last seen."""
    lines: tuple[NamedLine, ...]
    spans: tuple[NumberedSpan, ...] = ()
    """In the order of `span`. A span for which no number was free is not among them."""


@dataclass(frozen=True, slots=True)
class Names:
    """What is stored (hal.names_file)."""

    cards: tuple[NamedCard, ...] = ()

    @property
    def lines(self) -> tuple[NamedLine, ...]:
        return tuple(line for card in self.cards for line in card.lines)


@dataclass(frozen=True, slots=True)
class Line:
    """A named connector that is there now."""

    name: str
    kind: PortKind
    card: CardId
    span: int
    """Which span of the card, from 1."""
    position: int
    span_number: int | None
    """DAHDI's; None as long as the span is not assigned."""
    channel: int | None
    """First DAHDI channel."""
    channels: int
    order: int


@dataclass(frozen=True, slots=True)
class Naming:
    names: Names
    """To be stored."""
    lines: tuple[Line, ...]
    """What is there, in the order in which it was first named."""
    missing: tuple[NamedLine, ...]
    """Named, and not there now."""
    guessed: tuple[Match, ...]
    """Cards whose names followed them by a guess; to be shown to a person."""


def name_lines(names: Names, inventory: Inventory) -> Naming:
    """Known lines keep their names, new ones get the smallest free numbers. Cards outside the catalogue get none."""
    cards = {card.id: card for card in inventory.known}
    by_id = {card.id: card for card in names.cards}
    matching = match_cards(by_id, cards)
    seen_as = {match.before: cards[match.now] for match in matching.matches}
    new = sorted(matching.new, key=lambda card: Place.of(card.position))
    numbers = _Numbers(names)
    kept = [_extended(named, seen_as.get(named.id), numbers) for named in names.cards]
    fresh = [_extended(NamedCard(card, ()), cards[card], numbers) for card in new]
    # A card without a line counts as long as it is there: it would be mistaken for its twin otherwise.
    result = Names(tuple(named for named in [*kept, *fresh] if named.lines or named.id in cards))
    lines, missing = [], []
    for named in result.cards:
        connectors = _connectors(cards.get(named.id))
        for line in named.lines:
            where = (line.kind, line.span, line.position)
            if where in connectors:
                lines.append(_line(line, cards[named.id], connectors[where]))
            else:
                missing.append(line)
    guessed = tuple(match for match in matching.matches if match.how is How.GUESSED)
    return Naming(result, tuple(sorted(lines, key=lambda line: line.order)), tuple(missing), guessed)


def forget(names: Names, card: CardId) -> Names:
    """The card will not come back: its names are free for others."""
    _named(names, card)
    return Names(tuple(named for named in names.cards if named.id != card))


def put_in_place_of(names: Names, old: CardId, new: CardId) -> Names:
    """A broken card was replaced by `new`: the old names go to the new card, the new card's own are dropped. DAHDI's
    numbers stay where they are: the new card's spans have theirs already, and may be in use."""
    if old == new:
        raise Refused(f"{old} cannot replace itself")
    taken = replace(_named(names, old), id=new, spans=_named(names, new).spans)
    return Names(tuple(taken if named.id == old else named for named in names.cards if named.id != new))


def _named(names: Names, card: CardId) -> NamedCard:
    for named in names.cards:
        if named.id == card:
            return named
    raise Refused(f"no line of this box belongs to {card}", hint="look up the card in the list of named cards")


Connector = tuple[PortKind, int, int]
"""Kind, span of the card, position on the span."""


def _connectors(card: Card | None) -> dict[Connector, Port]:
    ports = card.ports if card else ()
    return {(port.kind, port.span, port.position): port for port in ports if port.kind in LINE_KINDS}


def _extended(named: NamedCard, card: Card | None, numbers: "_Numbers") -> NamedCard:
    """With the id it was last seen under and with names for connectors that have none yet."""
    if card is None:
        return named
    have = {(line.kind, line.span, line.position) for line in named.lines}
    added = [
        NamedLine(kind, numbers.next(kind), span, position, numbers.next_order())
        for kind, span, position in _connectors(card)
        if (kind, span, position) not in have
    ]
    numbered = {span.span for span in named.spans}
    fresh = [
        NumberedSpan(span.local, number)
        for span in card.spans
        if span.local not in numbered and (number := numbers.next_span()) is not None
    ]
    spans = tuple(sorted([*named.spans, *fresh], key=lambda span: span.span))
    return NamedCard(card.id, (*named.lines, *added), spans)


def _line(line: NamedLine, card: Card, port: Port) -> Line:
    number = next(span.number for span in card.spans if span.local == line.span)
    return Line(
        line.name, line.kind, card.id, line.span, line.position, number, port.channel, port.channels, line.order
    )


class _Numbers:
    """Free numbers, the smallest first."""

    def __init__(self, names: Names) -> None:
        self._taken = {(line.kind, line.number) for line in names.lines}
        self._order = max((line.order for line in names.lines), default=0)
        self._spans = {span.number for card in names.cards for span in card.spans}

    def next(self, kind: PortKind) -> int:
        number = 1
        while (kind, number) in self._taken:
            number += 1
        self._taken.add((kind, number))
        return number

    def next_order(self) -> int:
        self._order += 1
        return self._order

    def next_span(self) -> int | None:
        """None: all are given."""
        number = next((number for number in range(1, MOST_SPANS + 1) if number not in self._spans), None)
        if number is not None:
            self._spans.add(number)
        return number


def faults(names: Names) -> Iterable[str]:
    """What a stored file must not hold: a name twice, a connector twice, a card twice."""
    cards = [named.id for named in names.cards]
    if len(set(cards)) < len(cards):
        yield "a card is named twice"
    numbers = [(line.kind, line.number) for line in names.lines]
    if len(set(numbers)) < len(numbers):
        yield "a name is given twice"
    spans = [span.number for named in names.cards for span in named.spans]
    if len(set(spans)) < len(spans):
        yield "a span number is given twice"
    for named in names.cards:
        if len({span.span for span in named.spans}) < len(named.spans):
            yield f"a span of {named.id} has two numbers"
        places = [(line.kind, line.span, line.position) for line in named.lines]
        if len(set(places)) < len(places):
            yield f"a connector of {named.id} has two names"
