"""Hearing DTMF, 20 ms at a time: the two strongest of eight frequencies must be nearly all there is."""

import math
from array import array

BLOCK, RATE_HZ = 160, 8000
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"
QUIET = 100.0**2
"""Mean square of 16-bit samples under which nothing is heard: −45 dBm0."""
PURE = 0.8
"""Part of the block's power in the two frequencies."""


def _waves(hz: int) -> tuple[list[float], list[float]]:
    turn = [2 * math.pi * hz * n / RATE_HZ for n in range(BLOCK)]
    return [math.cos(x) for x in turn], [math.sin(x) for x in turn]


WAVES = [_waves(hz) for hz in ROWS + COLUMNS]


def key(samples: list[float]) -> str | None:
    """The key that sounds through a whole block."""
    mean = math.sumprod(samples, samples) / BLOCK
    if mean < QUIET:
        return None
    powers = [
        2 * (math.sumprod(samples, cosine) ** 2 + math.sumprod(samples, sine) ** 2) / BLOCK**2 for cosine, sine in WAVES
    ]
    row, column = max(range(4), key=powers.__getitem__), max(range(4, 8), key=powers.__getitem__)
    if powers[row] + powers[column] < PURE * mean or not 0.05 < powers[row] / max(powers[column], 1e-9) < 20:
        return None
    return KEYS[4 * row + column - 4]


class Ear:
    """Tells each digit once: when it has sounded for two blocks after a block without it."""

    def __init__(self) -> None:
        self._before: str | None = None
        self._told: str | None = None

    def feed(self, block: bytes) -> str | None:
        now = key([float(sample) for sample in array("h", block)]) if len(block) == 2 * BLOCK else None
        steady, self._before = now == self._before, now
        if not steady or now == self._told:
            return None
        self._told = now
        return now
