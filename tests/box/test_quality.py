"""A call over a network that loses packets: its record says how many, of each leg and direction."""

import asyncio
from pathlib import Path

import pytest

from appliance_agent.asterisk.models import BridgeEntered, ChannelChanged
from appliance_agent.asterisk.rtcp import RtcpReport
from appliance_agent.features.quality.service import Quality
from appliance_agent.features.quality.store import QualityStore
from tests.box.api import Json, answers, until_async
from tests.box.house import CALLER, DIRECT_NUMBER, house
from tests.box.lossy import IS_RTCP, RTP, SOUND_BYTES, dropping
from tests.box.office import Office, office
from tests.lab.lab import Lab

pytestmark = pytest.mark.lab

DID = "075588886666"
TALK_S = 24.0
"""Asterisk reports every five seconds."""


async def talk(it: Office, caller: str, seconds: float = TALK_S) -> Json:
    """A call that a seat takes; its record's quality once it is whole."""
    mark = it.phones.mark()
    call = it.lab.exchange.dial(caller, DID, digits="1", digits_after_s=2.0, limit_s=120)
    await it.phones.wait("answered", ext="1011", since=mark, limit_s=40)
    await asyncio.to_thread(call.wait, "ended", seconds)
    call.hang_up()
    record = await it.admin.record_of(caller)
    path = f"/records/{record['call_id']}/quality"
    quality = await until_async(lambda: it.admin.get(path), lambda got: len(got["legs"]) == 2, 20, "no quality")
    trunks = {leg["uniqueid"]: leg["trunk"] for leg in record["legs"]}
    return {trunks[leg["uniqueid"]]: leg for leg in quality["legs"]}


async def test_the_loss_of_each_leg_and_direction_is_told(lab: Lab) -> None:
    exchange = lab.exchange.address
    lossy = (
        f"input ip saddr {exchange} udp dport {RTP} udp length {SOUND_BYTES} numgen inc mod 10 == 0",
        f"output ip daddr {exchange} udp sport {RTP} udp length {SOUND_BYTES} numgen inc mod 25 == 0",
    )
    async with office(lab, ("1011",)) as it:
        with dropping(it.box, *lossy):
            legs = await talk(it, "13600000001")
        trunk, phone = legs["exchange"], legs[""]
        assert trunk["figures"]["loss_came"] == pytest.approx(0.10, abs=0.015)
        assert trunk["figures"]["loss_went"] == pytest.approx(0.04, abs=0.015)
        assert phone["figures"]["loss_came"] == 0.0
        assert phone["figures"]["loss_went"] == pytest.approx(0.10, abs=0.015), "gaps are handed on, and heard there"
        assert (trunk["category_came"], trunk["category_went"]) == ("low", "medium")
        assert (phone["category_came"], phone["category_went"]) == ("best", "low")
        assert 2 <= len(trunk["windows"]["at"]) <= 5
        assert trunk["figures"]["rtt_ms"] < 100
        assert trunk["windows"]["concealed"] == [None] * len(trunk["windows"]["at"]), (
            "no buffer of ours between SIP legs"
        )
        today = trunk["windows"]["at"][0][:10]
        report = await it.admin.get(f"/reports/quality?from={today}T00:00:00Z&to={today}T23:59:59Z&by=day")
        peers = {peer["peer"]: peer for peer in report["peers"]}
        assert peers["exchange"]["loss_came"] == trunk["figures"]["loss_came"]
        assert (peers["exchange"]["legs"], peers[""]["legs"]) == (1, 1)


async def test_a_peer_that_never_reports_and_an_agent_that_is_killed(lab: Lab) -> None:
    """Of the peer what we receive is known and nothing else; after the kill the windows go on."""
    silent = f"input ip saddr {lab.exchange.address} udp dport {RTP} {IS_RTCP}"
    async with office(lab, ("1011",)) as it:
        with dropping(it.box, silent):
            starts = it.box.units()["sa800-agent"]["starts"]
            talking = asyncio.create_task(talk(it, "13600000002"))
            await it.phones.wait("answered", ext="1011", limit_s=40)
            it.box.kill("sa800-agent")
            await asyncio.to_thread(it.box.wait_unit, "sa800-agent", 30.0, starts + 1)
            await answers(it.box.panel_url)
            legs = await talking
        assert [legs[""]["figures"][name] for name in ("loss_came", "loss_went")] == [0.0, 0.0]
        figures = legs["exchange"]["figures"]
        assert figures["loss_came"] == 0.0
        assert figures["r_came"] > 90
        unknown = ("r_went", "mos_went", "loss_went", "jitter_went_ms", "rtt_ms")
        assert {name: figures[name] for name in unknown} == dict.fromkeys(unknown)


async def test_what_the_jitter_buffer_made_up_is_told(root: Path, tmp_path: Path) -> None:
    """The real module on the trunk's leg: its counts are in that leg's windows, the other leg has none."""
    async with house(root, tmp_path) as made:
        store = QualityStore(made.database)
        quality = Quality(
            link=made.link, bus=made.bus, clock=made.clock, store=store, alarms=made.alarms, config=made.config
        )
        listening = asyncio.create_task(quality.run())
        await made.phone("1001", answer="auto")
        await made.call_in(DIRECT_NUMBER)
        entered = await made.seen(lambda event: isinstance(event, BridgeEntered) and "trunk" in event.channel.name)
        trunk = entered.channel
        on = [("Channel", trunk.name), ("Variable", "SA_JITTER()"), ("Value", "on")]
        await made.link.ami.action("Setvar", on)
        # It is looked at once in each window of 10 s: two looks give what came between them.
        slot = made.clock.now_us() // 10_000_000
        await made.seen(
            lambda event: isinstance(event, RtcpReport) and made.clock.now_us() // 10_000_000 > slot + 2, limit_s=60
        )
        await made.outside.send("hangup", ext=CALLER)
        ids = {event.channel.uniqueid for event in made.events if isinstance(event, ChannelChanged)}
        windows = await until_async(lambda: store.windows(ids), lambda found: len(found) == 2, 20)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    (phone,) = (found for uniqueid, found in windows.items() if uniqueid != trunk.uniqueid)
    assert all(window.buffer_ms is None and window.concealed is None for window in phone)
    told = [window for window in windows[trunk.uniqueid] if window.buffer_ms is not None]
    assert told, windows
    for window in told:
        assert 0 <= window.buffer_ms <= 200
        assert 0 <= window.concealed < 0.2, "a quiet network, and the machine of a test"
