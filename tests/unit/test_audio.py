"""The scorers must tell right from wrong, or every audio test is worth nothing."""

import numpy as np

from tests.callers.audio import correlation, middle, tone_share, tone_span

RATE = 8000


def tone(frequency: float, seconds: float, level: float = 0.3) -> np.ndarray:
    return level * np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE)


def test_a_pure_tone_is_all_its_own() -> None:
    assert tone_share(tone(437.0, 4), RATE, 437.0) > 0.99


def test_another_tone_noise_and_silence_are_not() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 4 * RATE)
    assert tone_share(tone(600, 4), RATE, 437.0) < 0.05
    assert tone_share(noise, RATE, 437.0) < 0.05
    assert tone_share(np.zeros(4 * RATE), RATE, 437.0) == 0.0


def test_half_silence_gives_half() -> None:
    half = np.concatenate([tone(437.0, 2), np.zeros(2 * RATE)])
    assert 0.45 < tone_share(half, RATE, 437.0) < 0.55
    span = tone_span(half, RATE, 437.0)
    assert span is not None
    assert abs(span[1] - 2.0) < 0.21


def test_correlation_finds_a_prompt_and_only_it() -> None:
    rng = np.random.default_rng(2)
    prompt = np.convolve(rng.normal(0, 0.2, 2 * RATE), np.ones(4) / 4, "same")
    heard = np.concatenate([np.zeros(RATE), 0.5 * prompt + rng.normal(0, 0.01, len(prompt)), np.zeros(RATE)])
    assert correlation(heard, prompt) > 0.95
    assert correlation(rng.normal(0, 0.2, 4 * RATE), prompt) < 0.2
    assert correlation(prompt[:100], prompt) == 0.0


def test_middle() -> None:
    assert len(middle(np.zeros(10 * RATE), RATE, 8)) == 8 * RATE
    assert len(middle(np.zeros(RATE), RATE, 8)) == RATE
