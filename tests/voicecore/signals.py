"""Signals made with numpy alone, so that a detector is never judged by the core's own generators."""

import subprocess
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8000
BLOCK = 160
Signal = NDArray[np.float64]


def amplitude(level_dbm0: float) -> float:
    """Peak of a sine; G.711: a peak of 32768 would be +3.14 dBm0."""
    return float(32768 * 10 ** ((level_dbm0 - 3.14) / 20))


def level_dbm0(signal: NDArray[Any]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(signal.astype(float) ** 2)) * np.sqrt(2) / 32768) + 3.14)


def sine(frequency_hz: float, level: float, ms: float, phase: float = 0.0) -> Signal:
    samples = np.arange(round(ms * RATE_HZ / 1000))
    return amplitude(level) * np.sin(2 * np.pi * frequency_hz * samples / RATE_HZ + phase)


def silence(ms: float) -> Signal:
    return np.zeros(round(ms * RATE_HZ / 1000))


def noise(rng: np.random.Generator, level: float, ms: float) -> Signal:
    """White, Gaussian."""
    return rng.normal(0, amplitude(level) / np.sqrt(2), round(ms * RATE_HZ / 1000))


def padded(signal: Signal, lead: int = 0) -> Signal:
    """With `lead` samples of silence before it and silence to a whole block behind it."""
    return np.concatenate([np.zeros(lead), signal, np.zeros(-(len(signal) + lead) % BLOCK)])


def linear(signal: Signal) -> bytes:
    """int16, rounded and cut at the ends, made whole blocks."""
    return np.clip(np.rint(padded(signal)), -32768, 32767).astype(np.int16).tobytes()


def samples(raw: bytes) -> Signal:
    return np.frombuffer(raw, np.int16).astype(np.float64)


def spoken(text: str, voice: str = "cmn", speed: int = 175, pitch: int = 50) -> Signal:
    """espeak-ng's speech at 8000 Hz, int16 range, loud as a talker on a line (about -16 dBm0)."""
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text]
    wav = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    sox = ["sox", "-t", "wav", "-", "-t", "raw", "-e", "signed-integer", "-b", "16", "-r", "8000", "-c", "1", "-"]
    heard = samples(subprocess.run(sox, input=wav, capture_output=True, check=True, timeout=60).stdout)
    return heard * 10 ** ((-16 - level_dbm0(heard)) / 20)
