"""Calls of a line test's own, as Asterisk tells them by AMI. On real lines: board-tests/test_line_tests.py."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from appliance_agent.asterisk import line_calls
from appliance_agent.asterisk.ami_wire import Message
from appliance_agent.asterisk.line_calls import ACCOUNT, LineCalls
from appliance_agent.asterisk.models import from_ami
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import AsteriskDown

Answer = Callable[[dict[str, str]], str]


def message(text: str) -> Message:
    return Message(tuple((key, value) for key, _, value in (line.partition(": ") for line in text.splitlines())))


def channel(event: str, state: str = "Up", account: str = f"{ACCOUNT}t1", more: str = "") -> str:
    return (
        f"Event: {event}\nChannel: DAHDI/97-1\nUniqueid: 1.5\nLinkedid: 1.5\nChannelStateDesc: {state}\n"
        f"AccountCode: {account}{more}"
    )


FAILED = "Event: OriginateResponse\nResponse: Failure\nChannel: DAHDI/97/105\nReason: {reason}"


@dataclass
class Ami:
    """Asterisk's side: it answers each Originate with the next of `answers`, and lists what `rows` say."""

    bus: Bus
    answers: list[list[str]]
    rows: list[str] = field(default_factory=list)
    done: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def action(self, name: str, fields: Iterable[tuple[str, str]] = ()) -> None:
        self.done.append((name, dict(fields)))
        if name == "Originate":
            self.tell(*self.answers.pop(0))

    async def list_action(self, _name: str) -> list[Message]:
        return [message(row) for row in self.rows]

    def tell(self, *events: str) -> None:
        for event in events:
            self.bus.publish(from_ami(message(event)))

    def actions(self, name: str) -> list[dict[str, str]]:
        return [fields for done, fields in self.done if done == name]


def calls(ami: Ami) -> LineCalls:
    link: Any = SimpleNamespace(ami=ami)
    return LineCalls(link, ami.bus)


async def test_the_call_is_of_this_channel_alone_bounded_and_ended() -> None:
    other = channel("CoreShowChannel", account="").replace("97-1", "98-1")
    ami = Ami(Bus(), [[channel("Newchannel", "Down", account=""), channel("Newstate", "Dialing"), channel("Newstate")]])
    ami.rows = [channel("CoreShowChannel"), other]
    async with calls(ami).call(97, "105", "t1", 25) as ends:
        assert not ends.over.is_set()
    (asked,) = ami.actions("Originate")
    assert (asked["Channel"], asked["Application"], asked["Data"]) == ("DAHDI/97/105", "Wait", "25")
    (off,) = ami.actions("Setvar")
    assert off == {"Channel": "DAHDI/97-1", "Variable": "CHANNEL(echocan_mode)", "Value": "off"}
    assert ami.actions("Hangup") == [{"Channel": "DAHDI/97-1"}], "nobody else's"


async def test_without_a_number_the_line_is_only_taken_off_hook() -> None:
    ami = Ami(Bus(), [[channel("Newstate")]])
    async with calls(ami).call(97, "", "t1", 25):
        assert ami.actions("Originate")[0]["Channel"] == "DAHDI/97"


@pytest.mark.parametrize("how", ["hung up", "gone"])
async def test_the_end_of_the_call_is_told(how: str) -> None:
    ami = Ami(Bus(), [[channel("Newstate")]])
    async with calls(ami).call(97, "105", "t1", 25) as ends:
        ami.tell(channel("Hangup", more="\nCause: 16").replace("1.5", "1.6"))
        if how == "gone":
            ami.bus.publish(AsteriskDown("killed"))
        else:
            ami.tell(channel("Hangup", more="\nCause: 16"))
        async with asyncio.timeout(20):
            await ends.over.wait()
        assert ends.why == ("Asterisk stopped" if how == "gone" else "the exchange ended the call (cause 16)")


async def test_a_port_that_is_guarded_after_a_call_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_calls, "GUARD_S", 0.0)
    ami = Ami(Bus(), [[FAILED.format(reason=5)], [FAILED.format(reason=0)], [channel("Newstate")]])
    async with calls(ami).call(97, "105", "t1", 25):
        assert len(ami.actions("Originate")) == 3


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([[FAILED.format(reason=5)]] * line_calls.TRIES, "it is in use"),
        ([[channel("Newstate", "Dialing"), FAILED.format(reason=3)]], "nobody answered"),
        ([[channel("Newstate", "Dialing"), FAILED.format(reason=5)]], "busy"),
        ([[channel("Newstate", "Dialing"), channel("Hangup", "Dialing", more="\nCause: 1")]], "cause 1"),
    ],
)
async def test_no_call(answers: list[list[str]], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_calls, "GUARD_S", 0.0)
    ami = Ami(Bus(), list(answers))
    with pytest.raises(Fault, match=why) as refused:
        async with calls(ami).call(97, "105", "t1", 25):
            pytest.fail("there is no call")
    assert refused.value.key == "lines.test_call"
    assert not ami.answers, "each was asked for"
