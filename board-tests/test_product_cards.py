"""A card of the product that comes, is set up, goes while Asterisk holds its lines, and comes back: beside a call on
another card, and without anybody's act."""

import json
from collections.abc import Callable, Iterator

import pytest
from board import until
from product import Api, Product
from product_lines import DID, ITEMS
from score import SHARE
from seat import LONG_S, Seat
from wire import LIMIT_S

PLACE, CHANNELS = "5:1", 31
"""Where the card is put in; its far ends are nowhere, so that its line is in alarm."""
LINES = {path: ITEMS[path] for path in ("e1_spans/e1-1", "line_trunks/pri", "outbound/81")}


@pytest.fixture(scope="module")
def api(product: Product) -> Api:
    api = product.administrator()
    api.configure(LINES)
    product.exchange.wait_pri()
    return api


@pytest.fixture(scope="module")
def line(product: Product, api: Api) -> str:
    """Of the new card. The box also sees the exchange's ends, and names them."""
    before = states(api).keys()
    product.run(f"/etc/board/cable plug {PLACE} {CHANNELS}")
    (name,) = until("the new card's line is there", lambda: states(api).keys() - before, LIMIT_S)
    return name


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


def states(api: Api) -> dict[str, str]:
    return {line["id"]: line["state"] for line in api.ask("GET", "/live")["lines"]}


def becomes(api: Api, line: str, state: str) -> None:
    until(f"{line} is {state}", lambda: states(api).get(line) == state, LIMIT_S)


def first_channel(product: Product, line: str) -> int:
    """Once `sa800-lines` gave its span a number."""
    return until(f"{line} has a number", lambda: reported(product).get(line), LIMIT_S)


def reported(product: Product) -> dict[str, int]:
    """Lines that are there → their first channel."""
    lines = json.loads(product.run("cat /run/sa800-lines/report.json"))["lines"]
    return {line["name"]: line["channel"] for line in lines}


def served(product: Product, first: int) -> set[int]:
    """Timeslots of the card that Asterisk serves."""
    said = product.run("asterisk -C /var/lib/sa800/asterisk/current/asterisk.conf -rx 'dahdi show channels'")
    numbers = {int(row.split()[0]) for row in said.splitlines() if row.split() and row.split()[0].isdigit()}
    return {one - first + 1 for one in numbers if first <= one < first + CHANNELS}


def seconds(product: Product) -> float:
    """Of the board's monotonic clock."""
    return float(product.run("cut -d' ' -f1 /proc/uptime"))


TALK = {*range(1, 16), *range(17, 32)}


def goes(product: Product, api: Api, line: str, first: int) -> None:
    """As when it is pulled: the kernel takes the span from whoever holds its channels, then the device is gone."""
    assert served(product, first) == TALK
    product.run(f"echo 1 > $(realpath /sys/bus/dahdi_spans/devices/span-{first // 32 + 1}/..)/unassign_span")
    until("Asterisk has let go of it", lambda: not served(product, first), LIMIT_S)
    product.run(f"/etc/board/cable pull {PLACE} {CHANNELS}")
    becomes(api, line, "missing")
    until("the report has it no more", lambda: line not in reported(product), LIMIT_S)


def comes_back(product: Product, api: Api, line: str, first: int) -> float:
    """How many seconds of the board it took until Asterisk serves it."""
    came = seconds(product)
    product.run(f"/etc/board/cable plug {PLACE} {CHANNELS}")
    until("Asterisk serves it again", lambda: served(product, first) == TALK, LIMIT_S)
    took = seconds(product) - came
    becomes(api, line, "alarm")
    return took


def test_a_card_comes_and_is_set_up(product: Product, api: Api, line: str) -> None:
    first = first_channel(product, line)
    assert not served(product, first)
    api.configure({f"e1_spans/{line}": {"line": line, "name": "New", "signalling": {"kind": "pri"}, "clock": 2}})
    assert served(product, first) == TALK
    becomes(api, line, "alarm")


def test_it_goes_and_comes_back(product: Product, api: Api, line: str, say: Callable[[str], None]) -> None:
    first = first_channel(product, line)
    goes(product, api, line, first)
    version = api.ask("GET", "/config")["running_version"]
    say(f"served again {comes_back(product, api, line, first):.1f} s after the card came back")
    assert api.ask("GET", "/config")["running_version"] == version


@pytest.mark.usefixtures("talking")
def test_what_is_applied_meanwhile_does_not_matter(
    product: Product, api: Api, line: str, say: Callable[[str], None]
) -> None:
    first = first_channel(product, line)
    goes(product, api, line, first)
    api.configure({"line_trunks/pri": {**ITEMS["line_trunks/pri"], "name": "PRI beside a missing card"}})
    before = api.ask("GET", "/config")["running_version"]
    say(f"served again {comes_back(product, api, line, first):.1f} s after the card came back")

    def taken_in() -> bool:
        newest = api.ask("GET", "/config/versions")[0]
        return bool(newest["comment"] == f"the card is back: {line}" and newest["state"] == "running")

    until("a version of the box's own runs", taken_in, LIMIT_S)
    assert api.ask("GET", "/config")["running_version"] == before + 1
