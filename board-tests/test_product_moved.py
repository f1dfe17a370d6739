"""Two cards of one kind change places, beside an SS7 trunk: each keeps its line and number, and the one that is set up
is served again by nobody's act."""

from collections.abc import Callable
from contextlib import suppress

from board import until
from labgrid.driver import ExecutionError
from product import Api, Product
from product_cards import TALK, E1Card
from wire import LIMIT_S

ADDRESSES = ("5:1", "6:1")


def serves(product: Product, channels: set[int]) -> bool:
    """Beside SS7 Asterisk is started anew for a card that is back, and is not there for a moment."""
    with suppress(ExecutionError):
        return product.served() == channels
    return False


def test_cards_that_change_places_keep_their_lines(product: Product, api: Api, say: Callable[[str], None]) -> None:
    """Known by their serials."""
    cards = [E1Card(product, api, address) for address in ADDRESSES]
    (line, first), other = (card.plug() for card in cards)
    say("both are there")
    api.configure({f"e1_spans/{line}": {"line": line, "name": "Moved", "signalling": {"kind": "pri"}, "clock": 4}})
    until("Asterisk serves the one that is set up", lambda: cards[0].served(first) == TALK, LIMIT_S)
    had, places = product.served(), {card.shown["position"] for card in cards}
    for card, (name, number) in zip(cards, ((line, first), other), strict=True):
        card.pull(name, number)
    say("both are away")
    assert cards[1].plug() == other
    assert cards[0].plug() == (line, first)
    say("both are back")
    until("Asterisk serves as before", lambda: serves(product, had), LIMIT_S)
    assert [card.line for card in cards] == [line, other[0]]
    assert not places & {card.shown["position"] for card in cards}
    assert not any(card.shown["guessed"] for card in cards)
