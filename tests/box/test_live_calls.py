"""The live state against a real Asterisk with the compiled dialplan and real SIP phones."""

from pathlib import Path

import pytest

from appliance_agent.asterisk.models import EndpointChanged
from appliance_agent.calls.live_model import LiveState, PhoneState
from appliance_agent.kernel.events import AsteriskDown, AsteriskUp, LiveChanged
from tests.box.house import CALLER, MAIN_NUMBER, House, house

pytestmark = pytest.mark.lab


def states(made: House, since: int = 0) -> list[str]:
    """What the board said of calls, one after the other."""
    said = [
        e.object["state"] for e in made.events[since:] if isinstance(e, LiveChanged) and e.kind == "calls" and e.object
    ]
    return [state for index, state in enumerate(said) if index == 0 or said[index - 1] != state]


async def reread(made: House, *, before: LiveState) -> None:
    """As after a gap (`before` is what was known), or after the agent's own restart (then it is empty)."""
    calls = made.live.state.calls.keys()
    made.live.state = before
    made.bus.publish(AsteriskUp(False, "test"))
    await made.until(lambda: made.live.state is not before and made.live.state.calls.keys() == calls)


async def test_a_call_is_seen_from_menu_to_end_and_again_after_each_gap(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.phone("1001")
        await made.sit("1001")
        await made.members_become("sales", {"1001": None})
        await made.call_in()
        await made.until(lambda: "menu" in states(made))
        await made.digit("1")
        await made.seats_phones.wait("ringing", ext="1001")
        await made.until(lambda: "ringing" in states(made))
        (call,) = made.live.state.calls.values()
        assert (call.direction, call.trunk, call.did, call.caller_number) == (
            "inbound",
            "exchange",
            MAIN_NUMBER,
            CALLER,
        )
        await made.until(lambda: made.board.snapshot()["queues"][0]["seats_ringing"] == 1)
        queue = made.board.snapshot()["queues"][0]
        assert (queue["id"], queue["waiting"], queue["seats_idle"]) == ("sales", 1, 0)
        assert queue["callers"][0]["number"] == CALLER
        await reread(made, before=LiveState())
        assert made.live.state.calls[call.call_id].view() | {"since": ""} == call.view() | {
            "since": "", "started_at": made.live.state.calls[call.call_id].view()["started_at"],
        }  # fmt: skip
        assert made.live.phone("1001").queue == "sales"

        await made.seats_phones.send("answer", ext="1001")
        await made.until(lambda: states(made)[-1] == "talking")
        await made.seats_phones.send("hold", ext="1001", on=True)
        await made.until(lambda: states(made)[-1] == "held")
        await reread(made, before=made.live.state)
        (call,) = made.live.state.calls.values()
        assert (call.state, call.queue, call.extension) == ("held", "sales", "1001")
        assert made.live.phone("1001").state is PhoneState.HELD
        await made.outside.send("hangup", ext=CALLER)
        await made.until(lambda: not made.live.state.calls)
        assert made.live.phone("1001").state is PhoneState.FREE
        assert not made.live.state.where


async def test_calls_that_ended_during_a_gap_are_gone(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.call_in()
        await made.until(lambda: "menu" in states(made))
        mark = len(made.events)
        await made.control.restart(limit_s=20)
        await made.seen(lambda event: isinstance(event, AsteriskDown), since=mark)
        await made.seen(
            lambda event: isinstance(event, LiveChanged) and event.kind == "calls" and not event.object, since=mark
        )
        assert not made.live.state.calls


async def test_extension_to_extension_and_out(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.phone("1001")
        await made.phone("1002")
        await made.seats_phones.send("call", ext="1001", to="1002")
        await made.seats_phones.wait("ringing", ext="1002")
        await made.until(lambda: "ringing" in states(made))
        (call,) = made.live.state.calls.values()
        assert (call.direction, call.caller_number, call.called_number, call.extension) == (
            "internal",
            "1001",
            "1002",
            "1001",
        )
        assert made.live.phone("1001").state is PhoneState.TALKING
        assert made.live.phone("1002").state is PhoneState.RINGING
        await made.seats_phones.send("hangup", ext="1001")
        await made.until(lambda: not made.live.state.calls)

        await made.outside.send(
            "add", ext="13800138000", domain="127.0.0.1:5060", secret="x", tone_hz=440, answer="ring"
        )
        await made.seats_phones.send("call", ext="1001", to="913800138000")
        await made.outside.wait("ringing")
        await made.until(lambda: states(made)[-1] == "ringing")
        (call,) = made.live.state.calls.values()
        assert (call.direction, call.trunk, call.called_number) == ("outbound", "exchange", "913800138000")
        await made.outside.send("answer", ext="13800138000")
        await made.until(lambda: states(made)[-1] == "talking")
        await made.seats_phones.send("hangup", ext="1001")
        await made.until(lambda: not made.live.state.calls)


async def test_a_trunk_that_falls_silent_is_told_by_ari_and_alarms(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.outside.quit()
        await made.outside.wait("process_ended")
        await made.link.ami.command("pjsip qualify trunk-exchange")
        await made.seen(
            lambda event: isinstance(event, EndpointChanged) and event.endpoint == "trunk-exchange" and not event.online
        )
        alarm = await made.seen(lambda event: isinstance(event, LiveChanged) and event.kind == "alarms")
        assert (alarm.object["key"], alarm.object["subject"]) == ("trunk.unreachable", "exchange")
        assert [item["key"] for item in await made.alarms.open()] == ["trunk.unreachable"]
