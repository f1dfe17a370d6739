"""What an exchange and a telephone sound like on an analog line: tones in cadence, DTMF, levels.

Shares no code with the product. Sounds are arrays of samples (±1) at 8000 Hz; a sine of full scale has +3.14 dBm0.
Frequencies and cadences: YD/T 1277-like figures of the Chinese network, 450 Hz throughout.
"""

import math

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]
RATE_HZ = 8000
FULL_SCALE_DBM0 = 3.14
TONE_DBM0 = -15.0
TONE_HZ = 450.0
BUSY_MS, CONGESTION_MS, RING_BACK_MS = (350, 350), (700, 700), (1000, 4000)
FADE_S = 0.002
"""An exchange's switch is not harder than its filter."""
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"


def peak(level_dbm0: float) -> float:
    """Amplitude of a sine of this level."""
    return float(10 ** ((level_dbm0 - FULL_SCALE_DBM0) / 20))


def level(sound: Sound) -> float:
    """dBm0 of the whole; −100 for silence."""
    return 10 * math.log10(max(2 * float(np.mean(sound**2)), 1e-10)) + FULL_SCALE_DBM0


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE_HZ))


def tone(seconds: float, *hz: float, level_dbm0: float = TONE_DBM0) -> Sound:
    """One or more sines, each of that level, faded in and out."""
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    edge = np.clip(np.minimum(time, seconds - time) / FADE_S, 0, 1)
    return np.asarray(peak(level_dbm0) * edge * np.sum([np.sin(2 * np.pi * one * time) for one in hz], axis=0))


def cadence(on_off_ms: tuple[int, int], *hz: float, level_dbm0: float = TONE_DBM0) -> Sound:
    """One period: a tone and its pause."""
    on_ms, off_ms = on_off_ms
    return np.concatenate([tone(on_ms / 1000, *(hz or (TONE_HZ,)), level_dbm0=level_dbm0), silence(off_ms / 1000)])


def dtmf(digits: str, on_ms: int = 80, off_ms: int = 80, level_dbm0: float = -10.0) -> Sound:
    """Digits 0–9, *, #, A–D; each frequency has that level."""
    parts = []
    for digit in digits:
        row, column = divmod(KEYS.index(digit), 4)
        parts += [tone(on_ms / 1000, ROWS[row], COLUMNS[column], level_dbm0=level_dbm0), silence(off_ms / 1000)]
    return np.concatenate(parts)


def noise(rng: np.random.Generator, seconds: float, level_dbm0: float) -> Sound:
    return rng.normal(0, peak(level_dbm0) / np.sqrt(2), round(seconds * RATE_HZ))


def linear(sound: Sound) -> bytes:
    """16 bits, little-endian, as DAHDI takes them in its linear mode."""
    return bytes(np.clip(np.round(sound * 32767), -32768, 32767).astype("<i2").tobytes())
