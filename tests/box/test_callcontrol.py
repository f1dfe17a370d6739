"""Acts on calls, with real phones."""

import asyncio
from pathlib import Path

import pytest

from appliance_agent.http.route import Identity
from appliance_agent.kernel.errors import Fault, FaultKind
from contracts.journal import UserEvent
from tests.box.house import CALLER, DIRECT_NUMBER, House, house

pytestmark = pytest.mark.lab


def who(extension: str | None, role: str = "agent") -> Identity:
    return Identity("s", extension or "boss", extension or "boss", "N", role, extension, "127.0.0.1")


async def talking(made: House, ext: str = "1001") -> str:
    """A caller from outside talks with `ext`; the call's id."""
    await made.call_in(DIRECT_NUMBER)
    await made.seats_phones.wait("ringing", ext=ext)
    await made.seats_phones.send("answer", ext=ext)
    await made.until(lambda: [call.state for call in made.live.state.calls.values()] == ["talking"])
    return next(iter(made.live.state.calls))


async def test_click_to_dial_rings_the_own_phone_first(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        with pytest.raises(Fault, match="not registered"):
            await made.calls.dial(who("1001"), "1002")
        await made.phone("1001")
        await made.phone("1002")
        for to, key in (("777", "calls.unknown_number"), ("9", "calls.unknown_number")):
            with pytest.raises(Fault) as caught:
                await made.calls.dial(who("1001"), to)
            assert caught.value.key == key
        first = asyncio.create_task(made.calls.dial(who("1001"), "1002"))
        with pytest.raises(Fault, match="is in a call"):  # a second click, before Asterisk has heard of the first
            await asyncio.gather(made.calls.dial(who("1001"), "1002"), first)
        call_id = await first
        with pytest.raises(Fault, match="is in a call"):
            await made.calls.dial(who("1001"), "1002")
        await made.seats_phones.wait("ringing", ext="1001")
        await made.seats_phones.send("answer", ext="1001")
        ringing = await made.seats_phones.wait("ringing", ext="1002")
        assert "1001" in ringing["from"]
        await made.seats_phones.send("answer", ext="1002")
        await made.until(lambda: call_id in made.live.state.calls and made.live.state.calls[call_id].state == "talking")
        call = made.live.state.calls[call_id]
        assert (call.direction, call.called_number) == ("internal", "1002")
        with pytest.raises(Fault) as denied:
            await made.calls.hang_up(who("1003"), call_id)
        assert denied.value.kind is FaultKind.DENIED
        await made.calls.hang_up(who("1003", "supervisor"), call_id)
        await made.until(lambda: not made.live.state.calls)
        with pytest.raises(Fault) as gone:
            await made.calls.hang_up(who("1001"), call_id)
        assert gone.value.kind is FaultKind.NOT_FOUND


async def test_blind_transfer(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.phone("1001")
        await made.phone("1002")
        call_id = await talking(made)
        await made.calls.transfer(who("1001"), call_id, "1002", attended=False)
        await made.seats_phones.wait("ringing", ext="1002")
        await made.seats_phones.send("answer", ext="1002")
        await made.seats_phones.wait("media", ext="1002")
        await made.until(lambda: made.live.state.calls[call_id].extension == "1002")
        assert made.live.state.calls[call_id].did == DIRECT_NUMBER
        await made.outside.send("hangup", ext=CALLER)
        await made.until(lambda: not made.live.state.calls)


async def test_attended_transfer_joins_the_two_others(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.phone("1001")
        await made.phone("1002")
        call_id = await talking(made)
        with pytest.raises(Fault, match="not talking with 1002"):
            await made.calls.transfer(who("1001"), call_id, "1002", attended=True)
        await made.seats_phones.send("hold", ext="1001", on=True)
        await made.until(lambda: made.live.state.calls[call_id].state == "held")
        await made.seats_phones.send("call", ext="1001", to="1002")
        await made.seats_phones.wait("ringing", ext="1002")
        await made.seats_phones.send("answer", ext="1002")
        await made.until(lambda: sorted(call.state for call in made.live.state.calls.values()) == ["held", "talking"])
        await made.calls.transfer(who("1001"), call_id, "1002", attended=True)
        await made.until(lambda: made.live.phone("1001").state == "free")
        await made.until(lambda: [call.state for call in made.live.state.calls.values()] == ["talking"])
        (call,) = made.live.state.calls.values()
        assert (call.call_id, call.extension, call.did) == (call_id, "1002", DIRECT_NUMBER)
        ((event, said),) = made.notes
        assert event is UserEvent.TRANSFER
        assert said["transferee_channel_uniqueid"] == call_id
        await made.outside.send("hangup", ext=CALLER)
        await made.until(lambda: not made.live.state.calls)


async def test_a_phone_that_does_not_take_hold_from_outside_is_told_of(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.phone("1001")
        call_id = await talking(made)
        with pytest.raises(Fault, match="did not follow"):
            await made.calls.hold(who("1001"), call_id, on=True)
        await made.seats_phones.send("hold", ext="1001", on=True)
        await made.until(lambda: made.live.phone("1001").state == "held")
        await made.calls.hold(who("1001"), call_id, on=True)  # it is: nothing to do
