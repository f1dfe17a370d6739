"""Listening without Asterisk: RTP, what waits for a page, whose leg is heard, which channels are no calls."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance_agent.asterisk import taps
from appliance_agent.asterisk.ami_wire import Message
from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import (
    AppEntered,
    AppLeft,
    Channel,
    ChannelGone,
    ChannelState,
    app_event,
    from_ami,
)
from appliance_agent.asterisk.taps import Taps
from appliance_agent.calls.live_model import Call, Leg
from appliance_agent.calls.live_service import LiveCalls
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.features.listen import frames, model, rtp, service
from appliance_agent.features.listen.api import frames_had
from appliance_agent.features.listen.api import routes as listen_routes
from appliance_agent.features.listen.frames import Frames
from appliance_agent.features.listen.service import Listening
from appliance_agent.http.route import Identity
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.errors import Fault
from appliance_agent.store.tables import journal_event, open_call
from contracts.journal import LISTENING
from tests.ledger.streams import NAMES, lines, records
from tests.unit.journal_kit import desk_at
from tests.unit.people_agent import HandClock, add_user, agent, log_in, set_up

LIMIT_S = 20
PAYLOAD = bytes(range(160))


def packet(sequence: int, *, first: int = 0x80, kind: int = 8, more: bytes = b"", payload: bytes = PAYLOAD) -> bytes:
    head = bytes([first, kind]) + sequence.to_bytes(2, "big") + (160 * sequence).to_bytes(4, "big") + b"ssrc"
    return head + more + payload


# ── RTP ────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "data",
    [
        packet(7),
        packet(7, kind=0x88),  # with the marker
        packet(7, first=0x82, more=b"12345678"),  # two contributing sources
        packet(7, first=0x90, more=b"\xbe\xde\x00\x01abcd"),  # an extension of one word
        packet(7, first=0xA0) + b"\x00\x00\x03",  # padded by three
    ],
)
def test_a_packet_in_every_dress(data: bytes) -> None:
    assert rtp.parse(data) == rtp.Packet(7, 1120, PAYLOAD)


@pytest.mark.parametrize(
    "data",
    [b"", packet(7)[:12], packet(7)[:11], packet(7, first=0x40), packet(7, kind=13),
     packet(7, first=0x90, more=b"\xbe", payload=b""), packet(7, first=0x90, more=b"\xbe\xde\xff\xff"),
     packet(7, first=0xA0) + b"\xff", packet(7, first=0x8F, payload=b"")],
)  # fmt: skip
def test_what_is_no_packet_of_ours(data: bytes) -> None:
    assert rtp.parse(data) is None


@given(st.binary(max_size=64) | st.binary(max_size=40).map(lambda tail: b"\x90\x08" + tail))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    found = rtp.parse(data)
    assert found is None or 0 < len(found.payload) <= len(data) - rtp.HEADER_BYTES


# ── what waits for a page ──────────────────────────────────────────────────────────────────────────
async def taken(waiting: Frames, count: int) -> list[bytes]:
    async with asyncio.timeout(LIMIT_S):
        return [await waiting.take() for _ in range(count)]


def number(index: int) -> bytes:
    return index.to_bytes(4, "big")


async def test_a_page_that_keeps_up_gets_every_frame() -> None:
    waiting = Frames()
    for index in range(1000):
        waiting.offer(number(index))
        assert await taken(waiting, 1) == [number(index)]
        waiting.had(index + 1)
    assert waiting.lost == 0


async def test_a_slow_page_loses_the_oldest() -> None:
    waiting = Frames()
    for index in range(100):
        waiting.offer(number(index))
    assert await taken(waiting, frames.QUEUE_FRAMES) == [number(index) for index in range(75, 100)]
    assert waiting.lost == 75


async def test_no_more_is_sent_than_the_page_has_told_of() -> None:
    waiting = Frames()
    for index in range(frames.UNTOLD_FRAMES):
        waiting.offer(number(index))
        await taken(waiting, 1)
    waiting.offer(number(99))
    stuck = asyncio.create_task(waiting.take())
    for nonsense in (0, -1):
        waiting.had(nonsense)
        await asyncio.sleep(0)
        assert not stuck.done()
    waiting.had(10**9)  # more than there ever were: so many as were sent
    async with asyncio.timeout(LIMIT_S):
        assert await stuck == number(99)
    for index in range(frames.UNTOLD_FRAMES - 1):
        waiting.offer(number(index))
    await taken(waiting, frames.UNTOLD_FRAMES - 1)
    waiting.offer(number(1))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waiting.take(), 0.01)


@pytest.mark.parametrize(
    ("said", "count"),
    [('{"had": 125}', 125), ('{"had": "7"}', 7), ('{"had": 1e999}', 0), ('{"had": NaN}', 0), ('{"had": null}', 0),
     ("[]", 0), ("5", 0), ("{", 0), ("", 0), ('{"had": -3}', -3)],
)  # fmt: skip
def test_what_a_page_says_it_has_had(said: str, count: int) -> None:
    assert frames_had(said) == count


# ── who may, and what was missed ───────────────────────────────────────────────────────────────────
async def test_who_may_listen(tmp_path: Path) -> None:
    """By their words nobody else hears so much as whether there is such a call."""

    async def audit(who: Identity, action: str, detail: object) -> None:
        raise AssertionError(f"{who.login} came as far as {action} {detail}")

    bus = Bus()
    link = Link(bus, secrets=tmp_path, seen=tmp_path)
    live = LiveCalls(link, bus, HandClock(), ConfigHolder(), no_note)
    listening = Listening(taps=Taps(link.ari, bus), live=live, bus=bus, clock=HandClock(), audit=audit)
    told: dict[str, int | str] = {}
    async with agent(tmp_path / "agent", listen_routes(listening)) as running, running.client() as admin:
        await set_up(admin)
        for role in ("supervisor", "agent", "technician"):
            await add_user(admin, role, role=role)
        for role in ("supervisor", "agent", "technician", "nobody"):
            async with running.client() as client:
                if role != "nobody":
                    await log_in(client, role)
                try:
                    async with asyncio.timeout(LIMIT_S), client.ws_connect("/api/v1/calls/1.0/listen") as socket:
                        told[role] = (await socket.receive_json())["key"]
                except aiohttp.WSServerHandshakeError as refused:
                    told[role] = refused.status
    assert told == {"supervisor": "listen.no_call", "agent": 403, "technician": 403, "nobody": 401}


async def no_note(_channel: Channel, _on: bool) -> None:
    """Nobody holds here."""


async def test_what_was_missed_may_have_been_its_end() -> None:
    bus = Bus()
    with bus.subscribe(AppLeft, limit=1) as events, bus.subscribe(ChannelGone, limit=1) as channels:
        for _ in range(2):
            bus.publish(AppLeft("another"))
            bus.publish(ChannelGone(OUTSIDE.channel, 16))
        ended = asyncio.Event()
        watching = asyncio.create_task(taps._watch(events, "listen-1", ended))
        async with asyncio.timeout(LIMIT_S):
            await ended.wait()
            with pytest.raises(Fault) as lost:
                await service._gone(channels, "2.0")
        watching.cancel()
    assert lost.value.key == "listen.lost"


# ── whose leg ──────────────────────────────────────────────────────────────────────────────────────
def leg(name: str, bridge: str = "b", *, state: ChannelState = ChannelState.UP, called: bool = True) -> Leg:
    return Leg(Channel(name, "1.0", f"{name}-00000001", state, "", "", "", "", ""), called, bridge)


def call(*legs: Leg) -> Call:
    return Call("1.0", 0, legs)


OUTSIDE, LINE, SEAT = leg("PJSIP/trunk-main", called=False), leg("DAHDI/17", called=False), leg("PJSIP/1001")
RINGS = leg("PJSIP/1002", "", state=ChannelState.RINGING)


@pytest.mark.parametrize("outside", [OUTSIDE, LINE])
def test_the_customer_is_heard_whoever_called(outside: Leg) -> None:
    for one in (outside, replace(outside, called=True)):
        assert model.leg_to_hear(call(SEAT, one)) == one


def test_among_ourselves_the_caller_is_heard() -> None:
    caller = leg("PJSIP/1003", called=False)
    assert model.leg_to_hear(call(SEAT, caller)) == caller


def test_who_is_connected_goes_before_who_is_not() -> None:
    assert model.leg_to_hear(call(replace(OUTSIDE, bridge=""), SEAT, RINGS)) == SEAT
    assert model.leg_to_hear(call(leg("Local/1001@x"), RINGS)) is None


def test_two_in_a_bridge_talk_until_one_has_left() -> None:
    both = call(OUTSIDE, SEAT)
    assert model.talks(both)
    assert not model.talks(model.without(both, OUTSIDE))
    assert not model.talks(call(OUTSIDE, replace(SEAT, bridge="c")))


# ── no calls ───────────────────────────────────────────────────────────────────────────────────────
def message(**fields: str) -> Message:
    return Message(tuple(fields.items()))


@pytest.mark.parametrize("event", ["Newchannel", "Newstate", "Hangup", "BridgeEnter", "Hold"])
def test_events_of_channels_that_listen_reach_nobody(event: str) -> None:
    there = {"Event": event, "Linkedid": "1.0", "Channel": "PJSIP/1001-00000001", "BridgeUniqueid": "b"}
    assert from_ami(message(**there, Uniqueid="1.0")) is not None
    assert from_ami(message(**there, Uniqueid=f"{LISTENING}1-spy-in")) is None
    assert (
        from_ami(message(Event="DialBegin", DestUniqueid=f"{LISTENING}1-media-in", DestChannel="UnicastRTP/x")) is None
    )


def test_the_application_s_events() -> None:
    channel = {"id": f"{LISTENING}1-spy-in", "name": "Snoop/1.0-00000000"}
    assert app_event({"type": "StasisStart", "channel": channel}) == AppEntered(channel["id"])
    assert app_event({"type": "StasisEnd", "channel": channel}) == AppLeft(channel["id"])
    for nothing in ({"type": "ChannelDestroyed", "channel": channel}, {"type": "StasisEnd"}, {"type": None}):
        assert app_event(nothing) is None


async def test_their_rows_of_the_journal_change_nothing(tmp_path: Path) -> None:
    rows = lines(NAMES[0])
    row = json.loads(rows[0])
    listens = [
        json.dumps(row | {"eventtype": kind, "eventenum": kind, "uniqueid": f"{LISTENING}1-{what}-in",
                          "linkedid": f"{LISTENING}1-spy-in", "channame": "Snoop/1.0-00000000"}).encode()
        for what in ("spy", "media")
        for kind in ("CHAN_START", "ANSWER", "BRIDGE_ENTER", "BRIDGE_EXIT", "HANGUP", "CHAN_END", "LINKEDID_END")
    ]  # fmt: skip
    async with desk_at(tmp_path) as desk:
        desk.write([*rows[:5], *listens, *rows[5:]])
        await desk.read_all()
        assert {event.call_id for event in desk.published()} == set(records(rows))
        assert [one for one in await desk.rows(journal_event) if "listen" in json.dumps(one["row"])] == []
        assert await desk.rows(open_call) == []
