"""What is said: speech with a floor of noise, as A-law; and the line's ear for it. Independent of the product."""

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.proof.jitter.arrivals import Rtp

Samples = NDArray[np.int16]
RATE_HZ = 8000
FLOOR = 30
"""RMS of the noise: -61 dBm0. It gives each 5 ms of pauses a sound of their own."""
LINE_MS = 10
"""What a line has in hand when it begins to play, so that it does not run dry by the box's own unevenness."""
LINE_BLOCKS = 4
"""And at most: DAHDI's own buffers."""
ROOT = Path(__file__).resolve().parents[3]
HEARING = ROOT / "cext/bench/hearing.py"


def _levels() -> Samples:
    """A-law's 256 levels (ITU-T G.711), as 16 bits."""
    levels = np.empty(256, np.int16)
    for code in range(256):
        bits = code ^ 0x55
        step, place = bits >> 4 & 7, (bits & 15) << 4
        size = place + 8 if step == 0 else (place + 0x108) << (step - 1)
        levels[code] = size if bits & 0x80 else -size
    return levels


LEVELS = _levels()
ORDER = np.argsort(LEVELS)
BETWEEN = (LEVELS[ORDER].astype(int)[1:] + LEVELS[ORDER].astype(int)[:-1]) / 2


def encoded(samples: NDArray[np.float64]) -> bytes:
    return ORDER[np.searchsorted(BETWEEN, samples)].astype(np.uint8).tobytes()


def decoded(alaw: bytes) -> Samples:
    return LEVELS[np.frombuffer(alaw, np.uint8)]


def hearing(*words: str | Path) -> bytes:
    """A command of the bench, in its own virtual environment (it has PESQ)."""
    venv = subprocess.run(
        [ROOT / "image/host/venv", "bench-python"], stdout=subprocess.PIPE, text=True, check=True, timeout=600
    )
    command = [f"{venv.stdout.strip()}/bin/python", HEARING, *words]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=1800).stdout


def say(seed: int, packets: int) -> bytes:
    """A-law of so many packets of 20 ms."""
    said = decoded(hearing("speech"))
    begun = seed * 7919 % len(said)
    samples = np.resize(np.roll(said, -begun), packets * 160).astype(float)
    return encoded(samples + np.random.default_rng(seed).normal(0, FLOOR, len(samples)))


def on_a_line(heard: list[Rtp]) -> tuple[Samples, float]:
    """What a line plays that is given these packets when they come, and when its first sample sounds.

    It has its own even clock: what comes before its turn waits, LINE_BLOCKS of it; the rest is not heard.
    Where nothing is there it is silent, and then waits until it has LINE_MS in hand again."""
    begun_s = heard[0].at_s + LINE_MS / 1000
    played, end = [], 0
    for one in heard:
        came = round((one.at_s - begun_s) * RATE_HZ)
        place = came + LINE_MS * RATE_HZ // 1000 if came > end else end
        if place - came > (LINE_BLOCKS - 1) * len(one.payload):
            continue
        played.append((place, one.payload))
        end = place + len(one.payload)
    samples = np.zeros(end, np.int16)
    for place, payload in played:
        samples[place : place + len(payload)] = decoded(payload)
    return samples, begun_s
