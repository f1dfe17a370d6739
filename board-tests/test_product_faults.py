"""The product's lines in trouble: a cable pulled in a call, a dead agent, a dead Asterisk, lines out of service. Calls
go on where they can, and nothing hangs."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from board import until
from cable import in_service_s
from product import Api, ApiError, Product
from product_lines import WAYS, wait_in_service
from score import SHARE
from seat import LONG_S, Seat, check_heard
from wire import LIMIT_S

SEEN_S = 0.2
"""From the kernel's alarm to the live board. A test fails at five times that."""
SERVICE_S = 5.0
"""From the far end's first SABME to our link in service; five times that fails."""
OUT_OF_ORDER = 27


def lines(api: Api) -> dict[str, dict[str, Any]]:
    """As the live board has them, by name. An agent that has just started has not looked yet."""
    return until(
        "the live board shows lines", lambda: {one["id"]: one for one in api.ask("GET", "/live")["lines"]}, LIMIT_S
    )


def line(api: Api, name: str) -> dict[str, Any]:
    return lines(api)[name]


def quiet(product: Product, api: Api) -> None:
    """Until neither the box nor the exchange has a call on a line left."""

    def no_calls() -> bool:
        shown = lines(api)
        return not any(shown[name]["calls"] for name in WAYS)

    def all_free() -> bool:
        return "DAHDI/" not in product.exchange.ami.command("core show channels concise")

    until("no line of the box is in a call", no_calls, LIMIT_S)
    until("no line of the exchange is in a call", all_free, LIMIT_S)


def test_a_cable_is_pulled_in_a_call_and_put_back(
    product: Product, api: Api, seat: Seat, say: Callable[[str], None]
) -> None:
    seat.begin_call(WAYS["e1-1"], talk_s=LONG_S)
    assert line(api, "e1-1")["state"] == "in_call"
    assert all(period["until"] for period in alarms(api)), "nothing is wrong before"

    product.kill_exchange()
    pulled, raised, shown = map(float, product.run(f"/etc/board/watched {api.cookie} e1-1 1 1:0 31").split())
    say(f"the kernel's alarm {raised - pulled:.2f} s after the pull, on a page {1000 * (shown - raised):.0f} ms later")
    assert shown - raised <= 5 * SEEN_S
    assert line(api, "e1-1")["alarms"] == ["red"]
    period = alarms(api)[0]
    assert (period["alarm"], period["until"]) == ("red", None)
    record = seat.next_record()
    closed_s = seconds(record["ended_at"]) - seconds(period["since"])
    say(f"the call was closed {closed_s:.1f} s after the alarm")
    assert (record["line"], record["hangup_cause"]) == ("e1-1:1", OUT_OF_ORDER)

    trace = api.ask("POST", "/lines/e1-1/traces", {"seconds": 300})["id"]
    product.run("/etc/board/spans plug 1:0")
    product.start_exchange()
    wait_in_service(product)
    until("the live board shows the line in service", lambda: line(api, "e1-1")["state"] == "in_service", LIMIT_S)
    api.ask("POST", f"/traces/{trace}/stop")
    told = api.raw("GET", f"/traces/{trace}").decode()
    service_s = in_service_s(told)
    assert service_s is not None and service_s <= 5 * SERVICE_S, re.findall(r".*(?:SABME|Multi-frame).*", told)
    say(f"our link in service {service_s:.2f} s after the far end's first SABME")
    ended = alarms(api)[0]
    assert (ended["alarm"], ended["since"]) == ("red", period["since"]) and ended["until"]
    quiet(product, api)
    seat.register()
    seat.be_idle()
    check_heard(seat.taken_call(WAYS["e1-1"]))


def alarms(api: Api) -> list[dict[str, Any]]:
    """Of e1-1, newest first."""
    periods: list[dict[str, Any]] = api.ask("GET", "/lines/e1-1/history")["alarms"]
    return periods


def seconds(rfc3339: str) -> float:
    return datetime.fromisoformat(rfc3339).timestamp()


def wait_written(api: Api, results: dict[str, str]) -> None:
    """Until the last calls are in the records: line → result."""

    def written() -> bool:
        items = api.ask("GET", f"/records?sort=-started_at&limit={len(results)}")["items"]
        return {item["line"]: item["result"] for item in items if item["ended_at"]} == results

    until(f"the records tell {results}", written, LIMIT_S)


