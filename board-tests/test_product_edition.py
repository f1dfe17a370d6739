"""A box whose edition serves fewer lines than its cards have: the first ones named, and it says why no other."""

from typing import Any

import pytest
from product import Api, Product
from product_lines import WAYS, wait_shown
from seat import Seat, check_heard

SERVED, BEYOND = {"e1-1", "fxo-1", "fxs-1"}, {"e1-2", "e1-3"}
"""Analog lines have a limit of their own. The exchange's ends, which the box finds too, are beyond it as well."""


@pytest.fixture(scope="module")
def api(product: Product, set_up: Api) -> Api:
    """All lines were set up on an SA800; now it is an SE800, which serves one E1."""
    api = set_up
    assert not api.ask("GET", "/lines")["refusals"]
    product.run("""sed -i 's/^edition = .*/edition = "se800"/' /etc/sa800/box.toml""")
    product.run("systemctl restart sa800-lines sa800-init")
    product.wait_ready()
    wait_shown(api, "in_service", SERVED)
    product.wait_pri()
    return api


def refusals(api: Api) -> dict[str, dict[str, Any]]:
    """Line → why it is not served."""
    return {line: one for one in api.ask("GET", "/lines")["refusals"] for line in one["lines"]}


def test_it_says_why_a_line_is_not_served(product: Product, api: Api) -> None:
    wait_shown(api, "refused", BEYOND)
    overview = api.ask("GET", "/lines")
    assert (overview["product"], overview["e1_limit"]) == ("SE800", 1)
    why = refusals(api)
    assert why.keys() >= BEYOND and not why.keys() & SERVED
    told = [alarm["detail"]["reason"] for alarm in api.ask("GET", "/alarms") if alarm["key"] == "card.refused"]
    for line in BEYOND:
        assert f"{line} beyond the limit: SE800 serves 1 E1" in why[line]["reason"] and why[line]["hint"]
        assert why[line]["reason"] in told
    assert not product.served() & {*range(33, 96)}, "Asterisk was told nothing of them"


@pytest.mark.parametrize("line", ["e1-1", "fxo-1"])
def test_what_it_serves_it_serves(seat: Seat, line: str) -> None:
    seat.be_idle()
    talk = seat.taken_call(WAYS[line])
    check_heard(talk)
    assert talk.record["line"].partition(":")[0] == line


def test_no_call_goes_out_over_a_line_that_is_not_served(seat: Seat) -> None:
    record = seat.refused_call("828001")
    assert (record["result"], record["line"]) == ("failed", "")
