"""Calls between the exchange and a seat of the product, through its menu and queue."""

import pytest
from product import Product
from seat import Seat, Talk

DID = "075588886666"
ADMINISTRATOR = {"login": "admin", "password": "board board board", "name": "Board", "language": "en"}
SHARE = 0.8


@pytest.fixture(scope="module")
def seat(product: Product) -> Seat:
    product.wait_ready()
    api = product.api()
    api.ask("POST", "/setup", {"token": product.setup_token(), **ADMINISTRATOR})
    return Seat(product, api)


def check_heard(talk: Talk) -> None:
    assert min(talk.outside_heard, talk.seat_heard, *talk.recorded) >= SHARE, talk


def test_in_by_a_sip_trunk(seat: Seat) -> None:
    talk = seat.taken_call(f"PJSIP/{DID}@box")
    check_heard(talk)
    assert talk.record["result"] == "answered"
    assert (talk.record["caller_number"], talk.record["did"]) == ("13800138000", DID)
