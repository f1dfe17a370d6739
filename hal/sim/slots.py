"""What is plugged into the simulated box, numbered as DAHDI numbers it. Pure bookkeeping, no waiting."""

from dataclasses import replace

from hal.errors import NotThere, Refused
from hal.model.inventory import Card, Inventory, Port, Span, in_order
from hal.sim.cards import Blueprint


class Slots:
    def __init__(self) -> None:
        self._cards: dict[str, Card] = {}
        """Position → card as it is now, all its ports included."""
        self._blueprints: dict[str, Blueprint] = {}

    def inventory(self) -> Inventory:
        return Inventory(in_order([_seen(card) for card in self._cards.values()]))

    def plug(self, blueprint: Blueprint, position: str, *, assign: bool = True) -> Card:
        if position in self._cards:
            raise Refused(f"{position} holds {self._cards[position].id}")
        self._cards[position] = blueprint.at(position)
        self._blueprints[position] = blueprint
        for span in blueprint.spans if assign else ():
            number, channel = self._first_fit(_width(span))
            self._number(position, span.local, number, channel)
        return _seen(self._cards[position])

    def blueprint(self, position: str) -> Blueprint:
        if position not in self._blueprints:
            raise NotThere(f"nothing is plugged in at {position}")
        return self._blueprints[position]

    def pull(self, position: str) -> Card:
        self.blueprint(position)
        del self._blueprints[position]
        return self._cards.pop(position)

    def assign(self, card: Card, local: int, number: int, channel: int) -> None:
        now = self._cards.get(card.id.position)
        span = next((span for span in now.spans if span.local == local), None) if now else None
        if now is None or span is None or now.id != card.id:
            raise NotThere(f"span {local} of {card.id} is not there", hint="probe again")
        wanted = range(channel, channel + _width(span))
        for other_number, first, width in self._used():
            clash = other_number == number or set(wanted) & set(range(first, first + width))
            if clash or span.number is not None or number < 1 or channel < 1:
                raise Refused(f"span {local} of {card.id}: number {number} or channels {wanted} are taken")
        self._number(card.id.position, local, number, channel)

    def now(self, card: Card, local: int, number: int | None) -> Span:
        """The span, when it still is this card's under this number. Raises NotThere."""
        for other in self._cards.values():
            if other.id == card.id and number is not None:
                for span in other.spans:
                    if (span.local, span.number) == (local, number):
                        return span
        raise NotThere(f"span {local} of {card.id} is not there as span {number}", hint="probe again")

    def _number(self, position: str, local: int, number: int, channel: int) -> None:
        def numbered(span: Span) -> Span:
            ports: list[Port] = []
            for port in span.ports:
                ports.append(replace(port, channel=channel + sum(before.channels for before in ports)))
            return replace(span, number=number, ports=tuple(ports))

        card = self._cards[position]
        spans = tuple(numbered(span) if span.local == local else span for span in card.spans)
        self._cards[position] = replace(card, spans=spans)

    def _used(self) -> list[tuple[int, int, int]]:
        """(span number, first channel, channels), in the order of the numbers."""
        spans = [span for card in self._cards.values() for span in card.spans]
        return sorted(
            (span.number, span.ports[0].channel or 0, _width(span)) for span in spans if span.number is not None
        )

    def _first_fit(self, width: int) -> tuple[int, int]:
        """Number and first channel of the first gap that is wide enough."""
        number = channel = 1
        for used, first, its_width in self._used():
            if used > number and channel + width <= first:
                break
            number, channel = used + 1, first + its_width
        return number, channel


def _seen(card: Card) -> Card:
    """As a probe sees it: what ports an unassigned span has is known for E1 only."""

    def seen(span: Span) -> Span:
        return span if span.number is not None or span.type == "E1" else replace(span, ports=())

    return replace(card, spans=tuple(seen(span) for span in card.spans))


def _width(span: Span) -> int:
    return sum(port.channels for port in span.ports)
