"""A seat of the product at a SIP phone that the exchange's Asterisk plays, and calls between it and the lines."""

from dataclasses import dataclass
from typing import Any

import pytest
from ami import Ami, AmiError, Message
from board import until
from product import Api, Product
from score import SHARE, samples, tone_share
from wire import LIMIT_S

EXTENSION = "1011"
"""A SIP phone of the sample configuration, member of its queues."""
SEAT_HZ, SEAT_TALK_S = 523.0, 6.0
"""guest/product/etc/exchange/extensions.conf"""
LONG_S = 3600.0
"""For a talk that a test ends: an idle board's clock runs ahead of the tests."""
PHONE = """\
[seat]
type = registration
transport = set
outbound_auth = seat
server_uri = sip:10.0.2.15
client_uri = sip:{number}@10.0.2.15
contact_user = seat
[seat]
type = auth
username = {number}
password = {secret}
[phone]
type = endpoint
transport = set
context = called
aors = box
outbound_auth = seat
from_user = {number}
from_domain = 10.0.2.15
disallow = all
allow = alaw
"""
CUT_S = 1.0
"""At both ends of a talk: the other's tone is not there yet, or its hang-up has not been noticed yet."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One call between the seat and somebody at the exchange, as each side and the box tell it."""

    outside_heard: float
    """How much of what the party at the exchange heard was the seat's tone, 0..1."""
    seat_heard: float
    recorded: tuple[float, ...]
    """The same of the box's recording: the other's side, our side. Calls within the house have none."""
    record: dict[str, Any]


def check_heard(talk: Talk) -> None:
    """Both sides, and the recording: the other's tone most of the time."""
    assert min(talk.outside_heard, talk.seat_heard, *talk.recorded) >= SHARE, talk


