"""A simulated line under test: what it does to what is sent on it is known, so what a test must find is known."""

import array
import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from hal.protocols.linetest import BitsFound, EchoFound, Measure, Measured, Order, Second, Told, ToneFound

RATE_HZ = 8000
BITS_A_S = 64_000
FULL_DBM0 = 3.14
"""Of a sine that just fits into 16 bits."""
SILENCE_DBM0 = -90.0
SECOND_S = 1.0
"""How long a second of a simulated measurement takes; tests make it shorter."""


@dataclass(frozen=True, slots=True)
class SimLine:
    """As a line without faults, and without a loop."""

    loop_db: float | None = None
    """What is sent comes back weaker by this; None: nothing comes back but the echo."""
    echo_db: float = 26.0
    """Echo return loss of the near end."""
    delay_ms: float = 0.0
    """Of what comes back."""
    noise_dbm0p: float = -72.0
    bit_errors: float = 0.0
    """Part of the bits that come back wrong."""
    tone_hz: float = 0.0
    """Of the far end; 0: it is silent."""
    tone_dbm0: float = -10.0
    on_ms: float = 0.0
    """Cadence of that tone; 0: continuous."""
    off_ms: float = 0.0


class SimTap:
    def __init__(self, line: Callable[[], SimLine], *, speak: bool) -> None:
        self._line, self._speak = line, speak

    async def measure(self, order: Order, told: Told, stop: asyncio.Event | None = None) -> Measured:
        """At the pace of a real line."""
        order.check()
        line, gone_s = self._line(), 0
        found = await asyncio.to_thread(measured, line, order, speak=self._speak)
        while gone_s < order.seconds and not await _set_within(stop, SECOND_S * min(1.0, order.seconds - gone_s)):
            gone_s += 1
            told(Second(gone_s, found.level_dbm0, _errors(found, gone_s)))
        if gone_s >= order.seconds:
            return found
        return await asyncio.to_thread(measured, line, replace(order, seconds=gone_s), speak=self._speak)


async def _set_within(stop: asyncio.Event | None, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await (stop or asyncio.Event()).wait()
    except TimeoutError:
        return False
    return True


def _errors(found: Measured, second: int) -> int:
    return round(found.bits.errors * min(1.0, second / found.seconds)) if found.bits else 0


def measured(line: SimLine, order: Order, *, speak: bool) -> Measured:
    """Pure."""
    far = ToneFound(line.tone_hz, line.tone_dbm0, line.noise_dbm0p) if line.tone_hz else None
    quiet = Measured(order.seconds, far.level_dbm0 if far else line.noise_dbm0p, line.noise_dbm0p, far)
    back_dbm0 = SILENCE_DBM0 if line.loop_db is None or not speak else order.level_dbm0 - line.loop_db
    match order.measure:
        case Measure.LISTEN:
            return Measured(order.seconds, quiet.level_dbm0, line.noise_dbm0p, far, sound=_sound(line, order.seconds))
        case Measure.TONE if back_dbm0 > line.noise_dbm0p:
            return Measured(
                order.seconds, back_dbm0, line.noise_dbm0p, ToneFound(order.hz, back_dbm0, line.noise_dbm0p)
            )
        case Measure.TONE:
            return quiet
        case Measure.ECHO:
            loss_db = line.echo_db if line.loop_db is None else line.loop_db
            heard = speak and order.level_dbm0 - loss_db > line.noise_dbm0p
            least_db = order.level_dbm0 - line.noise_dbm0p
            echo = EchoFound(line.delay_ms, loss_db) if heard else EchoFound(None, least_db)
            return Measured(order.seconds, order.level_dbm0 - echo.return_loss_db, line.noise_dbm0p, echo=echo)
        case Measure.BITS:
            bits = round(order.seconds * BITS_A_S) if line.loop_db is not None and speak else 0
            counted = BitsFound(bits, round(bits * line.bit_errors), 0, in_step=bits > 0)
            return Measured(order.seconds, SILENCE_DBM0, SILENCE_DBM0, bits=counted)
    assert_never(order.measure)


def _sound(line: SimLine, seconds: float) -> bytes:
    """The far end's tone in its cadence."""
    samples = array.array("h", bytes(2 * round(seconds * RATE_HZ)))
    if not line.tone_hz:
        return samples.tobytes()
    peak = 32767 * 10 ** ((line.tone_dbm0 - FULL_DBM0) / 20)
    round_ms = line.on_ms + line.off_ms
    for place in range(len(samples)):
        if not round_ms or place * 1000 / RATE_HZ % round_ms < line.on_ms:
            samples[place] = round(peak * math.sin(2 * math.pi * line.tone_hz * place / RATE_HZ))
    return samples.tobytes()
