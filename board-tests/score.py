"""How much of what was heard is the tone that the other end played. Shares no code with the product."""

import io
import wave

import numpy as np
from numpy.typing import NDArray

SHARE = 0.8
"""At least so much of what an end hears in a good call is the other's tone."""
BLOCK_S = 0.2
SILENCE = 1e-6
"""Mean square below which a block counts as silent: −60 dB under full scale."""


def samples(wav: bytes, *, channels: int = 1) -> tuple[NDArray[np.float64], int]:
    """Samples (±1) and rate of a wav of 16 bits; of several channels an array of (channel, sample)."""
    with wave.open(io.BytesIO(wav)) as file:
        if (file.getnchannels(), file.getsampwidth()) != (channels, 2):
            told = f"{file.getnchannels()} channels of {8 * file.getsampwidth()} bits; expected {channels} of 16"
            raise ValueError(told)
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0
        return sound if channels == 1 else sound.reshape(-1, channels).T, file.getframerate()


def tone_share(sound: NDArray[np.float64], rate: int, hz: float) -> float:
    """Mean over blocks of 200 ms of the part of the energy within 15 Hz of `hz`: 0..1, a silent block counts 0."""
    size = int(rate * BLOCK_S)
    blocks = sound[: len(sound) // size * size].reshape(-1, size)
    if not len(blocks):
        return 0.0
    power = np.abs(np.fft.rfft(blocks * np.hanning(size), axis=1)) ** 2
    near = np.abs(np.fft.rfftfreq(size, 1 / rate) - hz) <= 15
    share = power[:, near].sum(axis=1) / np.maximum(power[:, 1:].sum(axis=1), 1e-12)
    return float(np.where((blocks**2).mean(axis=1) > SILENCE, share, 0.0).mean())
