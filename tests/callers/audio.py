"""Scores of heard audio. 8 kHz, 16 bit; independent of the product (numpy only)."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
BLOCK_S = 0.2


@dataclass(frozen=True, slots=True)
class Sound:
    rate: int
    channels: tuple[Samples, ...]
    """One array a channel, ±1.0 full scale."""

    @property
    def seconds(self) -> float:
        return len(self.channels[0]) / self.rate


def read_wav(path: Path) -> Sound:
    """A PCM wav of 16 bit. A header that was never finished (length 0) is read to the end of the file."""
    with wave.open(str(path), "rb") as file:
        channels, rate, width = file.getnchannels(), file.getframerate(), file.getsampwidth()
        if width != 2:
            raise ValueError(f"{path}: {8 * width} bit samples; expected 16")
        data = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64) / 32768.0
    return Sound(rate, tuple(data[index::channels] for index in range(channels)))


def tone_share(samples: Samples, rate: int, frequency_hz: float) -> float:
    """Mean over 200 ms blocks of the part of the energy that is at one frequency (0..1); a silent block counts 0.

    A pure tone that fills the block gives 1. The block is windowed by a least-squares fit of sine and cosine,
    so that the tone need not fit the block.
    """
    size = int(rate * BLOCK_S)
    time = np.arange(size) / rate
    basis = np.stack([np.cos(2 * np.pi * frequency_hz * time), np.sin(2 * np.pi * frequency_hz * time)], axis=1)
    shares = []
    for start in range(0, len(samples) - size + 1, size):
        block = samples[start : start + size]
        block = block - block.mean()
        energy = float(block @ block)
        if energy < size * 1e-6:  # below about −60 dBFS: silence
            shares.append(0.0)
            continue
        fit, *_ = np.linalg.lstsq(basis, block, rcond=None)
        tone = basis @ fit
        shares.append(min(1.0, float(tone @ tone) / energy))
    return float(np.mean(shares)) if shares else 0.0


def middle(samples: Samples, rate: int, seconds: float) -> Samples:
    """The middle part; all of it when it is shorter."""
    size = int(seconds * rate)
    start = max(0, (len(samples) - size) // 2)
    return samples[start : start + size]


def tone_span(samples: Samples, rate: int, frequency_hz: float) -> tuple[float, float] | None:
    """First and last second in which the tone holds more than half of the energy; None when it never does."""
    size = int(rate * BLOCK_S)
    hits = [
        start
        for start in range(0, len(samples) - size + 1, size)
        if tone_share(samples[start : start + size], rate, frequency_hz) > 0.5
    ]
    return (hits[0] / rate, (hits[-1] + size) / rate) if hits else None


def correlation(heard: Samples, wanted: Samples) -> float:
    """Greatest normalised cross-correlation of `wanted` anywhere in `heard` (0..1): 1 = it was played unchanged."""
    if len(heard) < len(wanted) or not len(wanted):
        return 0.0
    wanted = wanted - wanted.mean()
    size = 1 << (len(heard) + len(wanted) - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size)), size)
    lags = len(heard) - len(wanted) + 1
    sums = np.concatenate([[0.0], np.cumsum(heard**2)])
    energy = sums[len(wanted) : len(wanted) + lags] - sums[:lags]
    norm = np.sqrt(np.maximum(energy, 1e-9) * float(wanted @ wanted))
    return float(np.max(np.abs(product[:lags]) / np.maximum(norm, 1e-9)))