def test_calls_go_on_while_the_agent_is_dead(product: Product, api: Api, seat: Seat) -> None:
    call = seat.begin_call(WAYS["e1-2"], talk_s=LONG_S)
    product.run("systemctl kill -s KILL sa800-agent; systemctl stop sa800-agent")
    with pytest.raises(ApiError):
        api.ask("GET", "/status")
    seat.hang_up(call)
    assert min(seat.heard(call)) >= SHARE
    # Nobody gives the seat its calls now but Asterisk's queue.
    assert min(seat.heard(seat.begin_call(WAYS["fxo-1"]))) >= SHARE
    product.run("systemctl start sa800-agent")
    product.wait_ready()
    wait_written(api, {"e1-2:1": "answered", "fxo-1": "answered"})
    quiet(product, api)
    seat.next_record()


def test_a_dead_asterisk_lets_go_of_its_lines(product: Product, api: Api, seat: Seat) -> None:
    api.ask("POST", "/lines/e1-3/block", {"timeslots": [5]})
    call = seat.begin_call(WAYS["e1-1"], talk_s=LONG_S)
    for name in ("e1-2", "e1-3", "fxo-1"):
        seat.begin_queueing(WAYS[name])

    def all_in_calls() -> bool:
        shown = lines(api)
        return all(shown[name]["calls"] for name in WAYS)

    until("all four lines are in a call", all_in_calls, LIMIT_S)
    product.run("systemctl kill -s KILL asterisk")
    product.wait_ready()
    quiet(product, api)
    seat.hang_up(call, after_s=0)  # nobody tells who talks by SIP
    wait_written(api, dict.fromkeys(("e1-1:1", "e1-2:1", "e1-3:1", "fxo-1"), "interrupted"))
    seat.next_record()
    wait_in_service(product)
    until("the exchange is told again of the blocked circuit", lambda: circuit_blocked(product), LIMIT_S)
    api.ask("POST", "/lines/e1-3/unblock", {})
    for name, way in WAYS.items():
        seat.be_idle()
        check_heard(seat.taken_call(way))
        assert line(api, name)["stuck"] == []


def test_a_block_of_r2_is_seen_at_the_other_end(product: Product, api: Api) -> None:
    def bits() -> str:
        """What the exchange receives from timeslot 1."""
        rows = map(str.split, product.exchange.ami.command("mfcr2 show channels").splitlines())
        return next(row[-1] for row in rows if row[:1] == ["161"])

    assert bits() == "IDLE"
    assert api.ask("POST", "/lines/e1-2/block", {"timeslots": [1]})["line"]["blocked"] == [1]
    until("the exchange sees the channel blocked", lambda: bits() == "BLOCK", LIMIT_S)
    assert api.ask("POST", "/lines/e1-2/unblock", {"timeslots": [1]})["line"]["blocked"] == []
    until("the exchange sees it idle", lambda: bits() == "IDLE", LIMIT_S)


def test_a_block_of_an_ss7_circuit_is_seen_at_the_other_end(product: Product, api: Api) -> None:
    assert not circuit_blocked(product)
    api.ask("POST", "/lines/e1-3/block", {"timeslots": [5]})
    until("the exchange knows of the block", lambda: circuit_blocked(product), LIMIT_S)
    api.ask("POST", "/lines/e1-3/unblock", {"timeslots": [5]})
    until("the exchange knows that it is over", lambda: not circuit_blocked(product), LIMIT_S)


def test_an_outside_line_out_of_service_takes_no_calls_out(api: Api, seat: Seat) -> None:
    api.ask("POST", "/lines/fxo-1/block", {})
    assert line(api, "fxo-1")["blocked"] == [1]
    record = seat.refused_call("848001")
    assert (record["result"], record["line"]) == ("failed", ""), "no line was taken"
    api.ask("POST", "/lines/fxo-1/unblock", {})
    talk, called = seat.made_call("848001")
    check_heard(talk)
    assert called["Number"] == "8001"


def test_a_pri_is_refused_with_the_reason(api: Api) -> None:
    with pytest.raises(ApiError, match="B channels of a PRI") as refused:
        api.ask("POST", "/lines/e1-1/block", {"timeslots": [1]})
    assert refused.value.key == "lines.not_blockable"


def circuit_blocked(product: Product) -> bool:
    """Circuit 5 of e1-3 by the box, as the exchange knows it."""
    rows = map(str.split, product.exchange.ami.command("ss7 show cics 1").splitlines())
    return any(row[:1] == ["5"] and "R:M" in row for row in rows)
