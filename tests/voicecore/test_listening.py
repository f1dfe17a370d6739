"""Listening's sound: RTP at its ports, the jitter buffers of voicecore, frames for the page."""

import asyncio
import random

import numpy as np
from numpy.typing import NDArray
from voicecore.g711 import Law, encode

from appliance_agent.asterisk.taps import Side
from appliance_agent.features.listen import sound
from appliance_agent.features.listen.sound import Ear, ears, tick
from tests.callers.audio import tone_share
from tests.unit.test_listening import packet

RATE, LIMIT_S = 8000, 20
LOUD, QUIET = bytes([0x2A]) * 160, bytes([0xD5]) * 160


async def test_both_sides_come_as_frames_of_20_ms() -> None:
    """Silence before; then what was sent, left and right apart."""
    got: asyncio.Queue[bytes] = asyncio.Queue()
    async with asyncio.timeout(LIMIT_S), ears() as made:
        clock = asyncio.create_task(tick(made, got.put_nowait))
        assert np.max(np.abs(samples(await got.get()))) <= 16, "nothing but the quiet of a line"
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        left = right = bytes(320)
        for sequence in range(1000):
            transport.sendto(packet(sequence, payload=LOUD), ("127.0.0.1", made[Side.SAID].port))
            transport.sendto(packet(sequence, payload=QUIET), ("127.0.0.1", made[Side.HEARD].port))
            transport.sendto(b"no RTP", ("127.0.0.1", made[Side.HEARD].port))
            frame = await got.get()
            left, right = frame[:320], frame[320:]
            if left == left[:2] * 160 and abs(samples(left)[0]) > 1000:
                break
        assert abs(samples(left)[0]) > 1000, "what was sent is heard"
        assert np.max(np.abs(samples(right))) <= 16, "the other side is quiet"
        clock.cancel()
        transport.close()


def samples(frame: bytes) -> NDArray[np.int16]:
    return np.frombuffer(frame, "<i2")


async def test_lost_packets_are_no_holes() -> None:
    """One of ten is lost, at random; the buffer's own clock."""
    chance, ear, now_us = random.Random(7), Ear(), 0
    wave = (8000 * np.sin(2 * np.pi * 437 * np.arange(RATE * 10) / RATE)).astype("<i2").tobytes()
    heard = b""
    for sequence in range(500):
        if chance.random() > 0.1:
            coded = encode(Law.ALAW, wave[320 * sequence : 320 * sequence + 320])
            ear.buffer.put(sequence, 160 * sequence, coded, now_us)
        heard += ear.buffer.get(now_us)
        now_us += sound.TICK_US
    tone = samples(heard[RATE:]).astype(np.float64) / 32768
    assert ear.buffer.statistics.lost > 20
    assert tone_share(tone, RATE, 437.0) > 0.9
    loud = np.sqrt(np.mean(tone[: len(tone) // 160 * 160].reshape(-1, 160) ** 2, axis=1))
    assert np.min(loud) > 0.5 * np.median(loud)


def test_a_loop_that_was_held_up_makes_up_for_it_but_not_for_long() -> None:
    assert sound.owed(1_000_000, 999_999) == (1_000_000, 0)
    assert sound.owed(1_000_000, 1_000_000) == (1_000_000, 1)
    assert sound.owed(1_000_000, 1_019_999) == (1_000_000, 1)
    assert sound.owed(1_000_000, 1_200_000) == (1_000_000, 11)
    assert sound.owed(1_000_000, 1_500_000) == (1_000_000, 26)
    assert sound.owed(1_000_000, 9_000_000) == (9_000_000, 1)
