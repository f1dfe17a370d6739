"""Which jitter buffer a leg gets, and what the box says of it: on the real Asterisk, with real phones."""

import asyncio
import itertools
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from appliance_agent.asterisk.models import BridgeEntered, Channel, ChannelState
from appliance_agent.calls.line_joins import LineJoins
from appliance_agent.system.jitter_buffer import ALARM, MODULE, JitterBuffer
from image import applayer, boxcext
from tests.box.api import until_async
from tests.box.house import House, house
from tests.callers.audio import read_wav, tone_share
from tests.golden.rtp import ENDPOINT, PACKET, Packet, RtpCall, stream

pytestmark = pytest.mark.lab

ASKED, PLAIN = "8800", "8801"
"""The first does what a leg does that is about to talk with a line, then echoes; the second only echoes."""
STEPS = f"""
exten => {ASKED},1,Answer()
 same => n,Gosub(sa-jitter,s,1)
 same => n,Set(TOOK=yes)
 same => n,Echo()
exten => {PLAIN},1,Answer()
 same => n,Echo()
"""
DIALPLAN = f"[internal](+){STEPS}[test]{STEPS}"
LINE = Channel("9.9", "9.9", "DAHDI/1-1", ChannelState.UP, "", "", "", "", "")


async def getvar(made: House, channel: str, name: str) -> str:
    return (await made.link.ami.action("Getvar", [("Channel", channel), ("Variable", name)])).get("Value", "")


def channels(made: House) -> list[Channel]:
    return [leg.channel for call in made.live.state.calls.values() for leg in call.legs]


async def through(made: House, **options: str) -> str:
    """A phone's channel that has been through the subroutine."""
    await made.box.cli("module load app_echo.so")
    await made.phone("1001", **options)
    await made.seats_phones.send("call", ext="1001", to=ASKED)
    await made.until(lambda: len(channels(made)) == 1)
    (channel,) = channels(made)
    await until_async(lambda: getvar(made, channel.name, "TOOK"), lambda said: said == "yes")
    return channel.name


def watcher(made: House) -> JitterBuffer:
    root = made.box.root
    module = root / applayer.MODULES_HOME / MODULE
    return JitterBuffer(
        link=made.link, alarms=made.alarms, bus=made.bus, program=root / "usr/sbin/asterisk", module=module
    )


async def test_ours_where_it_fits(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path, dialplan=DIALPLAN) as made:
        channel = await through(made)
        await until_async(
            lambda: getvar(made, channel, "SA_JITTER(stats)"), lambda said: not said.startswith("kept=0,")
        )
        await made.seats_phones.send("dtmf", ext="1001", digits="5")
        wanted = re.compile(r"kept=(\d{3,}),.*,lost=0,")  # two seconds; the digit's packets have numbers, too
        await until_async(lambda: getvar(made, channel, "SA_JITTER(stats)"), lambda said: bool(wanted.match(said)))
        await watcher(made).check()
        assert await made.alarms.open() == []


async def test_a_wideband_leg(root: Path, tmp_path: Path) -> None:
    """G.722 is made A-law before it goes in; the phone hears its own tone."""
    async with house(root, tmp_path, dialplan=DIALPLAN) as made:
        await made.seats_phones.send("codec", name="G722")
        channel = await through(made, record_dir=str(tmp_path))
        wanted = re.compile(r"kept=(\d{3,}),")  # two seconds
        await until_async(lambda: getvar(made, channel, "SA_JITTER(stats)"), lambda said: bool(wanted.match(said)))
        assert "NativeFormats: (g722)" in await made.box.cli(f"core show channel {channel}")
        await made.seats_phones.send("hangup", ext="1001")
        ended = await made.seats_phones.wait("ended", ext="1001")
        heard = read_wav(Path(ended["wav"]))
        assert tone_share(heard.channels[0][-heard.rate :], heard.rate, 600) > 0.7


def of_another_build() -> bytes:
    """Our module with another AST_BUILDOPT_SUM."""
    ours = (boxcext.ensure() / boxcext.MODULES / MODULE).read_bytes()
    sum_ = b"1fb7f5c06d7a2052e38d021b3d8ca151"
    assert ours.count(sum_) == 1, "Asterisk's build is another now"
    return ours.replace(sum_, sum_[::-1])


