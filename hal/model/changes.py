"""What changed between two probes. Pure."""

from dataclasses import dataclass

from hal.model.inventory import Card, Inventory, Span
from hal.model.matching import How, match_cards


@dataclass(frozen=True, slots=True)
class Moved:
    before: Card
    now: Card
    guessed: bool
    """The cards have no serial: a person should look whether the cables followed."""


@dataclass(frozen=True, slots=True)
class Changes:
    added: tuple[Card, ...] = ()
    removed: tuple[Card, ...] = ()
    moved: tuple[Moved, ...] = ()
    changed: tuple[tuple[Card, Card], ...] = ()
    """Same card in the same place with other spans or ports: (before, now). Also when a span got another number."""
    unknown: tuple[Card, ...] = ()
    """Those of `added` that our catalogue does not hold."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.moved or self.changed)


def compare(before: Inventory, now: Inventory) -> Changes:
    old = {card.id: card for card in before.cards}
    fresh = {card.id: card for card in now.cards}
    matching = match_cards(old, fresh)
    pairs = [(old[match.before], fresh[match.now], match.how) for match in matching.matches]
    added = tuple(fresh[card] for card in matching.new)
    return Changes(
        added=added,
        removed=tuple(old[card] for card in matching.gone),
        moved=tuple(Moved(was, is_, how is How.GUESSED) for was, is_, how in pairs if how is not How.STAYED),
        changed=tuple((was, is_) for was, is_, how in pairs if _shape(was) != _shape(is_)),
        unknown=tuple(card for card in added if not card.known),
    )


def _shape(card: Card) -> tuple[tuple[Span, ...], bool]:
    return card.spans, card.known