class Seat:
    """The administrator, idle at EXTENSION."""

    def __init__(self, product: Product, api: Api) -> None:
        self._product, self._api = product, api
        newest = api.ask("GET", "/records?sort=-started_at&limit=1")["items"]
        self._last: str | None = newest[0]["call_id"] if newest else None
        self.register()
        api.ask("PATCH", "/session", {"extension": EXTENSION})
        self.be_idle()

    def register(self) -> None:
        """Its telephone set, at the box; again when the exchange, which plays it, was started anew."""
        document = self._api.ask("GET", "/config")["document"]
        (secret,) = [one["secret"] for one in document["extensions"] if one["number"] == EXTENSION]
        text = PHONE.format(number=EXTENSION, secret=secret).replace("\n", "\\n")
        self._product.run(f"printf '{text}' >/etc/exchange/phone.conf")
        self._product.exchange.ami.command("module reload res_pjsip.so")
        self._product.exchange.wait_says("pjsip show registrations", "Registered")

    def be_idle(self) -> None:
        self._api.ask("PUT", "/seats/me", {"state": "idle"})

        def idle() -> bool:
            (mine,) = [seat for seat in self._api.ask("GET", "/seats") if seat["extension"] == EXTENSION]
            return bool(mine["state"] == "idle")

        until(f"the seat at {EXTENSION} is idle", idle, LIMIT_S)

    def taken_call(self, line: str, *, digits: str = "1", from_: str = "13800138000", withheld: bool = False) -> Talk:
        """The exchange calls by `line` (DAHDI/…), presses `digits` in the menu; the seat answers, talks, hangs up.
        `withheld`: it passes the number, and that it is not to be told.

        Raises AmiError with what did not come, TimeoutError when the box wrote no record.
        """
        return self.ended_call(*self.begin_call(line, digits=digits, from_=from_, withheld=withheld))

    def begin_call(
        self, line: str, *, digits: str = "1", from_: str = "13800138000", talk_s: float = SEAT_TALK_S,
        withheld: bool = False,
    ) -> tuple[str, str]:  # fmt: skip
        """As far as the seat's answer: the ids of both channels at the exchange. The seat hangs up after `talk_s`."""
        since = self._listen(talk_s)
        # Who is told by Originate's own CallerID is always told as presentable.
        marked = {"CONNECTEDLINE(num)": from_, "CONNECTEDLINE(num-pres)": "prohib"} if withheld else {}
        outside_id = self._originate(line, "menu", "" if withheld else f"<{from_}>", DIGITS=digits, **marked)
        return outside_id, self._rung(since)

    def begin_queueing(self, line: str) -> str:
        """The exchange calls by `line` and chooses the queue; the id of its channel."""
        return self._originate(line, "menu", "", DIGITS="1")

    def direct_call(self, line: str) -> Talk:
        """Somebody at the exchange calls by `line`, and the box rings the seat without a menu."""
        since = self._listen(SEAT_TALK_S)
        outside_id = self._originate(line, "talk", "")
        return self.ended_call(outside_id, self._rung(since))

    def made_call(self, number: str) -> tuple[Talk, Message]:
        """The seat dials; who is called at the exchange answers, and both talk until the seat hangs up.

        Returns also how the call arrived at the exchange: Number, From. Raises AmiError with what did not come.
        """
        call, called = self.begin_made_call(number)
        return self.ended_call(*call), called

    def begin_made_call(self, number: str, talk_s: float = SEAT_TALK_S) -> tuple[tuple[str, str], Message]:
        """As far as the answer: the ids of both channels at the exchange, and how the call arrived there."""
        since = len(self._ami.events)
        talks = {"HZ": f"{SEAT_HZ:g}", "TALK_S": f"{talk_s:g}"}
        seat_id = self._originate(f"PJSIP/{number}@phone", "talk", f"<{EXTENSION}>", **talks)
        called = self._ami.wait("UserEvent", UserEvent="Called", since=since)
        return (called["Id"], seat_id), called

    def refused_call(self, number: str) -> dict[str, Any]:
        """The seat dials, and the box does not let it through: the record."""
        with pytest.raises(AmiError, match="was not answered"):
            self._originate(f"PJSIP/{number}@phone", "talk", f"<{EXTENSION}>")
        return self.next_record()

    @property
    def _ami(self) -> Ami:
        return self._product.exchange.ami

    def _originate(self, channel: str, context: str, caller: str, **variables: str) -> str:
        """The id of the channel, once it was answered."""
        asked = self._ami.action(
            "Originate", variables=variables, Channel=channel, Context=context, Exten="s", Priority="1",
            CallerID=caller, Async="true", Timeout="60000",
        )  # fmt: skip
        began = self._ami.wait("OriginateResponse", ActionID=asked["ActionID"])
        if began["Response"] != "Success":
            raise AmiError(f"{channel} was not answered: reason {began['Reason']}")
        return began["Uniqueid"]

    def _listen(self, talk_s: float) -> int:
        """The seat will talk so long; since when its ringing is to be looked for."""
        self._ami.action("Setvar", Variable="SEAT_TALK_S", Value=f"{talk_s:g}")
        return len(self._ami.events)

    def _rung(self, since: int) -> str:
        """The id of the channel at the seat's telephone."""
        return self._ami.wait("UserEvent", UserEvent="Rung", since=since)["Id"]

    def hang_up(self, call: tuple[str, str], after_s: float = SEAT_TALK_S) -> None:
        """They talk for `after_s` more, of the board's clock."""
        self._product.run(f"sleep {after_s:g}")
        self._ami.action("Hangup", Channel=call[1])

    def ended_call(self, outside_id: str, seat_id: str) -> Talk:
        """One that was begun, once both have hung up. Raises as `taken_call`."""
        outside_heard, seat_heard = self.heard((outside_id, seat_id))
        record = self.next_record()
        return Talk(outside_heard, seat_heard, self._recorded(record), record)

    def heard(self, call: tuple[str, str]) -> tuple[float, float]:
        """How much of what they heard was the other's tone: outside, at the seat; once both have hung up."""
        for unique_id in reversed(call):
            self._ami.wait("Hangup", Uniqueid=unique_id)
        (outside, outside_rate), (inside, rate) = map(self._sound, call)
        talk_s = len(inside) / rate  # the seat heard nothing else, who called also menu and queue
        hz = self._product.exchange.tone_hz
        return _talked(outside, outside_rate, SEAT_HZ, talk_s), _talked(inside, rate, hz, talk_s)

    def _recorded(self, record: dict[str, Any]) -> tuple[float, ...]:
        if record["recording"] is None:
            return ()
        recording = self._api.raw("GET", f"/records/{record['call_id']}/recording")
        (caller, ours), rate = samples(recording, channels=2)
        return _talked(caller, rate, self._product.exchange.tone_hz), _talked(ours, rate, SEAT_HZ)

    def _sound(self, unique_id: str) -> tuple[Any, int]:
        """What this end heard, and its rate."""
        self._product.fetch(f"heard/{unique_id}.done")
        return samples(self._product.fetch(f"heard/{unique_id}.wav"))

    def next_record(self) -> dict[str, Any]:
        """The call just made, once it is closed and its recording is there."""

        def there() -> dict[str, Any] | None:
            items = self._api.ask("GET", "/records?sort=-started_at&limit=1")["items"]
            return next((item for item in items if item["call_id"] != self._last and _is_complete(item)), None)

        record = until("the call is written down, with its recording", there, LIMIT_S)
        self._last = record["call_id"]
        return record


def _is_complete(record: dict[str, Any]) -> bool:
    """Calls within the house, and those that nobody answered, have no recording."""
    unheard = record["direction"] == "internal" or not record["answered_at"]
    return bool(record["ended_at"] and (record["recording"] or unheard))


def _talked(sound: Any, rate: int, hz: float, talk_s: float = SEAT_TALK_S) -> float:
    """Of the talk, which is the end of what was heard."""
    talk = sound[-int(rate * talk_s) :]
    return tone_share(talk[int(rate * CUT_S) : -int(rate * CUT_S)], rate, hz)
