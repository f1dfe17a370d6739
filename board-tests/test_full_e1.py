"""A full E1 of the product: thirty calls at once, half of them out, stay up for two minutes; each has its record. Five
are listened to, at both ends and in the box's own recordings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from board import until
from product import Api, Product
from score import SHARE, samples, tone_share
from seat import EXTENSION, LONG_S, SEAT_HZ, Seat
from wire import LIMIT_S

DID = "88880001"
FIRST = 129
"""DAHDI channel of timeslot 1 at the exchange's end (guest/product/etc/board/spans)."""
SLOTS = [*range(1, 16), *range(17, 32)]
IN, OUT = SLOTS[:15], SLOTS[15:]
LISTENED = {1, 2, 3, 17, 18}
"""These calls are recorded at both ends by the exchange; in the others both ends only play their tone."""
UP_S = 120
LOOK_EVERY_S = 5
CUT_S = 2
"""At both ends of a recording: the other's tone is not there yet, or its hang-up has not been noticed yet."""


@dataclass(frozen=True, slots=True)
class Up:
    """One call that is up. Channels of the exchange's Asterisk."""

    slot: int
    """The call's name here; a call out may be in another timeslot."""
    number: str
    """Of the party outside."""
    outside: str
    """Channel at the E1."""
    outside_id: str
    seat_id: str

    @property
    def is_in(self) -> bool:
        return self.slot in IN


@pytest.fixture(scope="module")
def api(product: Product) -> Api:
    api = product.administrator()
    target = {"kind": "extension", "extension": EXTENSION}
    api.configure(
        {
            "e1_spans/e1-1": {"line": "e1-1", "name": "PRI", "signalling": {"kind": "pri"}, "clock": 1},
            # From the other end than the exchange: the two never take the same timeslot.
            "line_trunks/city": {"id": "city", "name": "City", "lines": ["e1-1"], "order": "descending"},
            "outbound/8": {"prefix": "8", "trunk": "city"},
            f"dids/{DID}": {"number": DID, "name": "Direct", "target": target},
        }
    )
    product.wait_pri()
    return api


def context(slot: int) -> str:
    """Of the exchange's dialplan: only what is listened to is recorded there."""
    return "talk" if slot in LISTENED else "tone"


def begin_in(product: Product, slot: int) -> Up:
    """The exchange calls the seat's number. The seat's telephone knows by the caller's whether it is listened to."""
    number, ami = f"{138 if slot in LISTENED else 139}001380{slot:02}", product.exchange.ami
    since = len(ami.events)
    began = originate(product, f"DAHDI/{FIRST - 1 + slot}/{DID}", context(slot), number)
    rung = ami.wait("UserEvent", UserEvent="Rung", since=since)
    return Up(slot, number, began["Channel"], began["Uniqueid"], rung["Id"])


def begin_out(product: Product, slot: int) -> Up:
    """The seat's telephone calls somebody at the exchange."""
    number, ami = f"{8 if slot in LISTENED else 7}0{slot:02}", product.exchange.ami
    since = len(ami.events)
    began = originate(product, f"PJSIP/8{number}@phone", context(slot), hz=SEAT_HZ)
    came = ami.wait("UserEvent", UserEvent="Called", Number=number, since=since)
    return Up(slot, number, came["Channel"], came["Id"], began["Uniqueid"])


def originate(product: Product, line: str, context: str, from_: str = "", hz: float | None = None) -> dict[str, str]:
    ami = product.exchange.ami
    asked = ami.action(
        "Originate", variables={"HZ": f"{hz:g}"} if hz else {}, Channel=line, Context=context, Exten="s", Priority="1",
        CallerID=f"<{from_}>" if from_ else "", Async="true", Timeout="60000",
    )  # fmt: skip
    began = ami.wait("OriginateResponse", ActionID=asked["ActionID"])
    assert began["Response"] == "Success", began
    return began


def stay(product: Product, seconds: float) -> tuple[float, float]:
    """So long by the board's clock: how long it was, and the idle share of its processor."""
    before = product.times()
    while (now := product.times().since(before))[0] < seconds:
        product.run(f"sleep {LOOK_EVERY_S}", limit_s=10 * LIMIT_S)
        product.exchange.ami.action("Ping")  # who does not read its events is disconnected
    return now


def heard(wav: bytes, hz: float) -> float:
    sound, rate = samples(wav)
    return tone_share(sound[rate * CUT_S : -rate * CUT_S], rate, hz)


def check_heard(product: Product, api: Api, call: Up, record: dict[str, Any]) -> None:
    outside_hz = product.exchange.tone_hz
    for unique_id, hz in ((call.outside_id, SEAT_HZ), (call.seat_id, outside_hz)):
        product.fetch(f"heard/{unique_id}.done")
        assert heard(product.fetch(f"heard/{unique_id}.wav"), hz) >= SHARE, (call, hz)
    (outside, ours), rate = samples(api.raw("GET", f"/records/{record['call_id']}/recording"), channels=2)
    for side, hz in ((outside, outside_hz), (ours, SEAT_HZ)):
        assert len(side) >= rate * UP_S
        assert tone_share(side[rate * CUT_S : -rate * CUT_S], rate, hz) >= SHARE, (call, hz)


def check_record(call: Up, record: dict[str, Any]) -> None:
    told = {name: record[name] for name in ("direction", "result", "trunk", "extension")}
    direction = "inbound" if call.is_in else "outbound"
    assert told == {"direction": direction, "result": "answered", "trunk": "city", "extension": EXTENSION}
    if call.is_in:
        assert (record["caller_number"], record["did"], record["line"]) == (call.number, DID, f"e1-1:{call.slot}")
    assert record["talk_ms"] >= 1000 * UP_S
    assert record["recording"]["seconds"] >= UP_S


@pytest.mark.timeout(5400)
def test_thirty_calls(product: Product, api: Api, say: Callable[[str], None]) -> None:
    Seat(product, api)
    product.exchange.ami.action("Setvar", Variable="SEAT_TALK_S", Value=f"{LONG_S:g}")
    before = product.times()
    calls = [begin_in(product, slot) for slot in IN] + [begin_out(product, slot) for slot in OUT]
    seconds, idle = product.times().since(before)
    say(f"{len(calls)} calls begun in {seconds:.0f} s, guest {idle:.0%} idle")
    seconds, idle = stay(product, UP_S)
    say(f"{len(calls)} calls up for {seconds:.0f} s, guest {idle:.0%} idle")
    assert f"{len(calls)} active calls" in product.run("asterisk -rx 'core show channels count'")

    for call in calls:
        product.exchange.ami.action("Hangup", Channel=call.outside, Cause="16")

    def written() -> list[dict[str, Any]] | None:
        items: list[dict[str, Any]] = api.ask("GET", "/records?limit=200")["items"]
        return items if len([one for one in items if one["recording"]]) == len(calls) else None

    records = until("each call has its record and its recording", written, LIMIT_S)
    by_number = {one["caller_number" if one["direction"] == "inbound" else "called_number"]: one for one in records}
    for call in calls:
        check_record(call, by_number[call.number])
    assert {one["line"] for one in records} == {f"e1-1:{slot}" for slot in SLOTS}
    for call in calls:
        if call.slot in LISTENED:
            check_heard(product, api, call, by_number[call.number])
    assert "0 active channels" in product.run("asterisk -rx 'core show channels count'"), "no stuck channel"
