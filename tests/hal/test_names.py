"""Names of lines in the cases that people meet."""

import pytest

from hal.errors import Refused
from hal.model.changes import compare
from hal.model.inventory import Card, Place
from hal.model.lines import Names, Naming, forget, name_lines, put_in_place_of
from tests.hal.boxes import card, in_slot, numbered


def named(box: list[Card], names: Names | None = None) -> Naming:
    return name_lines(names or Names(), numbered(box))


def names_of(naming: Naming, one: Card) -> list[str]:
    return [line.name for line in naming.lines if line.card == one.id]


def test_names_count_per_kind_in_the_order_of_the_slots() -> None:
    first, second = card(2, "oos-"), card(9, "os", serial="X")
    naming = named([second, first])
    assert names_of(naming, first) == ["fxo-1", "fxo-2", "fxs-1"]
    assert names_of(naming, second) == ["fxo-3", "fxs-2"]


def test_two_cards_of_one_kind_without_serial_are_told_apart_by_their_slots() -> None:
    left, right = card(2, "oo"), card(3, "oo")
    before = named([left, right])
    only_right = named([right], before.names)
    assert names_of(only_right, right) == ["fxo-3", "fxo-4"]
    assert [line.name for line in only_right.missing] == ["fxo-1", "fxo-2"]


def test_one_of_two_in_another_slot_is_followed_by_a_guess() -> None:
    left, right = card(2, "oo"), card(3, "oo")
    before = named([left, right])
    elsewhere = in_slot(left, 7)
    after = named([elsewhere, right], before.names)
    assert names_of(after, elsewhere) == ["fxo-1", "fxo-2"]
    assert [match.now for match in after.guessed] == [elsewhere.id]


def test_two_gone_and_one_new_is_not_guessed() -> None:
    before = named([card(2, "oo"), card(3, "oo")])
    after = named([card(7, "oo")], before.names)
    assert [line.name for line in after.lines] == ["fxo-5", "fxo-6"]
    assert len(after.missing) == 4 and not after.guessed


def test_another_card_in_the_slot_of_one_with_a_serial_is_another_card() -> None:
    before = named([card(2, "oo", serial="A")])
    after = named([card(2, "oo", serial="B")], before.names)
    assert [line.name for line in after.lines] == ["fxo-3", "fxo-4"]


def test_another_module_in_the_socket_gets_a_name_of_its_kind() -> None:
    before = named([card(2, "oo")])
    after = named([card(2, "os")], before.names)
    assert [line.name for line in after.lines] == ["fxo-1", "fxs-1"]
    assert [line.name for line in after.missing] == ["fxo-2"]


def test_unknown_cards_get_no_names() -> None:
    assert named([card(2, "oo", model="Quux")]).names == Names()


def test_a_replaced_card_takes_the_names_over() -> None:
    old, new = card(2, "oo", serial="A"), card(2, "oo", serial="B")
    before = named([old])
    both = named([new], before.names)
    after = named([new], put_in_place_of(both.names, old.id, new.id))
    assert names_of(after, new) == ["fxo-1", "fxo-2"] and not after.missing
    (only,) = after.names.cards
    assert [span.number for span in only.spans] == [2], "DAHDI has numbered it, as span 2"


def test_a_forgotten_card_frees_its_names() -> None:
    old, new = card(2, "oo", serial="A"), card(3, "o", serial="B")
    names = forget(named([old]).names, old.id)
    assert names_of(named([new], names), new) == ["fxo-1"]


def test_forgetting_what_was_never_named_is_refused() -> None:
    with pytest.raises(Refused, match="no line of this box"):
        forget(Names(), card(2, "o").id)
    with pytest.raises(Refused, match="itself"):
        put_in_place_of(Names(), card(2, "o").id, card(2, "o").id)


def test_changes_name_what_was_added_removed_moved_and_unknown() -> None:
    stays, goes, moves = card(1, "oo"), card(2, "E", model="Wildcard TE435", serial="E"), card(3, "s", serial="S")
    stranger = card(5, "E", model="Quux")
    was = numbered([stays, goes, moves])
    now = numbered([stays, in_slot(moves, 9), stranger])
    changes = compare(was, now)
    assert [one.id for one in changes.added] == [stranger.id] and changes.unknown == changes.added
    assert [one.id for one in changes.removed] == [goes.id]
    assert [(move.before.id, move.now.id, move.guessed) for move in changes.moved] == [
        (moves.id, in_slot(moves, 9).id, False)
    ]


def test_a_module_changed_in_place_is_a_change_and_nothing_is_none() -> None:
    before, now = numbered([card(1, "oo")]), numbered([card(1, "os")])
    changes = compare(before, now)
    assert changes.changed and not (changes.added or changes.removed or changes.moved)
    assert not compare(now, now)


def test_places_sort_as_people_count() -> None:
    in_turn = ["0000:05:04.0", "pci:0000:05:09.0", "pci:0000:05:0a.0", "pci:0000:05:10.0", "pci:0000:0a:01.0"]
    in_turn += ["usb-0000:00:1d.7-2", "usb-0000:00:1d.7-10"]
    assert sorted(set(in_turn), key=Place.of) == in_turn


def test_two_cards_that_claim_one_serial_are_told_apart_by_their_slots() -> None:
    """A clone, or a flash that was never written."""
    left, right = card(2, "oo", serial="0000"), card(3, "oo", serial="0000")
    before = named([left, right])
    again = named([right], before.names)
    assert names_of(again, right) == ["fxo-3", "fxo-4"]
