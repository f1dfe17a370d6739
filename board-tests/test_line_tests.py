"""Line tests of the product on real lines: what is found; no call is disturbed; kill -9 leaves nothing behind.

The exchange has test numbers (guest/shared/etc/board/both/extensions.conf): 8xxx plays its tone, 6xxx is a loop, 5xxx
quiet.
"""

from collections.abc import Callable
from typing import Any

import pytest
from board import until
from product import Api, Product
from seat import Seat, check_heard
from wire import LIMIT_S

DID = "075588886666"
TONE_HZ = 437.0
"""The exchange's."""
OFF = {"echo": "off"}
EXCHANGES_FXO, EXCHANGES_FXS = "DAHDI/225", "DAHDI/227"
"""Its ends of fxo-1 and fxs-1."""
SHOW_SET = "asterisk -rx 'dahdi show channel 99'"
"""fxs-1"""
TESTS_CALLS = "core show channels concise"


@pytest.fixture(scope="module")
def api(product: Product) -> Api:
    api = product.administrator()
    api.configure(
        {
            "e1_spans/e1-1": {"line": "e1-1", "name": "PRI", "signalling": {"kind": "pri"}, "clock": 1, "audio": OFF},
            "fxo_ports/fxo-1": {"line": "fxo-1", "name": "outside", "number": DID, "audio": OFF},
            "fxo_ports/fxo-2": {"line": "fxo-2", "name": "other", "number": "075588886667", "audio": OFF},
            "extensions/1021": {
                "number": "1021", "name": "Set", "kind": "analog", "analog": {"line": "fxs-1", "audio": OFF},
            },
        }
    )  # fmt: skip
    product.exchange.wait_pri()
    return api


def begin(api: Api, line: str, kind: str, **order: object) -> str:
    begun: dict[str, Any] = api.ask("POST", f"/lines/{line}/tests", {"kind": kind, **order})
    return str(begun["id"])


def now(api: Api, line: str, id_: str) -> dict[str, Any]:
    tests: list[dict[str, Any]] = api.ask("GET", f"/lines/{line}/tests")["tests"]
    return next(test for test in tests if test["id"] == id_)


def ended(api: Api, line: str, id_: str) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        test = now(api, line, id_)
        return test if test["ended_at"] else None

    return until(f"the test of {line} has ended", over, LIMIT_S)


def run(api: Api, line: str, kind: str, **order: object) -> dict[str, Any]:
    test = ended(api, line, begin(api, line, kind, **order))
    assert test["state"] == "done", test
    return test


def figure(test: dict[str, Any], name: str) -> float:
    (value,) = [one["value"] for one in test["figures"] if one["name"] == name]
    assert value is not None, test
    return float(value)


def free(product: Product) -> None:
    """No channel of a test is there any more, at either end."""

    def gone() -> bool:
        ours = product.run(f"asterisk -rx '{TESTS_CALLS}'")
        return "DAHDI/" not in ours and "DAHDI/" not in product.exchange.ami.command(TESTS_CALLS)

    until("the ports are free at both ends", gone, LIMIT_S)


@pytest.mark.parametrize(("line", "slot"), [("e1-1", 5), ("e1-1", 31), ("fxo-2", 1)])
def test_a_tone_of_the_exchange_is_measured(api: Api, line: str, slot: int, say: Callable[[str], None]) -> None:
    test = run(api, line, "level", timeslot=slot, number="8001", seconds=3)
    assert figure(test, "hz") == pytest.approx(TONE_HZ, abs=1)
    say(f"{line}:{slot}: {figure(test, 'level'):.1f} dBm0 at {figure(test, 'hz'):.1f} Hz")


def test_a_loop_gives_back_what_is_sent(api: Api, say: Callable[[str], None]) -> None:
    test = run(api, "e1-1", "tone", timeslot=7, number="6001", seconds=4, level_dbm0=-12)
    assert figure(test, "hz") == pytest.approx(1004, abs=1)
    assert figure(test, "loss") == pytest.approx(0, abs=0.5)
    test = run(api, "e1-1", "echo", timeslot=7, number="6001", seconds=4)
    assert figure(test, "return_loss") == pytest.approx(0, abs=1)
    say(f"delay of a loop through the exchange: {figure(test, 'delay'):.1f} ms")


def test_a_quiet_line_and_a_set(api: Api, product: Product) -> None:
    assert run(api, "fxo-2", "noise", number="5001", seconds=2)["verdict"] == "good"
    assert run(api, "fxs-1", "noise", seconds=2)["verdict"] == "good"
    assert "DND: no" in product.run(SHOW_SET)
    free(product)


def test_a_port_in_a_call_is_refused_and_another_one_tested_beside_it(api: Api, product: Product, seat: Seat) -> None:
    """The call on fxo-1 is heard at both ends from its beginning to its end."""
    call = seat.begin_call(EXCHANGES_FXO)
    for number in "", "8001":
        refused = ended(api, "fxo-1", begin(api, "fxo-1", "noise", number=number, seconds=2))
        assert (refused["state"], refused["reason"]["key"]) == ("failed", "in_call"), refused
    beside = run(api, "e1-1", "level", timeslot=9, number="8001", seconds=2)
    talk = seat.ended_call(*call)
    assert figure(beside, "hz") == pytest.approx(TONE_HZ, abs=1)
    check_heard(talk)
    free(product)


def known(api: Api) -> set[str]:
    lines: list[dict[str, Any]] = api.ask("GET", "/lines")["lines"]
    return {one["id"] for one in lines}


def measuring(api: Api, line: str, id_: str) -> None:
    until(f"{line} is being measured", lambda: now(api, line, id_)["progress"] is not None, LIMIT_S)


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("fxo-1", {"number": "6001"}),
        ("e1-1", {"number": "6001", "timeslot": 1}),
        ("fxs-1", {}),
    ],
    ids=["FXO", "PRI", "FXS"],
)
def test_kill_9_in_a_test_gives_the_port_back(
    api: Api, product: Product, line: str, order: dict[str, object], say: Callable[[str], None]
) -> None:
    id_ = begin(api, line, "tone", seconds=60, **order)
    measuring(api, line, id_)
    killed = product.times()
    product.run("systemctl kill -s KILL sa800-agent")
    product.wait_ready()
    until(f"{line} is known again", lambda: line in known(api), LIMIT_S)  # the cards are looked at after the start
    free(product)
    test = now(api, line, id_)
    assert (test["state"], test["reason"]["key"]) == ("failed", "restarted")
    say(f"{line} is free {product.times().since(killed)[0]:.1f} s after the kill")
    # The port is as it was: it can be had again, and is heard.
    if line == "fxs-1":
        until(
            "the set is rung again", lambda: "DND: no" in product.run("asterisk -rx 'dahdi show channel 99'"), LIMIT_S
        )
    else:
        again = run(api, line, "level", seconds=2, **{**order, "number": "8001"})
        assert figure(again, "hz") == pytest.approx(TONE_HZ, abs=1)


def test_a_call_on_such_a_port_afterwards(product: Product, seat: Seat) -> None:
    seat.be_idle()
    talk = seat.taken_call(EXCHANGES_FXO)
    check_heard(talk)
