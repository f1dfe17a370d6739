"""Changes of the product's lines beside calls: what Asterisk and the cards are told, and what comes back."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from board import until
from product import Api, Product
from product_lines import DID, ITEMS, QUIET
from score import SHARE
from seat import LONG_S, Seat, check_heard
from wire import LIMIT_S

PRI, R2 = ITEMS["e1_spans/e1-1"], ITEMS["e1_spans/e1-2"]
FXO = ITEMS["fxo_ports/fxo-1"]
SECOND = {"line": "fxo-2", "name": "Two", "number": DID, "audio": QUIET}
AWAY = {"number": "2009", "name": "Away", "kind": "analog", "analog": {"line": "fxs-7"}}
OF_SS7 = {"linksets/1", "e1_spans/e1-3", "line_trunks/ss7", "outbound/83"}
LINES = {path: item for path, item in ITEMS.items() if path not in OF_SS7} | {
    "fxo_ports/fxo-2": SECOND,
    "extensions/2009": AWAY,
}
"""Without SS7, beside which a change restarts Asterisk (ADR 0017). The card of fxs-7 is away."""
CONFIGURED = {"e1-1", "e1-2", "fxo-1", "fxo-2", "fxs-1"}
SERVED = {*range(1, 16), *range(17, 32), *range(33, 48), *range(49, 64), 97, 98, 99}
OVER_PRI, OVER_R2, OVER_FXO, OVER_SECOND = f"DAHDI/g1/{DID}", f"DAHDI/g2/{DID}", "DAHDI/225", "DAHDI/226"
"""How the exchange calls over e1-1, e1-2, fxo-1, fxo-2."""


@pytest.fixture(scope="module")
def api(product: Product) -> Api:
    """The administrator's; the lines are configured and the links up."""
    api = product.administrator()
    api.configure(LINES)
    product.wait_pri()
    product.exchange.wait_r2()
    return api


@contextlib.contextmanager
def call_up(product: Product, seat: Seat, way: str) -> Iterator[None]:
    """A call over a line: the same one before, meanwhile and afterwards, and all of it heard well at both ends."""
    seat.be_idle()
    call = seat.begin_call(way, talk_s=LONG_S)
    try:
        (channel,) = lines_in_use(product)
        yield
        assert lines_in_use(product) == [channel]
    finally:
        seat.hang_up(call)
    assert min(seat.heard(call)) >= SHARE


def console(product: Product, command: str) -> str:
    return product.run(f"asterisk -rx '{command}'")


def lines_in_use(product: Product) -> list[str]:
    """Names of the channels that the box's Asterisk has on lines."""
    rows = (row.partition("!")[0] for row in console(product, "core show channels concise").splitlines())
    return [name for name in rows if name.startswith("DAHDI/")]


def served(product: Product) -> set[int]:
    """DAHDI's channels that the box's Asterisk has."""
    rows = (row.split() for row in console(product, "dahdi show channels").splitlines())
    return {int(row[0]) for row in rows if row and row[0].isdigit()}


def told(job: dict[str, Any]) -> list[str]:
    """What was told to Asterisk and to the cards."""
    return [text for step in job["steps"] for text in step["log"]]


def journal_end(product: Product) -> str:
    return product.run("journalctl -n 1 --show-cursor").rpartition("-- cursor: ")[2].strip()


def requests(product: Product, since: str) -> set[str]:
    """What the agent asked of DAHDI since then (`journal_end`): "DAHDI_CHANCONFIG channel 97", …"""
    journal = f"journalctl -u sa800-agent -o cat --after-cursor '{since}'"
    return set(product.run(f"{journal} | grep -o 'DAHDI_[A-Z_]* [a-z]* [0-9]*' | sort -u").splitlines())


def report(product: Product) -> dict[str, dict[str, Any]]:
    lines: list[dict[str, Any]] = json.loads(product.run("cat /run/sa800-lines/report.json"))["lines"]
    return {line["name"]: line for line in lines}


