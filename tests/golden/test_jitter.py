"""SA_JITTER on the real Asterisk: packets as a bad network brings them, and what a line would hear of them."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from appliance_agent.render.render import render
from tests.callers.audio import tone_share
from tests.golden import cases
from tests.golden.rtp import (
    ALAW,
    NOISE,
    PACKET,
    Packet,
    RtpCall,
    alaw_tone,
    decoded,
    impaired,
    on_a_line,
    stream,
    with_calls,
)
from tests.golden.starter import Box, running

pytestmark = pytest.mark.lab

TONE_HZ = 440
BELOW_OVERLOAD_DB = 30
MODULE = "func_sa_jitter.so"


@pytest.fixture
async def box(root: Path, tmp_path: Path) -> AsyncIterator[Box]:
    files = with_calls(render(cases.desired("full"), cases.facts("full")))
    async with running(root, files, tmp_path) as box:
        yield box


async def test_it_sounds_better_with_the_buffer_than_without(box: Box) -> None:
    """The same network for both, at the same time."""
    sent = impaired(stream(alaw_tone(TONE_HZ, 8.0)), seed=1)
    calls = [await RtpCall.begin(box, "ours", 4000), await RtpCall.begin(box, "echo", 4002)]
    ours, without = await asyncio.gather(*(call.talk(sent) for call in calls))
    shares = [tone_share(on_a_line(heard), 8000, TONE_HZ) for heard in (ours, without)]
    assert shares[0] > 0.75, shares
    assert shares[0] > shares[1] + 0.1, shares
    stats = await calls[0].stats()
    assert await calls[1].stats() == {}
    known = ("kept", "late", "again", "too_far", "stray")
    assert sum(stats[fate] for fate in known) == len(sent)
    assert stats["lost"] == pytest.approx(8.0 * 50 - len(sent), abs=1)
    assert stats["ticks"] >= 8.0 * 50
    assert stats["delay_ms"] > 20 and stats["target_ms"] > 20 and stats["resets"] == 0


async def test_a_sender_that_begins_anew(box: Box) -> None:
    """Another source of sound at the same address: other numbers (a re-INVITE, a transfer at the far end)."""
    call = await RtpCall.begin(box, "ours")
    first = stream(alaw_tone(TONE_HZ, 2.0))
    then = stream(alaw_tone(700, 2.0), first=40_000, timestamp=3_000_000)
    line = on_a_line(await call.talk([*first, *(packet.at(packet.at_ms + 2000) for packet in then)]))
    assert tone_share(line[4000:12000], 8000, TONE_HZ) > 0.75
    assert tone_share(line[-14000:-6000], 8000, 700) > 0.75
    assert (await call.stats())["resets"] == 1


async def test_a_sender_whose_clock_is_faster(box: Box) -> None:
    """By 300 parts of a million, beside Asterisk's timer, which is the system's clock here. Told after 10 s."""
    call = await RtpCall.begin(box, "ours")
    sent = stream(alaw_tone(TONE_HZ, 16.0))
    await call.talk([packet.at(packet.at_ms / (1 + 300e-6)) for packet in sent])
    stats = await call.stats()
    assert stats["sender_ppm"] == pytest.approx(300, abs=60)
    assert stats["clock_ppm"] == pytest.approx(0, abs=60)


async def test_a_hold(box: Box) -> None:
    """Nothing comes for three seconds: nothing is made up for longer than one, and what comes then is heard."""
    call = await RtpCall.begin(box, "ours")
    sound = stream(alaw_tone(TONE_HZ, 4.0))
    packets = [packet if packet.at_ms < 2000 else packet.at(packet.at_ms + 3000) for packet in sound]
    heard = await call.talk(packets)
    gaps = [after.at_ms - before.at_ms for before, after in pairwise(heard)]
    assert max(gaps) > 1500
    stats = await call.stats()
    assert stats["lost"] == 0
    # A second of it, and one after the end; a busy machine adds some. Of the whole hold it were 3 s, and the end.
    assert stats["concealed_ms"] < 3000
    assert tone_share(on_a_line(heard)[-12000:-6000], 8000, TONE_HZ) > 0.75


async def test_comfort_noise(box: Box) -> None:
    """2 s of it (RFC 3389): its packet has a number, too, and is heard all the time, as loud as it says."""
    call = await RtpCall.begin(box, "ours")
    sound = stream(alaw_tone(TONE_HZ, 4.0))
    first, then = sound[:50], sound[150:]
    noise = Packet(sound[50].at_ms, 150, sound[50].timestamp, NOISE, f"{BELOW_OVERLOAD_DB:02x}")
    heard = await call.talk([*first, noise, *(packet._replace(sequence=151 + n) for n, packet in enumerate(then))])
    stats = await call.stats()
    assert (stats["kept"], stats["lost"], stats["resets"]) == (len(first) + len(then), 0, 0)
    late = b"".join(bytes.fromhex(packet.payload) for packet in heard if 2300 < packet.at_ms < 2900)
    assert len(late) >= 0.3 * 8000, "longer than a buffer makes up what is missing"
    assert 20 * np.log10(np.std(decoded(late))) == pytest.approx(-BELOW_OVERLOAD_DB, abs=1.5)
    assert tone_share(on_a_line(heard)[-12000:-6000], 8000, TONE_HZ) > 0.75


async def test_packets_that_it_does_not_hold_are_heard_as_they_come(box: Box) -> None:
    """Of 5 ms."""
    call = await RtpCall.begin(box, "ours")
    sound = alaw_tone(TONE_HZ, 1.0)
    blocks = [sound[at : at + 40] for at in range(0, len(sound), 40)]
    packets = [Packet(5.0 * n, 100 + n, 40 * n, ALAW, block.hex()) for n, block in enumerate(blocks)]
    heard = await call.talk(packets)
    assert b"".join(bytes.fromhex(packet.payload) for packet in heard) in sound
    assert sum("packets of 40 samples of alaw are not held" in line for line in box.complaints()) == 1


async def test_the_module_stays_while_a_call_uses_it(box: Box) -> None:
    call = await RtpCall.begin(box, "ours")
    await call.talk(stream(alaw_tone(TONE_HZ, 0.5)))
    assert "Unable to unload" in await box.cli(f"module unload {MODULE}")
    assert (await call.stats())["kept"] == 0.5 * 50
    await call.end()
    assert "Unloaded" in await box.cli(f"module unload {MODULE}")
    await box.cli(f"module load {MODULE}")
    again = await RtpCall.begin(box, "ours")
    assert await again.talk(stream(alaw_tone(TONE_HZ, 0.5)))
    assert (await again.stats())["kept"] == 0.5 * 50


async def test_thirty_calls(box: Box) -> None:
    calls = [await RtpCall.begin(box, "ours", 4000 + 2 * number) for number in range(30)]
    sent = impaired(stream(alaw_tone(TONE_HZ, 3.0)), seed=2)
    heard = await asyncio.gather(*(call.talk(sent) for call in calls))
    for call, packets in zip(calls, heard, strict=True):
        assert len(packets) * PACKET >= 2.5 * 8000
        stats = await call.stats()
        assert stats["kept"] + stats["late"] + stats["again"] + stats["stray"] + stats["too_far"] == len(sent)


async def test_wrong_arguments_are_told_and_the_call_goes_on(box: Box) -> None:
    call = await RtpCall.begin(box, "wrong")
    assert await call.talk(stream(alaw_tone(TONE_HZ, 0.5)))
    said = "\n".join(box.complaints())
    assert "SA_JITTER()=much: expected Set(SA_JITTER()=on) or =off, on a channel" in said
    assert "SA_JITTER(stats)=on: expected" in said
    assert "SA_JITTER(colour): expected ${SA_JITTER(stats)}" in said
    assert await call.stats() == {}
