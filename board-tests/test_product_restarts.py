"""Services of the product started anew while it has lines: calls go on beside what does not carry them, and what
carries them serves again by nobody's act."""

import pytest
from product import Api, Product
from product_lines import WAYS, wait_in_service, wait_shown
from score import SHARE
from seat import LONG_S, Seat, check_heard


@pytest.mark.parametrize("unit", ["sa800-lines", "sa800-agent"])
def test_a_call_goes_on(product: Product, api: Api, seat: Seat, unit: str) -> None:
    before = product.served()
    seat.be_idle()
    call = seat.begin_call(WAYS["e1-1"], talk_s=LONG_S)
    product.run(f"systemctl restart {unit}")
    product.wait_ready()
    wait_shown(api, "in_call", {"e1-1"})
    seat.hang_up(call)
    assert min(seat.heard(call)) >= SHARE
    record = seat.next_record()
    assert (record["line"], record["result"]) == ("e1-1:1", "answered")
    assert product.served() == before


def test_lines_serve_again_when_all_is_started_anew(product: Product, api: Api, seat: Seat) -> None:
    """What needs sa800-init is started anew with it: Asterisk, agent and front."""
    before, version = product.served(), api.ask("GET", "/config")["running_version"]
    product.run("systemctl restart sa800-lines sa800-init")
    product.wait_ready()
    wait_shown(api, "in_service", {*WAYS, "fxs-1"})
    wait_in_service(product)
    assert product.served() == before
    assert api.ask("GET", "/config")["running_version"] == version, "nothing had to be applied"
    for line, way in WAYS.items():
        seat.be_idle()
        talk = seat.taken_call(way)
        check_heard(talk)
        assert talk.record["line"].partition(":")[0] == line
