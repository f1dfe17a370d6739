"""What the names of the lines promise, for any box."""

import random

from hypothesis import given
from hypothesis import strategies as st

from hal.model.changes import compare
from hal.model.inventory import Card, CardId, Inventory
from hal.model.lines import Line, Names, Naming, faults, name_lines
from tests.hal.boxes import EVERY, cards, in_slot, numbered, on_bus


def named(inventory: Inventory, names: Names | None = None) -> Naming:
    return name_lines(names or Names(), inventory)


def where(naming: Naming) -> dict[str, tuple[CardId, int, int]]:
    return {line.name: (line.card, line.span, line.position) for line in naming.lines}


def by_connector(naming: Naming, key: dict[CardId, int]) -> dict[tuple[int, int, int], str]:
    """Name per connector, the card told by `key` instead of by its place."""
    return {(key[line.card], line.span, line.position): line.name for line in naming.lines}


def keyed(box: list[Card]) -> dict[CardId, int]:
    return {card.id: number for number, card in enumerate(box)}


@EVERY
@given(cards())
def test_naming_again_changes_nothing(box: list[Card]) -> None:
    first = named(numbered(box))
    again = named(numbered(box), first.names)
    assert again == first


@EVERY
@given(cards(), st.randoms(use_true_random=False), st.integers(1, 40))
def test_a_boot_in_another_order_changes_no_name(box: list[Card], rng: random.Random, first_span: int) -> None:
    first = named(numbered(box))
    other = list(box)
    rng.shuffle(other)
    again = named(numbered(other, first_span), first.names)
    assert where(again) == where(first)
    assert again.names == first.names


@EVERY
@given(cards())
def test_names_are_unique_and_say_their_kind(box: list[Card]) -> None:
    naming = named(numbered(box))
    assert not list(faults(naming.names))
    assert all(line.name.startswith(f"{line.kind}-") for line in naming.lines)
    ports = [port for card in box for port in card.ports if port.kind in {"fxo", "fxs", "e1"}]
    assert len(naming.lines) == len(ports)


@EVERY
@given(cards(), st.data())
def test_what_is_away_keeps_its_names_and_gets_them_back(box: list[Card], data: st.DataObject) -> None:
    first = named(numbered(box))
    stay = data.draw(st.lists(st.sampled_from(box), unique_by=lambda card: card.id)) if box else []
    without = named(numbered(stay), first.names)
    assert {line.name for line in without.missing} | {line.name for line in without.lines} == set(where(first))
    back = named(numbered(box), without.names)
    assert where(back) == where(first)


@EVERY
@given(cards(serials=True), st.randoms(use_true_random=False))
def test_cards_with_serials_may_change_slots_as_they_like(box: list[Card], rng: random.Random) -> None:
    first = named(numbered(box))
    slots = rng.sample(range(6, 32), len(box))
    moved = [in_slot(card, slot) for card, slot in zip(box, slots, strict=True)]
    again = named(numbered(moved), first.names)
    assert by_connector(again, keyed(moved)) == by_connector(first, keyed(box))
    assert not again.guessed


@EVERY
@given(cards(serials=False), st.integers(6, 255))
def test_a_bus_that_is_numbered_anew_keeps_the_names_and_says_that_it_guessed(box: list[Card], bus: int) -> None:
    """Another card was plugged in behind a bridge: every address moved on, the order stayed."""
    first = named(numbered(box))
    moved = [on_bus(card, bus) for card in box]
    again = named(numbered(moved), first.names)
    assert by_connector(again, keyed(moved)) == by_connector(first, keyed(box))
    assert {match.now for match in again.guessed} == {card.id for card in moved}


@EVERY
@given(cards(), cards())
def test_a_newcomer_takes_no_name_away(box: list[Card], newcomers: list[Card]) -> None:
    first = named(numbered(box))
    taken = {card.id.position for card in box}
    joined = [
        *box,
        *(card for card in newcomers if card.id.position not in taken and not card.id.serial),
    ]
    after = where(named(numbered(joined), first.names))
    assert {name: after[name] for name in where(first)} == where(first)


@EVERY
@given(st.lists(cards(), min_size=2, max_size=5))
def test_over_any_history_no_name_is_ever_on_two_connectors(history: list[list[Card]]) -> None:
    names = Names()
    for box in history:
        naming = named(numbered(box), names)
        assert not list(faults(naming.names))
        assert {line.name for line in names.lines} <= {line.name for line in naming.names.lines}
        shown = [*(line.name for line in naming.lines), *(line.name for line in naming.missing)]
        assert sorted(shown) == sorted(line.name for line in naming.names.lines)
        names = naming.names


@EVERY
@given(cards())
def test_the_order_of_naming_is_the_order_of_the_lines(box: list[Card]) -> None:
    lines: tuple[Line, ...] = named(numbered(box)).lines
    assert [line.order for line in lines] == list(range(1, len(lines) + 1))


@EVERY
@given(cards())
def test_an_unchanged_box_has_no_changes(box: list[Card]) -> None:
    assert not compare(numbered(box), numbered(box))
