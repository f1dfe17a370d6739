"""Measuring on a channel that a program (Asterisk) holds: what is sent there, what is heard, what came of it.

Levels are in dBm0, as the channel carries them: gains of the program that holds it lie between here and the line.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hal.errors import Refused

LONGEST_S = 60
"""Of one measurement."""
LEAST_DBM0, MOST_DBM0 = -40.0, 0.0
LEAST_HZ, MOST_HZ = 300.0, 3400.0


class Measure(StrEnum):
    LISTEN = "listen"
    """Sends silence; hears level, noise, a tone, digits, and keeps the sound."""
    TONE = "tone"
    """Sends a tone, and hears the same as above. What comes back of it takes a loop at the far end."""
    ECHO = "echo"
    """Sends a known noise and finds its return: how much later, how much weaker."""
    BITS = "bits"
    """Sends PRBS-15 and counts the bits that come back wrong. Takes a loop, and a digital way to it."""


@dataclass(frozen=True, slots=True)
class Order:
    measure: Measure
    seconds: float
    level_dbm0: float = -10.0
    """Of what is sent (TONE, ECHO)."""
    hz: float = 1004.0

    def check(self) -> None:
        """Raises Refused."""
        if not 1 <= self.seconds <= LONGEST_S:
            raise Refused(f"a measurement takes 1 to {LONGEST_S} s, not {self.seconds:g}")
        if not LEAST_DBM0 <= self.level_dbm0 <= MOST_DBM0:
            raise Refused(f"a level is {LEAST_DBM0:g} to {MOST_DBM0:g} dBm0, not {self.level_dbm0:g}")
        if not LEAST_HZ <= self.hz <= MOST_HZ:
            raise Refused(f"a tone has {LEAST_HZ:g} to {MOST_HZ:g} Hz, not {self.hz:g}")


@dataclass(frozen=True, slots=True)
class ToneFound:
    hz: float
    level_dbm0: float
    rest_dbm0: float
    """Noise and distortion beside it."""


@dataclass(frozen=True, slots=True)
class EchoFound:
    delay_ms: float | None
    """None: no echo stands out of the noise."""
    return_loss_db: float
    """Without an echo: what it is at least."""


@dataclass(frozen=True, slots=True)
class BitsFound:
    bits: int
    """Compared while in step."""
    errors: int
    losses: int
    """How often the receiver fell out of step."""
    in_step: bool


@dataclass(frozen=True, slots=True)
class Measured:
    seconds: float
    level_dbm0: float
    noise_dbm0p: float
    tone: ToneFound | None = None
    """None: none stands out, or nobody listened for one."""
    echo: EchoFound | None = None
    bits: BitsFound | None = None
    digits: str = ""
    """DTMF that was heard."""
    sound: bytes = b""
    """LISTEN: 16-bit samples at 8000 Hz."""
    lost_ms: float = 0.0
    """What did not reach the line, or was not kept, in time: the figures are worth less."""


@dataclass(frozen=True, slots=True)
class Second:
    """One second of a measurement is over."""

    second: int
    level_dbm0: float
    errors: int
    """Bit errors so far."""


Told = Callable[[Second], None]


class Tap(Protocol):
    """A way to hear and to speak on one channel, until the end of `VoicePort.tap`."""

    async def measure(self, order: Order, told: Told, stop: asyncio.Event | None = None) -> Measured:
        """`stop` ends it early with what was measured until then. Refused when the order cannot be. TimedOut when the
        channel has no clock (its card was pulled)."""
