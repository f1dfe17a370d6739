"""The lines of the product as a person sets them up: one of each kind, each with a trunk and a prefix of its own; and
who does that, once a run. A module with other lines has an `api` of its own."""

from collections.abc import Callable, Collection
from typing import Any

import pytest
from board import CALLS, NO_CALL, until
from product import Api, Product
from seat import Seat
from wire import LIMIT_S

DID = "075588886666"
"""Leads into a menu of the sample configuration, and there to the queue of its seats."""
WAYS = {"e1-1": f"DAHDI/g1/{DID}", "e1-2": f"DAHDI/g2/{DID}", "e1-3": f"DAHDI/g3/{DID}", "fxo-1": "DAHDI/225"}
"""Line of the box → how the exchange calls over it."""
SET = "2001"
"""Extension of the telephone set at fxs-1."""
QUIET = {"echo": "off"}
"""Two steady tones deceive an echo canceller."""
ITEMS: dict[str, dict[str, Any]] = {
    "linksets/1": {"id": "1", "name": "City", "own_point_code": 2, "adjacent_point_code": 1},
    "e1_spans/e1-1": {"line": "e1-1", "name": "PRI", "signalling": {"kind": "pri"}, "clock": 1},
    "e1_spans/e1-2": {"line": "e1-2", "name": "R2", "signalling": {"kind": "r2", "dnis_digits": len(DID)}, "clock": 2},
    "e1_spans/e1-3": {
        "line": "e1-3", "name": "SS7", "signalling": {"kind": "ss7", "linkset": "1", "first_cic": 1}, "clock": 3
    },
    "fxo_ports/fxo-1": {"line": "fxo-1", "name": "Outside", "number": DID, "audio": QUIET},
    f"extensions/{SET}": {
        "number": SET, "name": "Set", "kind": "analog", "analog": {"line": "fxs-1", "audio": QUIET}
    },
    "line_trunks/pri": {"id": "pri", "name": "PRI", "lines": ["e1-1"]},
    "line_trunks/r2": {"id": "r2", "name": "R2", "lines": ["e1-2"]},
    "line_trunks/ss7": {"id": "ss7", "name": "SS7", "lines": ["e1-3"]},
    "line_trunks/pots": {"id": "pots", "name": "Outside line", "lines": ["fxo-1"]},
    "outbound/81": {"prefix": "81", "trunk": "pri"},
    "outbound/82": {"prefix": "82", "trunk": "r2"},
    "outbound/83": {"prefix": "83", "trunk": "ss7"},
    "outbound/84": {"prefix": "84", "trunk": "pots"},
}  # fmt: skip
"""Path in the configuration → item."""


def wait_shown(api: Api, state: str, lines: Collection[str]) -> None:
    """Until the live board has them all in this state."""

    def shown() -> bool:
        now = {line["id"]: line["state"] for line in api.ask("GET", "/live")["lines"]}
        return {now.get(line) for line in lines} == {state}

    until(f"{', '.join(sorted(lines))}: {state}", shown, LIMIT_S)


def wait_in_service(product: Product) -> None:
    """Until the exchange sees every link up, and no channel blocked or just restarted."""
    product.wait_pri()
    product.exchange.wait_r2()
    product.exchange.wait_says("ss7 show linkset 1", "status: Up")


@pytest.fixture(scope="module")
def set_up(product: Product, begin: Callable[..., bool]) -> Api:
    """The administrator's session, once all lines are in service."""

    def make() -> None:
        product.administrator().configure(ITEMS)
        wait_in_service(product)

    made = begin("set_up", "product", make)
    api = product.administrator()
    if not made:
        check_unused(product, api)
    return api


def check_unused(product: Product, api: Api) -> None:
    """The saved state is one before any call. Raises AssertionError."""
    called = NO_CALL not in product.run(f"asterisk -rx '{CALLS}'") or api.ask("GET", "/records")["items"]
    assert not called, "the state that was restored is one in which calls were made"


@pytest.fixture(scope="module")
def api(set_up: Api) -> Api:
    """The administrator's session; all lines are in service."""
    return set_up


@pytest.fixture(scope="module")
def seat(product: Product, api: Api) -> Seat:
    """The administrator as a seat, idle, once the lines are set up."""
    return Seat(product, api)
