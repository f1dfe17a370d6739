"""Which card seen now is which card known before. Pure; the one place that decides it (docs/adr, names of lines).

1. The same model with the same serial is the same card, wherever it is plugged in.
2. Without a serial the same model in the same place is the same card.
3. What is then left without a serial is matched per model when as many are missing as are new: in the order of their
   places. That is a guess, and it says so: one card moved to another slot, or the bus was numbered anew.
Anything else is not guessed: the old one is gone, the new one is new, and a person decides.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hal.model.inventory import CardId, Place


class How(StrEnum):
    STAYED = "stayed"
    MOVED = "moved"
    """Known by its serial, in another place."""
    GUESSED = "guessed"
    """Without a serial, in another place: rule 3."""


@dataclass(frozen=True, slots=True)
class Match:
    before: CardId
    now: CardId
    how: How


@dataclass(frozen=True, slots=True)
class Matching:
    matches: tuple[Match, ...]
    gone: tuple[CardId, ...]
    new: tuple[CardId, ...]


def match_cards(before: Iterable[CardId], now: Iterable[CardId]) -> Matching:
    """Ids are unique on both sides: one place holds one card."""
    old, fresh = _in_place_order(before), _in_place_order(now)
    found: list[Match] = []
    same_serial = [(_serial_here, How.STAYED), (_serial, How.MOVED)]
    for key, how in [*same_serial, (_place_of_unserialled, How.STAYED)]:
        found += _pair(old, fresh, key, how)
    found += _guess(old, fresh)
    return Matching(tuple(found), tuple(old), tuple(fresh))


def _in_place_order(ids: Iterable[CardId]) -> list[CardId]:
    return sorted(ids, key=lambda card: (Place.of(card.position), card.model, card.serial or ""))


def _serial_here(card: CardId) -> Hashable | None:
    return (card.model, card.serial, card.position) if card.serial else None


def _serial(card: CardId) -> Hashable | None:
    return (card.model, card.serial) if card.serial else None


def _place_of_unserialled(card: CardId) -> Hashable | None:
    return (card.model, card.position) if not card.serial else None


def _pair(
    old: list[CardId], fresh: list[CardId], key: Callable[[CardId], Hashable | None], how: How
) -> Iterable[Match]:
    """Takes the pairs of equal key out of both lists."""
    waiting: dict[Hashable, list[CardId]] = {}
    for card in fresh:
        if (its_key := key(card)) is not None:
            waiting.setdefault(its_key, []).append(card)
    for card in list(old):
        if (its_key := key(card)) is not None and (candidates := waiting.get(its_key)):
            partner = candidates.pop(0)
            old.remove(card)
            fresh.remove(partner)
            yield Match(card, partner, how)


def _guess(old: list[CardId], fresh: list[CardId]) -> Iterable[Match]:
    def unserialled(cards: Sequence[CardId], model: str) -> list[CardId]:
        return [card for card in cards if card.model == model and not card.serial]

    for model in sorted({card.model for card in old}):
        missing, new = unserialled(old, model), unserialled(fresh, model)
        if len(missing) == len(new):
            for card, partner in zip(missing, new, strict=True):
                old.remove(card)
                fresh.remove(partner)
                yield Match(card, partner, How.GUESSED)
