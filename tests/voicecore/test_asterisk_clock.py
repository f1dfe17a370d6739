"""The clock of Asterisk's module (cext/asterisk/clock.c): which ticks are owed and of use, how fast clocks go."""

import ctypes
import random
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from image.cext import CEXT

TICK_US = 20_000
BYTES = 256
"""More than a sa_clock or a sa_drift has."""
BEGAN_US = 5_000_000_000
ASKED = 1
"""Place of the count in a sa_clock, in words of 8 bytes."""
NOTHING_OWED, LEFT_OUT, DUE = range(3)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    built = tmp_path_factory.mktemp("clock") / "clock.so"
    source: Path = CEXT / "asterisk/clock.c"
    strict = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror")
    command = ["gcc", *strict, "-fPIC", "-shared", str(source), "-o", str(built)]
    subprocess.run(command, check=True, timeout=60)
    return ctypes.CDLL(str(built))


def room() -> "ctypes.Array[ctypes.c_uint64]":
    return (ctypes.c_uint64 * (BYTES // 8))()


def drift(clock: ctypes.CDLL, seen_us: Iterable[tuple[float, float]]) -> int:
    """Parts of a million, after (its time, the system's time)."""
    state = room()
    clock.sa_drift_init(state)
    for its_us, system_us in seen_us:
        clock.sa_drift_saw(state, ctypes.c_uint64(int(its_us)), ctypes.c_uint64(int(system_us)))
    return int(clock.sa_drift_ppm(state))


def ticking(seconds: float, ppm: float, late_us: Callable[[], float] = lambda: 0.0) -> Iterator[tuple[float, float]]:
    for n in range(1, int(seconds * 50) + 1):
        yield n * TICK_US, n * TICK_US / (1 + ppm / 1e6) + late_us()


@pytest.mark.parametrize("ppm", [-300, -20, 0, 20, 200])
def test_a_clock_that_is_faster_or_slower(clock: ctypes.CDLL, ppm: int) -> None:
    """A minute on a busy machine: each tick is seen up to 15 ms late, now and then at once."""
    chance = random.Random(ppm)
    seen = ticking(60, ppm, lambda: chance.choice((0, chance.random() * 15_000)))
    assert drift(clock, seen) == pytest.approx(ppm, abs=5)


def test_no_drift_is_told_before_ten_seconds(clock: ctypes.CDLL) -> None:
    assert drift(clock, ticking(10, 300)) == 0
    assert drift(clock, ticking(11, 300)) == pytest.approx(300, abs=5)


def test_a_clock_that_is_set_has_no_drift_by_it(clock: ctypes.CDLL) -> None:
    """A sender that begins anew an hour ahead; a way through the network that is 60 ms longer from one moment on."""
    seen = list(ticking(60, 100))
    for ahead_us, longer_us in ((3_600_000_000, 0), (0, 60_000)):
        then = [(its + ahead_us, system + longer_us) for its, system in seen[1500:]]
        assert drift(clock, [*seen[:1500], *then]) == pytest.approx(100, abs=5)


def ticks(clock: ctypes.CDLL, at_us: Iterable[int], *, tells_all: bool) -> list[list[int]]:
    """Of each time at which the timer went off: what became of the ticks that it asked for."""
    state = room()
    clock.sa_clock_init(state, int(tells_all), ctypes.c_uint64(BEGAN_US))
    became = []
    for at in at_us:
        now = ctypes.c_uint64(BEGAN_US + at)
        clock.sa_clock_tick(state, now)
        owed = []
        while (tick := clock.sa_clock_next(state, now)) != NOTHING_OWED:
            owed.append(tick)
        became.append(owed)
    assert state[ASKED] == sum(map(len, became))
    return became


def test_ticks_that_a_timer_forgets_are_counted_by_the_clock(clock: ctypes.CDLL) -> None:
    """timerfd: one went by while nobody looked."""
    at_us = (25_000, 45_000, 81_000, 100_001)
    assert ticks(clock, at_us, tells_all=False) == [[DUE], [DUE], [DUE, DUE], [DUE]]
    assert ticks(clock, at_us, tells_all=True) == [[DUE], [DUE], [DUE], [DUE]]


def test_blocks_in_whose_place_there_was_silence_are_not_heard_later(clock: ctypes.CDLL) -> None:
    """Nobody looked for 85 ms: three blocks' time is over. A timer that tells all does so at once."""
    assert ticks(clock, (20_000, 105_000, 120_000), tells_all=False) == [[DUE], [LEFT_OUT] * 3 + [DUE], [DUE]]
    late = (20_000, 105_000, 105_050, 105_100, 105_150, 120_000)
    assert ticks(clock, late, tells_all=True) == [[DUE], [LEFT_OUT], [LEFT_OUT], [LEFT_OUT], [DUE], [DUE]]


def test_nobody_looks_for_an_hour(clock: ctypes.CDLL) -> None:
    first, late = ticks(clock, (20_000, 3_600_000_000), tells_all=False)
    assert (first, len(late), late[-1], set(late[:-1])) == ([DUE], 179_999, DUE, {LEFT_OUT})


@pytest.mark.parametrize("ppm", [-300, 0, 300])
def test_who_hears_gets_nothing_in_hand_for_good(clock: ctypes.CDLL, ppm: int) -> None:
    """An hour on a busy machine: what the line has in hand is delay, what is left out is lost."""
    chance = random.Random(ppm)
    tick_us = TICK_US / (1 + ppm / 1e6)
    state, at_us, until_us = room(), 0.0, 0.0
    in_hand_us, left_out, silent_us = [], 0, 0.0
    clock.sa_clock_init(state, 1, ctypes.c_uint64(BEGAN_US))
    for n in range(1, 180_001):
        at_us = max(at_us, n * tick_us + chance.random() ** 200 * 100_000)
        now = ctypes.c_uint64(BEGAN_US + int(at_us))
        clock.sa_clock_tick(state, now)
        if clock.sa_clock_next(state, now) == DUE:
            silent_us += max(0.0, at_us - until_us)
            until_us = max(until_us, at_us) + tick_us
        else:
            left_out += 1
        in_hand_us.append(until_us - at_us)
    assert max(in_hand_us) < 65_000
    assert sum(in_hand_us) / len(in_hand_us) < 45_000
    assert left_out * TICK_US == pytest.approx(silent_us, abs=65_000)
    assert 0 < left_out < 0.02 * 180_000
