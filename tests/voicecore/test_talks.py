"""A hundred talks, each of 30 s, with music between them: no busy tone and no congestion is heard in any, a digit
in one of ten at most (talk-off: a vowel now and then is two pure tones for 40 ms).

Other talks judge us: TALK_SEED=n makes a hundred that nobody has seen. Part of `make test`, not of `make check`.
"""

import os

import numpy as np
import pytest
from voicecore.progress import Plan, ProgressDetector, learn
from voicecore.receivers import DtmfReceiver
from voicecore.tones import Named

from tests.voicecore.signals import Signal, linear, noise, padded
from tests.voicecore.talks import music, talk
from tests.voicecore.test_progress import cadence

SEED = int(os.environ.get("TALK_SEED", "20261123"))
HANG_UP = {Named.BUSY, Named.CONGESTION, Named.UNOBTAINABLE}


def whole_call(seed: int) -> Signal:
    """Ring-back, talk, music on hold, talk; line noise under all."""
    rng = np.random.default_rng(seed)
    level = float(rng.uniform(-25, -8))
    ring_back = cadence((1000, 4000), int(rng.integers(1, 3)), level=level)[int(rng.integers(8000)) :]
    parts = [ring_back, talk(seed, 12.0), music(rng, 8.0), talk(seed + 1, 10.0)]
    call = padded(np.concatenate(parts))
    return call + noise(rng, float(rng.uniform(-60, -38)), len(call) / 8)


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
def test_no_hang_up_and_hardly_a_digit_in_ten_talks(part: int) -> None:
    foreign = Plan.learned(learn(linear(cadence((500, 500), 6, hz=(425.0,)))), 99)
    digits = []
    for number in range(10):
        seed = SEED + 100 * (10 * part + number)
        raw = linear(whole_call(seed))
        told = [event.number for event in ProgressDetector(Plan.cn()).feed(raw) if event.began]
        assert HANG_UP.isdisjoint(told), f"seed {seed}: {told}"
        assert [event for event in ProgressDetector(foreign).feed(raw) if event.began] == [], f"seed {seed}"
        digits += [(seed, event) for event in DtmfReceiver().feed(raw) if event.began]
    assert len(digits) <= 1, digits


@pytest.mark.long
def test_the_same_talks_followed_by_busy_are_told() -> None:
    """The control: the detectors were awake."""
    for number in range(10):
        call = whole_call(SEED + 100 * number)
        raw = linear(np.concatenate([call, cadence((350, 350), 8)]))
        events = [event for event in ProgressDetector(Plan.cn()).feed(raw) if event.number == Named.BUSY]
        assert events
        assert len(call) / 8000 + 2 < events[0].at_s < len(call) / 8000 + 3
