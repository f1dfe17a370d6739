"""The clock of Asterisk's module (cext/asterisk/clock.c): which ticks were asked for, and how fast the timer goes."""

import ctypes
import random
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from image.cext import CEXT

TICK_US = 20_000
CLOCK_BYTES = 64
ASKED = 1
"""Place of the count in it, in words of 8 bytes."""


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    built = tmp_path_factory.mktemp("clock") / "clock.so"
    source: Path = CEXT / "asterisk/clock.c"
    command = ["gcc", "-std=c11", "-Wall", "-Werror", "-fPIC", "-shared", str(source), "-o", str(built)]
    subprocess.run(command, check=True, timeout=60)
    return ctypes.CDLL(str(built))


def told(clock: ctypes.CDLL, ticks_us: Iterable[float], *, tells_all: bool) -> tuple[int, int]:
    """(ticks that were asked for, parts of a million) after the timer went off at these times."""
    state = (ctypes.c_uint64 * (CLOCK_BYTES // 8))()
    began_us = 5_000_000_000
    clock.sa_clock_init(state, int(tells_all), ctypes.c_uint64(began_us))
    for at_us in ticks_us:
        clock.sa_clock_tick(state, ctypes.c_uint64(began_us + int(at_us)))
    return int(state[ASKED]), int(clock.sa_clock_ppm(state))


@pytest.mark.parametrize("ppm", [-200, -20, 0, 20, 200])
def test_a_timer_that_is_faster_or_slower(clock: ctypes.CDLL, ppm: int) -> None:
    """A minute on a busy machine: each tick is seen up to 15 ms late, now and then at once."""
    chance = random.Random(ppm)
    ticks = [n * TICK_US / (1 + ppm / 1e6) + chance.choice((0, chance.random() * 15_000)) for n in range(1, 3001)]
    asked, found = told(clock, ticks, tells_all=True)
    assert asked == 3000
    assert found == pytest.approx(ppm, abs=5)


def test_nothing_is_said_before_ten_seconds(clock: ctypes.CDLL) -> None:
    assert told(clock, [n * TICK_US * 1.1 for n in range(1, 500)], tells_all=True) == (499, 0)


def test_ticks_that_a_timer_forgets_are_counted_by_the_clock(clock: ctypes.CDLL) -> None:
    """timerfd: three went by while nobody looked."""
    assert told(clock, [20_010, 40_020, 100_500, 120_001], tells_all=False) == (6, 0)
    assert told(clock, [20_010, 40_020, 100_500, 120_001], tells_all=True) == (4, 0)
