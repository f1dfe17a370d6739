"""Tones to send: of one or two frequencies, with a cadence; DTMF digits; MF-R2 signals; tones of a Chinese exchange."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from voicecore._core import ffi, lib
from voicecore.blocks import BLOCK, checked


class Named(IntEnum):
    """GB/T 3380 (tone zone cn) and the milliwatt of 1004 Hz."""

    DIAL = lib.VC_CN_DIAL
    RING_BACK = lib.VC_CN_RING_BACK
    BUSY = lib.VC_CN_BUSY
    CONGESTION = lib.VC_CN_CONGESTION
    UNOBTAINABLE = lib.VC_CN_UNOBTAINABLE
    CALL_WAITING = lib.VC_CN_CALL_WAITING
    MILLIWATT = lib.VC_MILLIWATT


class Direction(IntEnum):
    """Of MF-R2 signals (ITU-T Q.441): forward is from the caller's exchange."""

    FORWARD = lib.VC_R2_FORWARD
    BACKWARD = lib.VC_R2_BACKWARD


@dataclass(frozen=True, slots=True)
class Tone:
    """Raises nothing: `ToneGenerator` checks."""

    parts: tuple[tuple[float, float], ...]
    """One or two of (frequency_hz, level_dbm0)."""
    cadence_ms: tuple[int, ...] = ()
    """On, off, on, off …, repeated; none: continuous."""

    def into(self) -> Any:
        if len(self.parts) > lib.VC_TONE_PARTS or len(self.cadence_ms) > lib.VC_TONE_STEPS:
            raise ValueError(f"{self}: a tone has at most {lib.VC_TONE_PARTS} parts and {lib.VC_TONE_STEPS} steps")
        tone = ffi.new("vc_tone *")
        for place, (frequency_hz, level_dbm0) in enumerate(self.parts):
            tone.parts[place].frequency_hz, tone.parts[place].level_dbm0 = frequency_hz, level_dbm0
        for place, step_ms in enumerate(self.cadence_ms):
            tone.cadence_ms[place] = step_ms
        return tone

    @classmethod
    def from_core(cls, tone: Any) -> "Tone":
        used = [part for part in tone.parts if part.frequency_hz]
        steps = list(tone.cadence_ms)
        length = steps.index(0) if 0 in steps else len(steps)
        return cls(tuple((part.frequency_hz, part.level_dbm0) for part in used), tuple(steps[:length]))


def dtmf(digit: str, low_dbm0: float = -9.0, high_dbm0: float = -7.0) -> Tone:
    """ITU-T Q.23; the levels are those of GB/T 3378."""
    tone = ffi.new("vc_tone *")
    code = digit.encode("ascii", "replace") if len(digit) == 1 else b"?"
    checked(
        lib.vc_tone_of_dtmf(code, low_dbm0, high_dbm0, tone), f"DTMF digit {digit!r} at {low_dbm0}/{high_dbm0} dBm0"
    )
    return Tone.from_core(tone)


def r2(direction: Direction, signal: int, level_dbm0: float = -11.5) -> Tone:
    """ITU-T Q.441: signal 1 … 15; the level is Q.454's, of each of the two frequencies."""
    tone = ffi.new("vc_tone *")
    checked(lib.vc_tone_of_r2(direction, signal, level_dbm0, tone), f"MF-R2 signal {signal} at {level_dbm0} dBm0")
    return Tone.from_core(tone)


def named(name: Named, level_dbm0: float = -10.0) -> Tone:
    tone = ffi.new("vc_tone *")
    checked(lib.vc_tone_of_name(name, level_dbm0, tone), f"tone {name!r} at {level_dbm0} dBm0")
    return Tone.from_core(tone)


class ToneGenerator:
    """A tone in blocks of 20 ms, without a jump of phase between them."""

    def __init__(self, tone: Tone) -> None:
        self._state = ffi.new("vc_tonegen *")
        self._block = ffi.new("int16_t[]", BLOCK)
        checked(lib.vc_tonegen_init(self._state, tone.into()), str(tone))

    def read(self, blocks: int = 1) -> bytes:
        """The next `blocks` × 20 ms, int16."""
        out = bytearray()
        for _ in range(blocks):
            lib.vc_tonegen_read(self._state, self._block)
            out += ffi.buffer(self._block)
        return bytes(out)


class Dialler:
    """DTMF digits one after the other."""

    def __init__(self, on_ms: int = 100, off_ms: int = 100, low_dbm0: float = -9.0, high_dbm0: float = -7.0) -> None:
        self._state = ffi.new("vc_dialgen *")
        self._block = ffi.new("int16_t[]", BLOCK)
        what = f"dialling {on_ms}/{off_ms} ms at {low_dbm0}/{high_dbm0} dBm0"
        checked(lib.vc_dialgen_init(self._state, on_ms, off_ms, low_dbm0, high_dbm0), what)

    def put(self, digits: str) -> None:
        """All of them or, with a ValueError, none."""
        checked(lib.vc_dialgen_put(self._state, digits.encode("ascii", "replace")), f"dialling {digits!r}")

    def read(self) -> bytes | None:
        """The next 20 ms; None when everything is sent."""
        return bytes(ffi.buffer(self._block)) if lib.vc_dialgen_read(self._state, self._block) else None
