"""Caller id as an exchange sends it and a telephone reads it: FSK data messages, and DTMF before the first ring.

ETSI EN 300 659 and its Bell-202 twin: 1200 bit/s, 1 = mark, characters of 8 bits with start and stop bit, after channel
seizure (01…) and mark. Shares no code with the product.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from sounds import RATE_HZ, Sound, dtmf, peak

BAUD = 1200
SEIZURE_BITS, MARK_BITS, TAIL_BITS = 300, 180, 10
MULTIPLE, SINGLE = 0x80, 0x04
DATE, NUMBER, WHY_NO_NUMBER, NAME = 0x01, 0x02, 0x04, 0x07


class Modem(Enum):
    """(mark, space) in Hz."""

    BELL_202 = (1200, 2200)
    V23 = (1300, 2100)


def message(number: str, name: str = "", date: str = "11230315") -> bytes:
    """A multiple data message: call set-up, with its checksum."""
    fields = ((DATE, date), (NUMBER, number), (NAME, name))
    body = b"".join(bytes([kind, len(text)]) + text.encode() for kind, text in fields if text)
    whole = bytes([MULTIPLE, len(body)]) + body
    return whole + bytes([-sum(whole) % 256])


def fsk(data: bytes, modem: Modem, level_dbm0: float = -13.5) -> Sound:
    """The data as the line carries them, with a continuous phase."""
    bits = [n % 2 for n in range(SEIZURE_BITS)] + [1] * MARK_BITS
    for byte in data:
        bits += [0, *(byte >> n & 1 for n in range(8)), 1]
    bits += [1] * TAIL_BITS
    at = (np.arange(round(len(bits) * RATE_HZ / BAUD)) * BAUD / RATE_HZ).astype(int)
    mark, space = modem.value
    hz = np.where(np.array(bits)[np.minimum(at, len(bits) - 1)] == 1, mark, space)
    return np.asarray(peak(level_dbm0) * np.sin(np.cumsum(2 * np.pi * hz / RATE_HZ)))


def dtmf_before_ring(number: str) -> Sound:
    """As in China: D, the number, C."""
    return dtmf(f"D{number}C", on_ms=70, off_ms=70, level_dbm0=-9)


@dataclass(frozen=True, slots=True)
class CallerId:
    number: str = ""
    name: str = ""
    withheld: str = ""
    """P: private, O: not available; empty when a number came."""


class NoCallerIdError(Exception):
    """Nothing in the sound is a whole data message."""


def _bits(sound: Sound, modem: Modem) -> Sound:
    """How much more mark than space is heard around each sample, over one bit."""
    window = round(RATE_HZ / BAUD)
    time = np.arange(len(sound)) / RATE_HZ
    heard = []
    for hz in modem.value:
        turned = np.convolve(sound * np.exp(-2j * np.pi * hz * time), np.ones(window), "same")
        heard.append(np.abs(turned))
    return np.asarray(heard[0] - heard[1])


def _characters(bits: Sound, start: int) -> bytes:
    """Characters from the start bit at `start` on, up to one without a stop bit."""
    step = RATE_HZ / BAUD
    data = bytearray()
    while start + 10 * step < len(bits):
        middle = [bits[round(start + (n + 0.5) * step)] > 0 for n in range(10)]
        if middle[0] or not middle[9]:
            break
        data.append(sum(bit << n for n, bit in enumerate(middle[1:9])))
        last = round(start + 9.5 * step)
        begins = np.flatnonzero(bits[last : last + round(20 * step)] < 0)
        if not len(begins):
            break
        start = last + int(begins[0])
    return bytes(data)


def _parsed(data: bytes) -> CallerId | None:
    if len(data) < 3 or data[0] not in {MULTIPLE, SINGLE} or len(data) < data[1] + 3:
        return None
    data = data[: data[1] + 3]
    if sum(data) % 256:
        return None
    if data[0] == SINGLE:
        return CallerId(number=data[10:-1].decode())
    fields: dict[int, str] = {}
    at = 2
    while at < len(data) - 1:
        kind, size = data[at], data[at + 1]
        fields[kind] = data[at + 2 : at + 2 + size].decode(errors="replace")
        at += 2 + size
    return CallerId(fields.get(NUMBER, ""), fields.get(NAME, ""), fields.get(WHY_NO_NUMBER, ""))


def decoded(sound: Sound, modem: Modem) -> CallerId:
    """The first whole message in what a telephone heard. Raises NoCallerIdError."""
    bits = _bits(sound, modem)
    energy = np.convolve(np.abs(sound), np.ones(80) / 80, "same") > peak(-40)
    falls = np.flatnonzero((bits[1:] < 0) & (bits[:-1] >= 0) & energy[1:]) + 1
    for start in falls:
        if (told := _parsed(_characters(bits, int(start)))) is not None:
            return told
    raise NoCallerIdError(f"{len(sound) / RATE_HZ:.1f} s of sound, {len(falls)} possible beginnings, no whole message")
