"""The two appliances and what their edition allows. Which one a box is stands in its identity, not in its hardware."""

from collections.abc import Iterable
from dataclasses import dataclass

from hal.model.inventory import ANALOG_KINDS, Card, Inventory, PortKind
from hal.model.lines import Line


@dataclass(frozen=True, slots=True)
class Board:
    name: str
    analog_sizes: tuple[int, ...]
    """Analog lines (FXO and FXS together) it is sold with; the largest is the limit."""
    e1_sizes: tuple[int, ...]
    """E1 connectors it is sold with."""

    @property
    def most_analog(self) -> int:
        return max(self.analog_sizes)

    @property
    def most_e1(self) -> int:
        return max(self.e1_sizes)


SA800 = Board("SA800", analog_sizes=(4, 8, 12), e1_sizes=tuple(range(1, 13)))
SE800 = Board("SE800", analog_sizes=(4, 8, 16), e1_sizes=(1,))
BOARDS = {board.name: board for board in (SA800, SE800)}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something in the box that this edition does not serve."""

    card: Card
    lines: tuple[str, ...]
    """Names of the lines refused; empty when the card is refused as a whole or its ports never got names."""
    reason: str
    """Which module, and which limit."""
    hint: str
    """What to do."""


@dataclass(frozen=True, slots=True)
class Admission:
    lines: tuple[Line, ...]
    refusals: tuple[Refusal, ...]


def admit(board: Board, inventory: Inventory, lines: Iterable[Line]) -> Admission:
    """The lines that the edition serves, those named first first, and why the others are not."""
    in_turn = sorted(lines, key=lambda line: line.order)
    analog = [line for line in in_turn if line.kind in ANALOG_KINDS]
    e1 = [line for line in in_turn if line.kind is PortKind.E1]
    beyond = [
        *_beyond(inventory, analog[board.most_analog :], f"{board.name} serves {board.most_analog} analog lines"),
        *_beyond(inventory, e1[board.most_e1 :], f"{board.name} serves {board.most_e1} E1"),
    ]
    refused = {name for refusal in beyond for name in refusal.lines}
    served = tuple(line for line in in_turn if line.name not in refused)
    return Admission(served, (*beyond, *_foreign(board, inventory)))


def _beyond(inventory: Inventory, lines: Iterable[Line], limit: str) -> Iterable[Refusal]:
    by_card: dict[Card, list[Line]] = {}
    for line in lines:
        if card := inventory.card(line.card):
            by_card.setdefault(card, []).append(line)
    for card, its_lines in by_card.items():
        names = tuple(line.name for line in its_lines)
        yield Refusal(
            card,
            names,
            f"{card.id}: {', '.join(names)} beyond the limit: {limit}",
            "take the module out, or forget lines of cards that are no longer in the box, or use the larger edition",
        )


def _foreign(board: Board, inventory: Inventory) -> Iterable[Refusal]:
    """Cards and modules that no edition serves."""
    for card in inventory.cards:
        if not card.known:
            hint = "take the card out; the list of cards that are served is in hal/detect/catalogue.py"
            yield Refusal(card, (), f"{card.id}: {card.trouble}", hint)
            continue
        for span in card.spans:
            if span.type in {"T1", "J1"}:
                reason = f"{card.id}: span {span.local} is set to {span.type}; {board.name} serves E1 only"
                yield Refusal(
                    card, (), reason, "set the span to E1 (the card's jumper, or the driver's default_linemode)"
                )
            elif span.type.startswith("BRI"):
                reason = f"{card.id}: span {span.local} is ISDN BRI; {board.name} serves analog lines and E1"
                yield Refusal(card, (), reason, "take the BRI module out")
