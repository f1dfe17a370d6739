"""The product's own lines: set up by its HTTP interface, called from the exchange, which is beside the box and apart,
answered and dialled at a seat."""

import re

import pytest
from product import Product
from product_lines import DID, SET
from seat import EXTENSION, Seat, check_heard

CALLER = "13800138000"
FXO, FXS = 225, 227
"""The exchange's ends of fxo-1 and fxs-1."""


@pytest.mark.parametrize(
    ("dialled", "trunk", "line"),
    [
        (f"PJSIP/{DID}@box", "exchange", r"PJSIP/trunk-exchange-\w+"),
        (f"DAHDI/g1/{DID}", "pri", "e1-1:1"),
        (f"DAHDI/g2/{DID}", "r2", "e1-2:1"),
        (f"DAHDI/g3/{DID}", "ss7", "e1-3:1"),
        (f"DAHDI/{FXO}", "pots", "fxo-1"),
    ],
    ids=["SIP", "PRI", "R2", "SS7", "FXO"],
)
def test_in_through_menu_and_queue_to_the_seat(seat: Seat, dialled: str, trunk: str, line: str) -> None:
    talk = seat.taken_call(dialled, from_=CALLER)
    check_heard(talk)
    record = talk.record
    assert (record["direction"], record["result"], record["queue"]) == ("inbound", "answered", "service")
    assert (record["did"], record["caller_number"], record["extension"]) == (DID, CALLER, EXTENSION)
    assert record["trunk"] == trunk and re.fullmatch(line, record["line"]), (record["trunk"], record["line"])
    assert len(talk.recorded) == 2


def test_who_withholds_his_number_is_told_to_nobody(product: Product, seat: Seat) -> None:
    """The exchange passes it: Asterisk's own first row has it, in the record and at the seat it is not."""
    since = len(product.exchange.ami.events)
    talk = seat.taken_call(f"DAHDI/g1/{DID}", from_="13800138009", withheld=True)
    check_heard(talk)
    assert talk.record["caller_number"] == ""
    assert product.exchange.ami.wait("UserEvent", UserEvent="Rung", since=since)["From"] in {"", "anonymous"}
    rows = product.run("grep CHAN_START /var/log/asterisk/cel-custom/journal.jsonl | tail -n 3")
    assert "13800138009" in rows, "the exchange did pass it"


@pytest.mark.parametrize(
    ("prefix", "trunk", "line", "caller"),
    [
        ("81", "pri", "e1-1:1", EXTENSION),
        ("82", "r2", "e1-2:1", EXTENSION),
        ("83", "ss7", "e1-3:1", EXTENSION),
        ("84", "pots", "fxo-1", ""),
    ],
    ids=["PRI", "R2", "SS7", "FXO"],
)
def test_a_seat_calls_out(seat: Seat, prefix: str, trunk: str, line: str, caller: str) -> None:
    talk, called = seat.made_call(f"{prefix}8001")
    check_heard(talk)
    assert (called["Number"], called["From"]) == ("8001", caller)
    record = talk.record
    assert (record["direction"], record["result"], record["called_number"]) == ("outbound", "answered", "8001")
    assert (record["caller_number"], record["extension"]) == (EXTENSION, EXTENSION)
    assert (record["trunk"], record["line"]) == (trunk, line)
    assert len(talk.recorded) == 2


def test_a_telephone_set_calls_the_seat(seat: Seat) -> None:
    talk = seat.direct_call(f"DAHDI/{FXS}/{EXTENSION}")
    check_heard(talk)
    record = talk.record
    assert (record["direction"], record["result"]) == ("internal", "answered")
    assert (record["caller_number"], record["called_number"]) == (SET, EXTENSION)


def test_the_seat_calls_the_telephone_set_right_after_that(seat: Seat) -> None:
    """Its port still drops the battery of the call before (docs/adr/0021)."""
    talk, called = seat.made_call(SET)
    check_heard(talk)
    assert called.get("Number", "") == "" and called["Channel"].startswith(f"DAHDI/{FXS}-")
    record = talk.record
    assert (record["direction"], record["result"]) == ("internal", "answered")
    assert (record["caller_number"], record["called_number"]) == (EXTENSION, SET)


def test_the_exchange_shares_the_kernel_and_nothing_else(product: Product) -> None:
    def seen_by_exchange(command: str) -> str:
        leader = product.run("systemctl show -P MainPID exchange").strip()
        return product.run(f"nsenter --target {leader} --mount --pid --net {command}")

    product.exchange.ami.action("Ping")
    assert "10.0.2.15" not in seen_by_exchange("ip -o -4 address")
    assert "sa800-agent" not in seen_by_exchange("sh -c 'cat /proc/[0-9]*/cgroup'")
    assert product.run("ls /var/lib/sa800") and not seen_by_exchange("ls /var/lib/sa800")
