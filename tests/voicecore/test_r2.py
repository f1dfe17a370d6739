"""The MF-R2 receiver against ITU-T Q.455: both directions, all signals, from numpy and from spandsp."""

import numpy as np
import pytest
from voicecore.receivers import Heard, R2Receiver
from voicecore.tones import Direction

from tests.voicecore import spandsp
from tests.voicecore.signals import Signal, linear, noise, padded, silence, sine, spoken
from tests.voicecore.test_tones import FREQUENCIES, R2_PAIRS

SIGNALS = range(1, 16)
BOTH = pytest.mark.parametrize("direction", list(Direction))


def sent(
    direction: Direction, signal: int, on_ms: float, *,
    levels: tuple[float, float] = (-11.5, -11.5), beside_hz: tuple[float, float] = (0, 0), phase: float = 0,
) -> Signal:  # fmt: skip
    first, second = (FREQUENCIES[direction][place] for place in R2_PAIRS[signal - 1])
    return sine(first + beside_hz[0], levels[0], on_ms, phase) + sine(
        second + beside_hz[1], levels[1], on_ms, 3 * phase
    )


def feed(direction: Direction, signal: Signal, lead: int = 0) -> list[Heard]:
    return R2Receiver(direction).feed(linear(padded(np.concatenate([signal, silence(80)]), lead)))


def began(events: list[Heard]) -> list[int]:
    return [int(event.signal) for event in events if event.began]


@BOTH
@pytest.mark.parametrize("levels", [(-11.5, -11.5), (-5, -5), (-35, -35), (-8, -15), (-27, -20)])
@pytest.mark.parametrize("beside_hz", [(0, 0), (10, -10), (10, 10)])
def test_every_signal_is_heard(
    direction: Direction, levels: tuple[float, float], beside_hz: tuple[float, float]
) -> None:
    rng = np.random.default_rng(1)
    for signal in SIGNALS:
        whole = sent(direction, signal, 60, levels=levels, beside_hz=beside_hz, phase=rng.uniform(0, 7))
        assert began(feed(direction, whole + noise(rng, -60, 60), int(rng.integers(160)))) == [signal]


@BOTH
def test_operate_and_release_take_at_most_70_ms_together(direction: Direction) -> None:
    """Q.455, the longest of both; handing on blocks of 20 ms adds less than one of them, once at each end."""
    rng, on_ms, off_ms = np.random.default_rng(2), list[float](), list[float]()
    for signal in [*SIGNALS] * 4:
        lead = int(rng.integers(160))
        on, off = feed(direction, sent(direction, signal, 150, phase=rng.uniform(0, 7)), lead)
        on_ms.append(on.at_s * 1000 - lead / 8)
        off_ms.append(off.at_s * 1000 - lead / 8 - 150)
    assert max(on_ms) + max(off_ms) <= 70
    assert min(off_ms) > 0


@BOTH
def test_7_ms_are_no_signal(direction: Direction) -> None:
    rng = np.random.default_rng(3)
    for signal in SIGNALS:
        assert feed(direction, sent(direction, signal, 7, levels=(-5, -5)), int(rng.integers(160))) == []


@BOTH
def test_faint_twisted_single_and_triple_are_no_signals(direction: Direction) -> None:
    for signal in SIGNALS:
        assert feed(direction, sent(direction, signal, 100, levels=(-42, -42))) == []
        assert feed(direction, sent(direction, signal, 100, levels=(-10, -23))) == []
        assert feed(direction, sent(direction, signal, 100, levels=(-10, -90))) == []
        third = next(place for place in range(6) if place not in R2_PAIRS[signal - 1])
        more = sine(FREQUENCIES[direction][third], -11.5, 100)
        assert feed(direction, sent(direction, signal, 100) + more) == []


@BOTH
def test_the_other_directions_signals_are_not_heard(direction: Direction) -> None:
    other = Direction(1 - direction)
    for signal in SIGNALS:
        assert feed(direction, sent(other, signal, 200, levels=(-5, -5))) == []


@BOTH
def test_a_compelled_sequence(direction: Direction) -> None:
    """One after the other, with gaps as a compelled cycle has them."""
    order = [int(signal) for signal in np.random.default_rng(4).integers(1, 16, 40)]
    parts = [np.concatenate([sent(direction, signal, 70), silence(60)]) for signal in order]
    assert began(feed(direction, np.concatenate(parts), 33)) == order


@BOTH
def test_spandsp_sends_we_hear(direction: Direction) -> None:
    for signal in SIGNALS:
        raw = spandsp.r2_sent(signal, 5, forward=direction is Direction.FORWARD) + bytes(1600)
        assert began(R2Receiver(direction).feed(raw)) == [signal]


@BOTH
def test_noise_and_speech_are_few_signals(direction: Direction) -> None:
    """Registers listen for seconds only and never on speech; even so noise must not be signals."""
    rng = np.random.default_rng(5)
    assert feed(direction, noise(rng, -10, 20_000)) == []
    assert len(began(feed(direction, spoken("您好，这里是客户服务中心，请问有什么可以帮您？" * 3)))) <= 1
