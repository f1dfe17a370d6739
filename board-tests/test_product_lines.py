"""The product's own lines: configured by its HTTP interface, called from the exchange, answered at a seat."""

import pytest
from product import Api, Product
from seat import Seat, Talk

DID = "075588886666"
CALLER = "13800138000"
SHARE = 0.8


@pytest.fixture(scope="module")
def api(product: Product) -> Api:
    """The administrator's, with a PRI and an FXO line configured (no echo canceller: two steady tones deceive it)."""
    api = product.administrator()
    api.configure(
        {
            "e1_spans/e1-1": {"line": "e1-1", "name": "PRI", "signalling": {"kind": "pri"}, "clock": 1},
            "fxo_ports/fxo-1": {"line": "fxo-1", "name": "outside", "number": DID, "audio": {"echo": "off"}},
            "line_trunks/city": {"id": "city", "name": "City", "lines": ["e1-1"]},
            "line_trunks/pots": {"id": "pots", "name": "Outside line", "lines": ["fxo-1"]},
            "outbound/8": {"prefix": "8", "trunk": "city"},
        }
    )  # fmt: skip
    product.exchange.wait_pri()
    return api


@pytest.fixture(scope="module")
def seat(product: Product, api: Api) -> Seat:
    return Seat(product, api)


def check_heard(talk: Talk) -> None:
    assert min(talk.outside_heard, talk.seat_heard, *talk.recorded) >= SHARE, talk


@pytest.mark.parametrize(
    ("line", "trunk", "dialled", "caller"),
    [
        ("", "exchange", f"PJSIP/{DID}@box", CALLER),
        ("e1-1:", "city", f"DAHDI/g1/{DID}", CALLER),
        ("fxo-1", "pots", "DAHDI/225", CALLER),
    ],
    ids=["SIP", "PRI", "FXO"],
)
def test_in_through_menu_and_queue_to_the_seat(seat: Seat, line: str, trunk: str, dialled: str, caller: str) -> None:
    talk = seat.taken_call(dialled, from_=CALLER)
    check_heard(talk)
    record = talk.record
    assert (record["result"], record["queue"], record["did"]) == ("answered", "service", DID)
    assert (record["trunk"], record["caller_number"]) == (trunk, caller)
    assert record["line"].startswith(line)
