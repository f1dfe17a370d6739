"""A card of the product that comes, is set up, goes while Asterisk holds its lines, and comes back: beside a call on
another card, and without anybody's act."""

from collections.abc import Callable, Iterator

import pytest
from board import until
from product import Api, Product
from product_cards import TALK, E1Card, states
from product_lines import DID, ITEMS
from score import SHARE
from seat import LONG_S, Seat
from wire import LIMIT_S

LINES = {path: ITEMS[path] for path in ("e1_spans/e1-1", "line_trunks/pri", "outbound/81")}


@pytest.fixture(scope="module")
def api(product: Product) -> Api:
    api = product.administrator()
    api.configure(LINES)
    product.wait_pri()
    return api


@pytest.fixture(scope="module")
def card(product: Product, api: Api) -> E1Card:
    return E1Card(product, api, "5:1")


@pytest.fixture(scope="module")
def came(card: E1Card) -> tuple[str, int]:
    """The line of the card, which is there, and its first channel."""
    return card.plug()


@pytest.fixture
def talking(product: Product, seat: Seat) -> Iterator[None]:
    """A call on the PRI that stays up. What its ends heard does not count: a span that comes stops the clock of
    all (README.md); what the box took from both and handed on is in its recording."""
    seat.be_idle()
    call = seat.begin_call(f"DAHDI/g1/{DID}", talk_s=LONG_S)
    yield
    seat.hang_up(call)
    talk = seat.ended_call(*call)
    assert talk.record["result"] == "answered" and min(talk.recorded) >= SHARE, talk


def becomes(api: Api, line: str, state: str) -> None:
    until(f"{line} is {state}", lambda: states(api).get(line) == state, LIMIT_S)


def seconds(product: Product) -> float:
    """Of the board's monotonic clock."""
    return float(product.run("cut -d' ' -f1 /proc/uptime"))


def comes_back(card: E1Card, line: str, first: int) -> float:
    """How many seconds of the board it took until Asterisk serves it."""
    began = seconds(card.product)
    assert card.plug() == (line, first)
    until("Asterisk serves it again", lambda: card.served(first) == TALK, LIMIT_S)
    took = seconds(card.product) - began
    becomes(card.api, line, "alarm")
    return took


def test_a_card_comes_and_is_set_up(api: Api, card: E1Card, came: tuple[str, int]) -> None:
    line, first = came
    assert not card.served(first)
    api.configure({f"e1_spans/{line}": {"line": line, "name": "New", "signalling": {"kind": "pri"}, "clock": 2}})
    assert card.served(first) == TALK
    becomes(api, line, "alarm")


def test_it_goes_and_comes_back(api: Api, card: E1Card, came: tuple[str, int], say: Callable[[str], None]) -> None:
    card.pull(*came)
    version = api.ask("GET", "/config")["running_version"]
    say(f"served again {comes_back(card, *came):.1f} s after the card came back")
    assert api.ask("GET", "/config")["running_version"] == version


@pytest.mark.usefixtures("talking")
def test_what_is_applied_meanwhile_does_not_matter(
    api: Api, card: E1Card, came: tuple[str, int], say: Callable[[str], None]
) -> None:
    card.pull(*came)
    api.configure({"line_trunks/pri": {**ITEMS["line_trunks/pri"], "name": "PRI beside a missing card"}})
    before = api.ask("GET", "/config")["running_version"]
    say(f"served again {comes_back(card, *came):.1f} s after the card came back")

    def taken_in() -> bool:
        newest = api.ask("GET", "/config/versions")[0]
        return bool(newest["comment"] == f"the card is back: {came[0]}" and newest["state"] == "running")

    until("a version of the box's own runs", taken_in, LIMIT_S)
    assert api.ask("GET", "/config")["running_version"] == before + 1
