"""A busy tone learned from a sample. Blocking (some 10 ms)."""

import contextlib
from dataclasses import dataclass

RATE_HZ, SAMPLE_BYTES = 8000, 2
BLOCK_BYTES = 320
TAILS_S = (30, 15, 8, 5, 3)
"""More than 30 s cannot be learned from."""
COUNTRYS = {(350, 350): "busy", (700, 700): "congestion"}
"""Cadences (ms) of the country's own tones, which are known without being learned."""
SAME_HZ, SAME_MS = 15.0, 40.0


@dataclass(frozen=True, slots=True)
class Tone:
    hz: tuple[float, ...]
    cadence_ms: tuple[int, ...]
    known: str
    """The country's tone that it is: busy, congestion; "" for one of this exchange's own."""


def learned(sound: bytes) -> Tone:
    """The tone is at the end of the sample: what came before it (a dial tone, a talk) is left away bit by bit. Raises
    ValueError that says what is missing."""
    for seconds in TAILS_S[:-1]:
        with contextlib.suppress(ValueError):
            return _learned(sound, seconds)
    return _learned(sound, TAILS_S[-1])


def _learned(sound: bytes, seconds: int) -> Tone:
    # Here, because an agent without the compiled part has lines to look at, too; its drivers refuse all tests.
    from voicecore.progress import learn  # noqa: PLC0415

    last = sound[-seconds * RATE_HZ * SAMPLE_BYTES :]
    found = learn(last[len(last) % BLOCK_BYTES :])
    cadence = tuple(round(step / 10) * 10 for step in found.cadence_ms)
    if len(cadence) < 2:
        raise ValueError("the tone does not stop: it is no busy tone")
    return Tone(tuple(round(hz, 1) for hz in found.hz), cadence, _known(found.hz, found.cadence_ms))


def _known(hz: tuple[float, ...], cadence_ms: tuple[int, ...]) -> str:
    if len(hz) != 1 or abs(hz[0] - 450) > SAME_HZ:
        return ""
    for (on_ms, off_ms), name in COUNTRYS.items():
        if len(cadence_ms) == 2 and max(abs(cadence_ms[0] - on_ms), abs(cadence_ms[1] - off_ms)) <= SAME_MS:
            return name
    return ""
