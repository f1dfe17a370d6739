"""What the editions serve, and how they refuse the rest."""

import pytest

from hal.boards import SA800, SE800, Admission, Board, admit
from hal.model.inventory import Card, Inventory, Span
from hal.model.lines import Names, name_lines
from tests.hal.boxes import card, numbered


def admission(board: Board, box: list[Card], names: Names | None = None) -> Admission:
    inventory = numbered(box)
    return admit(board, inventory, name_lines(names or Names(), inventory).lines)


def digital(slot: int, spans: int) -> Card:
    return card(slot, "E" * spans, model="Wildcard TE435", serial=f"E{slot}")


@pytest.mark.parametrize(
    ("board", "analog", "e1"), [(SA800, 12, 0), (SA800, 0, 12), (SA800, 12, 12), (SE800, 16, 0), (SE800, 16, 1)]
)
def test_up_to_the_limit_everything_is_served(board: Board, analog: int, e1: int) -> None:
    found = admission(board, [card(1, "os" * (analog // 2)), digital(2, e1)])
    assert len(found.lines) == analog + e1 and not found.refusals


@pytest.mark.parametrize(
    ("board", "box", "refused", "words"),
    [
        (SA800, [card(1, "o" * 13)], ["fxo-13"], "SA800 serves 12 analog lines"),
        (SE800, [card(1, "o" * 17)], ["fxo-17"], "SE800 serves 16 analog lines"),
        (SA800, [digital(1, 13)], ["e1-13"], "SA800 serves 12 E1"),
        (SE800, [digital(1, 4)], ["e1-2", "e1-3", "e1-4"], "SE800 serves 1 E1"),
    ],
)
def test_beyond_the_limit_the_reason_names_module_lines_and_limit(
    board: Board, box: list[Card], refused: list[str], words: str
) -> None:
    found = admission(board, box)
    (refusal,) = found.refusals
    assert list(refusal.lines) == refused
    assert words in refusal.reason and str(box[0].id) in refusal.reason and refusal.hint
    assert not {line.name for line in found.lines} & set(refused)


def test_who_came_first_stays_when_a_card_is_added_in_a_lower_slot() -> None:
    old = card(5, "o" * 12)
    names = name_lines(Names(), numbered([old])).names
    found = admission(SA800, [card(1, "s" * 4), old], names)
    assert {line.name for line in found.lines} == {f"fxo-{n}" for n in range(1, 13)}
    assert [refusal.lines for refusal in found.refusals] == [("fxs-1", "fxs-2", "fxs-3", "fxs-4")]


def test_an_unknown_card_is_refused_with_its_reason() -> None:
    (refusal,) = admission(SA800, [card(1, "E", model="Quux")]).refusals
    assert "not in the catalogue" in refusal.reason and refusal.hint


@pytest.mark.parametrize(("type_", "words"), [("T1", "serves E1 only"), ("BRI_TE", "BRI")])
def test_spans_that_no_edition_serves(type_: str, words: str) -> None:
    one = card(1, "")
    box = Inventory((Card(one.id, "Maker", "", "wct4xxp", (Span(1, type_, 1, ()),)),))
    (refusal,) = admit(SA800, box, ()).refusals
    assert words in refusal.reason and refusal.hint
