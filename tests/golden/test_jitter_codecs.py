"""A browser's codec through SA_JITTER on the real Asterisk: Opus over a bad network, heard on a line as A-law."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance_agent.render.render import render
from tests.callers.audio import tone_share
from tests.golden import cases
from tests.golden.rtp import OPUS_MAP, Packet, RtpCall, alaw_tone, impaired, listen, on_a_line, stream, with_calls
from tests.golden.starter import Box, running

pytestmark = pytest.mark.lab

TONE_HZ, SECONDS = 440, 8.0
SPEAKER, LINES = 4000, {"ours": 4100, "without": 4102}
"""Ports: of who speaks, of who is called."""
OPUS_MS = 48
"""RTP's clock of Opus: of a millisecond (RFC 7587)."""
DIALPLAN = f"""
[test](+)
exten => encode,1,Answer()
 same => n,Dial(UnicastRTP/127.0.0.1:{LINES["ours"]}/c(opus))
exten => opus-ours,1,Set(SA_JITTER()=on)
 same => n,Answer()
 same => n,Dial(UnicastRTP/127.0.0.1:{LINES["ours"]}/c(alaw))
exten => opus-without,1,Answer()
 same => n,Dial(UnicastRTP/127.0.0.1:{LINES["without"]}/c(alaw))
"""


@pytest.fixture
async def box(root: Path, tmp_path: Path) -> AsyncIterator[Box]:
    files = with_calls(render(cases.desired("full"), cases.facts("full")))
    files["extensions.conf"] += DIALPLAN
    async with running(root, files, tmp_path) as box:
        yield box


async def encoded(box: Box) -> list[Packet]:
    """A tone's packets, made Opus by Asterisk itself, each there as it was sent."""
    sound = stream(alaw_tone(TONE_HZ, SECONDS))
    call = await RtpCall.begin(box, "encode", SPEAKER)
    _, heard = await asyncio.gather(call.talk(sound), listen(box, LINES["ours"], sound[-1].at_ms + 1000))
    await call.end()
    start, kind = heard[0].timestamp, int(OPUS_MAP.partition(" ")[0])
    return [packet._replace(at_ms=(packet.timestamp - start) / OPUS_MS, kind=kind) for packet in heard]


async def on_the_line(box: Box, way: str, speaker: int, sent: list[Packet]) -> tuple[float, dict[str, int]]:
    """How much of what the called line heard was the tone, and what the speaker's buffer counted."""
    call = await RtpCall.begin_sip(box, f"opus-{way}", speaker, OPUS_MAP)
    _, heard = await asyncio.gather(call.talk(sent), listen(box, LINES[way], sent[-1].at_ms + 1000))
    stats = await call.stats()
    await call.end()
    return tone_share(on_a_line(heard)[: int(SECONDS * 8000)], 8000, TONE_HZ), stats


async def test_opus_sounds_better_with_the_buffer_than_without(box: Box) -> None:
    """It is made A-law before it goes in; numbers and timestamps are the packets'."""
    whole = await encoded(box)
    sent = impaired(whole, seed=3)
    (ours, stats), (without, none) = await asyncio.gather(
        on_the_line(box, "ours", SPEAKER, sent), on_the_line(box, "without", SPEAKER + 2, sent)
    )
    assert none == {}
    assert not any("SA_JITTER" in line for line in box.complaints())
    assert ours > max(without, 0.75), (ours, without)
    assert sum(stats[fate] for fate in ("kept", "late", "again", "too_far", "stray")) == len(sent)
    assert stats["lost"] == pytest.approx(len(whole) - len(sent), abs=1)
    assert stats["resets"] == 0 and stats["delay_ms"] > 20, stats
