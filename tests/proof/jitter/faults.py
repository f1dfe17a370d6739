"""What a bad network does to a packet, from a seed: pure, asked packet by packet."""

import random
from dataclasses import dataclass, field

BASE_MS = 30.0
LOST = 0.03
JITTER_MS = 40.0
"""A packet takes so much more or less than the middle, evenly spread."""
STALL_MS, STALL_EVERY_MS = 200.0, 8000.0
"""Nothing comes through; between two stalls, exponentially spread."""
APART_MS = 0.08
"""Packets do not overtake each other."""


@dataclass(slots=True)
class Faults:
    seed: int
    stalls: int = 0
    _random: random.Random = field(init=False)
    _last_ms: float = -1e9
    _stall_ms: float = -1.0
    """When the next stall begins; below 0: not drawn yet."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def arrives_ms(self, sent_ms: float) -> float | None:
        """None: lost. Packets are asked for in the order in which they are sent."""
        lost = self._random.random() < LOST
        arrives = sent_ms + BASE_MS + self._random.uniform(0, 2 * JITTER_MS)
        if self._stall_ms < 0:
            self._stall_ms = sent_ms + self._random.expovariate(1 / STALL_EVERY_MS)
        if arrives >= self._stall_ms + STALL_MS:
            self.stalls += 1
            self._stall_ms += STALL_MS + self._random.expovariate(1 / STALL_EVERY_MS)
        if arrives >= self._stall_ms:
            arrives = self._stall_ms + STALL_MS
        if lost:
            return None
        self._last_ms = max(arrives, self._last_ms + APART_MS)
        return self._last_ms