async def echoed(made: House, extension: str, port: int) -> list[int]:
    """Packets that come in pairs, the second one of each first: which are echoed, in their order."""
    call = await RtpCall.begin_sip(made.box, extension, port)
    sent = stream(b"".join(bytes([n]) * PACKET for n in range(1, 101)))
    swapped = [
        packet.at(second.at_ms + wait) for first, second in pairs(sent) for packet, wait in ((second, 0), (first, 5))
    ]
    heard = await call.talk(swapped)
    await call.end()
    known = {packet.payload: number for number, packet in enumerate(sent)}
    return [known[packet.payload] for packet in heard if packet.payload in known]


def turned(numbers: list[int]) -> int:
    """How often an earlier one follows a later one."""
    return sum(after < before for before, after in itertools.pairwise(numbers))


def pairs(packets: list[Packet]) -> list[list[Packet]]:
    return [packets[at : at + 2] for at in range(0, len(packets), 2)]


async def test_asterisks_own_where_ours_is_for_another_build(root: Path, tmp_path: Path) -> None:
    """Asterisk refuses the module, calls get Asterisk's own buffer, an alarm tells; until the right module is there."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / MODULE).write_bytes(of_another_build())
    more = {"pjsip.conf": ENDPOINT, "modules.conf": "load = app_echo.so\n"}
    async with house(root, tmp_path, dialplan=DIALPLAN, more=more, modules=tmp_path / "modules") as made:
        watch = asyncio.create_task(watcher(made).run())
        assert any("was not compiled with the same compile-time options" in line for line in made.box.complaints())
        (alarm,) = await until_async(made.alarms.open, bool)
        assert (alarm["key"], alarm["detail"]) == (ALARM, {"reason": "other_build"})
        own, plain = await echoed(made, ASKED, 4000), await echoed(made, PLAIN, 4002)
        assert not any("JITTER" in line for line in made.box.complaints())
        assert len(own) > 80 and turned(own[-40:]) == 0, "Asterisk's buffer puts them in order, once it has settled"
        assert len(plain) > 80 and turned(plain[-40:]) == 20, "where no buffer is they are heard as they come"

        ours = (boxcext.ensure() / boxcext.MODULES / MODULE).read_bytes()
        (made.box.root / applayer.MODULES_HOME / MODULE).write_bytes(ours)
        await made.control.restart(limit_s=60)
        await until_async(made.alarms.open, lambda alarms: not alarms)
        call = await RtpCall.begin_sip(made.box, ASKED, 4004)
        await call.talk(stream(bytes(100 * PACKET)))
        stats = await call.stats()
        assert (stats["kept"], stats["lost"]) == (100, 0), stats
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


@pytest.mark.parametrize(("content", "why"), [(None, "absent"), (b"\0no module\0", "other_build")])
async def test_why_it_is_not_there(root: Path, tmp_path: Path, content: bytes | None, why: str) -> None:
    (tmp_path / "modules").mkdir()
    if content is not None:
        (tmp_path / "modules" / MODULE).write_bytes(content)
    async with house(root, tmp_path, modules=tmp_path / "modules") as made:
        watch = asyncio.create_task(watcher(made).run())
        alarms = await until_async(made.alarms.open, bool)
        assert [alarm["detail"] for alarm in alarms if alarm["key"] == ALARM] == [{"reason": why}]
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def test_legs_that_come_together_with_a_line_later(root: Path, tmp_path: Path) -> None:
    """No line is here: its entering is told as Asterisk would tell it, of the bridge of a real call."""
    async with house(root, tmp_path) as made:
        joins = asyncio.create_task(LineJoins(made.link, made.bus, made.live).run())
        await made.phone("1001")
        await made.phone("1002", answer="auto")
        await made.seats_phones.send("call", ext="1001", to="1002")
        await made.until(
            lambda: sum(bool(leg.bridge) for call in made.live.state.calls.values() for leg in call.legs) == 2
        )
        legs = [leg for call in made.live.state.calls.values() for leg in call.legs]
        names = [leg.channel.name for leg in legs]
        assert [await getvar(made, name, "SA_JITTER(stats)") for name in names] == ["", ""]
        made.bus.publish(BridgeEntered("another", LINE))
        made.bus.publish(BridgeEntered(legs[0].bridge, replace(LINE, name="DAHDI/i1/138-1")))
        for name in names:
            asked = partial(getvar, made, name, "SA_JITTER(stats)")
            await until_async(asked, lambda said: said.startswith("kept="))
        joins.cancel()
        await asyncio.gather(joins, return_exceptions=True)
