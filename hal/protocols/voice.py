"""Cards, spans and ports that carry lines. Two backends of the real box stand behind this: sysfs, which can look, and
(to come, on voicecore) DAHDI's ioctls, which can act. Waits end after `within_s` with TimedOut."""

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hal.capabilities import Capability
from hal.model.inventory import Card, Port, Span


class Alarm(StrEnum):
    RED = "red"
    """No signal, or no frame."""
    YELLOW = "yellow"
    """The far end does not hear us."""
    BLUE = "blue"
    """The far end sends all ones: maintenance."""
    LOOP = "loop"
    RECOVERING = "recovering"
    NOT_OPEN = "not_open"


class Coding(StrEnum):
    HDB3 = "hdb3"
    AMI = "ami"


@dataclass(frozen=True, slots=True)
class LineConfig:
    """How an E1 is framed."""

    coding: Coding
    common_channel: bool
    """CCS: timeslot 16 is a data link (PRI, SS7). Otherwise CAS (R2)."""
    crc4: bool


@dataclass(frozen=True, slots=True)
class SpanState:
    alarms: frozenset[Alarm]
    line: LineConfig | None
    """None as long as the span is not configured, and on analog spans."""
    clock_master: bool
    """The whole system takes its clock from this span."""


@dataclass(frozen=True, slots=True)
class SpanCounters:
    """Since the driver started; they only grow."""

    code_violations: int = 0
    crc4_errors: int = 0
    e_bits: int = 0
    frame_errors: int = 0
    slips: int = 0


class Loop(StrEnum):
    LOCAL = "local"
    """What we send comes back to us."""
    REMOTE = "remote"
    """What the far end sends goes back to it."""


class VoiceSpan(Protocol):
    @property
    def capabilities(self) -> Set[Capability]: ...

    async def state(self) -> SpanState:
        """SPAN_STATE. NotThere when the card was pulled or the span has no number."""

    async def configure(self, line: LineConfig) -> None:
        """SPAN_CONFIGURE."""

    async def counters(self) -> SpanCounters:
        """SPAN_COUNTERS."""

    async def loop(self, where: Loop | None) -> None:
        """SPAN_LOOPBACK. None ends it."""


@dataclass(frozen=True, slots=True)
class PortState:
    signalling: str | None
    """DAHDI's word ("FXSKS"); None when not configured."""
    open: bool
    """A program (Asterisk, a line test) holds the channel."""
    alarms: frozenset[Alarm]


class Hook(StrEnum):
    ON = "on"
    OFF = "off"
    FLASH = "flash"
    RING = "ring"
    """FXS only: one ring of the set."""


class PortEvent(StrEnum):
    RING = "ring"
    """FXO: the exchange rings."""
    OFF_HOOK = "off_hook"
    """FXS: the set was lifted."""
    ON_HOOK = "on_hook"
    FLASH = "flash"
    POLARITY = "polarity"
    ALARM = "alarm"
    ALARM_OVER = "alarm_over"


class VoicePort(Protocol):
    @property
    def capabilities(self) -> Set[Capability]: ...

    async def state(self) -> PortState:
        """PORT_STATE. NotThere as for the span."""

    async def hook(self, position: Hook) -> None:
        """PORT_HOOK. Refused on an E1, and RING on FXO."""

    async def next_event(self, within_s: float) -> PortEvent:
        """PORT_EVENTS. Each event is told once, in its order."""


class VoiceModule(Protocol):
    """One card."""

    @property
    def card(self) -> Card: ...

    @property
    def capabilities(self) -> Set[Capability]: ...

    def span(self, span: Span) -> VoiceSpan: ...

    def port(self, port: Port) -> VoicePort: ...

    async def assign(self, span: Span, number: int, first_channel: int) -> None:
        """SPAN_ASSIGN. Refused when the number or one of the channels is taken, or the span has a number already."""
