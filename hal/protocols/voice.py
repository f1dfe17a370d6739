"""Cards, spans and ports that carry lines. Two backends of the real box stand behind this: sysfs, which can look, and
DAHDI's ioctls (on voicecore), which can act. Waits end after `within_s` with TimedOut."""

from collections.abc import Sequence, Set
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hal.capabilities import Capability
from hal.errors import Refused
from hal.model.inventory import Card, Port, PortKind, Span
from hal.protocols.linetest import Tap


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
    """Since the driver started; they only grow. DAHDI counts no slips."""

    code_violations: int = 0
    crc4_errors: int = 0
    e_bits: int = 0
    frame_errors: int = 0
    errored_seconds: int = 0
    missed_interrupts: int = 0
    """Of the whole card: audio of 1 ms was lost each time."""


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

    async def configure(self, line: LineConfig, clock_order: int = 0) -> None:
        """SPAN_CONFIGURE. `clock_order`: 1 for the span whose clock is taken first, 2 for the next; 0: never from it.
        Refused on an analog span, and what the card cannot."""

    async def start(self) -> None:
        """SPAN_CONFIGURE. Takes the span into service and hangs up each of its channels; does nothing when it runs."""

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


class Signalling(StrEnum):
    """How a channel is driven; DAHDI's words in /etc/dahdi/system.conf."""

    FXS_KEWL = "fxsks"
    """FXO port. A port is driven with the signalling of what it stands for: hence the crossing."""
    FXO_KEWL = "fxoks"
    """FXS port."""
    FXS_LOOP = "fxsls"
    FXO_LOOP = "fxols"
    BEARER = "bchan"
    """Timeslot with a call (PRI, SS7)."""
    DATA_LINK = "dchan"
    """Timeslot with the signalling of the others: HDLC made by DAHDI."""
    HARD_DATA_LINK = "hardhdlc"
    """The same, made by the card."""
    MTP2 = "mtp2"
    """SS7 link whose level 2 is the kernel's."""
    CAS = "cas"
    """Timeslot with signalling bits of its own (R2)."""
    NONE = "unused"


_FXO = frozenset({Signalling.NONE, Signalling.FXS_KEWL, Signalling.FXS_LOOP})
_FXS = frozenset({Signalling.NONE, Signalling.FXO_KEWL, Signalling.FXO_LOOP})
SIGNALLINGS = {
    PortKind.FXO: _FXO,
    PortKind.FXS: _FXS,
    PortKind.E1: frozenset(Signalling) - _FXO - _FXS | {Signalling.NONE},
}
"""What a channel of a port can be."""


class Law(StrEnum):
    DEFAULT = "default"
    """The driver's: A-law on an E1."""
    A = "alaw"
    U = "mulaw"


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """Gains are not here: DAHDI forgets them when the channel is closed, so they are whoever's who opens it."""

    signalling: Signalling
    law: Law = Law.DEFAULT
    idle_bits: int = 0
    """CAS: bits A B C D of an idle channel, A the highest: 0b1101 for R2."""
    echo_canceller: str | None = None
    """DAHDI's name of one, small: "mg2", "oslec", "hwec". The kernel loads it; a card with its own may take that."""


@dataclass(frozen=True, slots=True)
class ChannelState:
    signalling: Signalling | None
    """None when it is one that is not ours."""
    open: bool
    alarms: frozenset[Alarm]
    echo_canceller: str | None = None
    law: Law | None = None
    """None: not known. DAHDI takes a new law when the channel is next opened."""
    idle_bits: int | None = None
    """None: not known, or without meaning."""


class Hook(StrEnum):
    ON = "on"
    OFF = "off"
    FLASH = "flash"
    RING = "ring"
    """FXS only: one ring of the set."""


class PortEvent(StrEnum):
    RING = "ring"
    """FXO: the exchange begins to ring."""
    RING_OVER = "ring_over"
    OFF_HOOK = "off_hook"
    """FXS: the set was lifted."""
    ON_HOOK = "on_hook"
    FLASH = "flash"
    POLARITY = "polarity"
    ALARM = "alarm"
    ALARM_OVER = "alarm_over"


class HeldPort(Protocol):
    """One channel of a port, ours until the end of `VoicePort.hold`."""

    async def hook(self, position: Hook) -> None:
        """PORT_HOOK. Refused on an E1, and RING on FXO."""

    async def next_event(self, within_s: float) -> PortEvent:
        """PORT_EVENTS. Each event from the beginning of the hold is told once, in its order. NotThere when the card was
        pulled."""


class VoicePort(Protocol):
    """`timeslot` counts the channels of an E1, 1 … 31; an analog port has channel 1 only. Another is Refused."""

    @property
    def capabilities(self) -> Set[Capability]: ...

    async def state(self) -> PortState:
        """PORT_STATE. NotThere as for the span."""

    async def channel(self, timeslot: int = 1) -> ChannelState:
        """PORT_STATE."""

    async def configure(self, config: ChannelConfig, timeslot: int = 1) -> None:
        """PORT_CONFIGURE. This one channel; no other notices. Refused while a program holds it, and what the channel or
        the kernel cannot (a signalling of another kind of port, an unknown echo canceller)."""

    def hold(self, timeslot: int = 1) -> AbstractAsyncContextManager[HeldPort]:
        """PORT_EVENTS. Refused when a program (Asterisk, a line test) holds it, or it is not configured. At the end it
        goes on hook."""

    def tap(self, timeslot: int = 1, *, speak: bool = True) -> AbstractAsyncContextManager[Tap]:
        """PORT_TAP. Beside the program that holds the channel, which keeps hook, signalling and events. `speak`: what
        we send goes out in place of what it sends. All of it ends with the context, with our process, and with the
        program's call. Refused when nobody holds the channel as sound (an idle bearer is none), or another one taps
        it."""


@dataclass(frozen=True, slots=True)
class Look:
    """Each in the order in which it was asked for; None: not there (pulled, or without a number)."""

    spans: tuple[SpanState | None, ...]
    ports: tuple[PortState | None, ...]


def check_timeslot(port: Port, timeslot: int, who: str) -> None:
    """Raises Refused when the port has no such channel."""
    if not 1 <= timeslot <= port.channels:
        raise Refused(f"{who} has no channel {timeslot}", hint=f"its channels are 1 … {port.channels}")


class VoiceModule(Protocol):
    """One card."""

    @property
    def card(self) -> Card: ...

    @property
    def capabilities(self) -> Set[Capability]: ...

    def span(self, span: Span) -> VoiceSpan: ...

    def port(self, port: Port) -> VoicePort: ...

    async def look(self, spans: Sequence[Span], ports: Sequence[Port]) -> Look:
        """SPAN_STATE for spans, PORT_STATE for ports: the states of several at one visit, for who looks often. What it
        takes to see them stays open as long as the module is kept."""

    async def assign(self, span: Span, number: int, first_channel: int) -> None:
        """SPAN_ASSIGN. Refused when the number or one of the channels is taken, or the span has a number already."""