def test_lines_of_each_kind_are_configured_and_read_back(product: Product, api: Api) -> None:
    lines = report(product)
    assert {name for name, line in lines.items() if line["configured"]} == CONFIGURED
    assert not any(line["trouble"] for line in lines.values())
    assert served(product) == SERVED, "a set whose card is away is left out"


def test_a_changed_port_touches_no_other(product: Product, api: Api, seat: Seat) -> None:
    """Beside a call on another port of the same card."""
    since = journal_end(product)
    with call_up(product, seat, OVER_SECOND):
        words = told(api.configure({"fxo_ports/fxo-1": {**FXO, "caller_id": "fsk_v23"}}))
    assert words[0] == "dahdi destroy channels 97 97" and words[-1] == "dahdi create channels 97 97"
    assert {text.partition(":")[0] for text in words[1:-1] if text != "dialplan reload"} == {"fxo-1"}
    # That a span shall start does nothing to one that runs, as that of a port in a call does.
    assert requests(product, since) == {
        "DAHDI_ATTACH_ECHOCAN channel 97", "DAHDI_CHANCONFIG channel 97", "DAHDI_STARTUP span 4"
    }  # fmt: skip
    assert served(product) == SERVED


@pytest.mark.parametrize(
    "changed",
    [
        {**R2, "signalling": {"kind": "r2", "dnis_digits": len(DID) + 1}},
        {**R2, "signalling": {"kind": "pri"}},
        R2,
    ],
    ids=["R2", "R2 to PRI", "PRI to R2"],
)
def test_a_changed_span_touches_no_other(product: Product, api: Api, seat: Seat, changed: dict[str, Any]) -> None:
    since = journal_end(product)
    with call_up(product, seat, OVER_PRI):
        words = told(api.configure({"e1_spans/e1-2": changed}))
    commands = {text for text in words if not text.startswith("e1-2: ")}
    assert commands and commands <= {
        "pri destroy span 2", "dahdi destroy channels 33 63", "dahdi create channels 33 63", "dialplan reload"
    }  # fmt: skip
    whom = {request.partition(" ")[2] for request in requests(product, since)}
    assert "span 2" in whom and whom <= {"span 2", *(f"channel {number}" for number in range(33, 64))}
    assert served(product) == SERVED


def test_a_changed_pri_comes_back(product: Product, api: Api) -> None:
    pid = product.run("systemctl show -P MainPID asterisk")
    api.configure({"e1_spans/e1-1": {**PRI, "crc4": True}})
    assert served(product) == SERVED
    assert product.run("systemctl show -P MainPID asterisk") == pid, "Asterisk never died"
    # The exchange saw no alarm and takes the link for up all the time: only our end knows.
    until("our PRI link is up", lambda: "Up, Active" in console(product, "pri show spans"), LIMIT_S)
    product.exchange.wait_r2()


@pytest.mark.parametrize("way", [OVER_PRI, OVER_R2, OVER_FXO], ids=["PRI", "R2", "FXO"])
def test_what_was_changed_carries_calls(seat: Seat, way: str) -> None:
    seat.be_idle()
    talk = seat.taken_call(way)
    check_heard(talk)


def test_a_change_that_a_card_does_not_take_is_taken_back(product: Product, api: Api, seat: Seat) -> None:
    """The kernel has no such echo canceller (any more)."""
    before = api.ask("GET", "/config")["running_version"]
    product.run("echo 'install dahdi_echocan_jpah /bin/false' >/etc/modprobe.d/board.conf")
    with call_up(product, seat, OVER_FXO), pytest.raises(RuntimeError, match="fxo_ports/fxo-2"):
        api.configure({"fxo_ports/fxo-2": {**SECOND, "audio": {"echo": "jpah"}}})
    api.put({"fxo_ports/fxo-2": SECOND})
    assert api.ask("GET", "/config")["running_version"] == before
    assert served(product) == SERVED
    assert report(product)["fxo-2"]["trouble"] == ""
    product.run("rm /etc/modprobe.d/board.conf")
