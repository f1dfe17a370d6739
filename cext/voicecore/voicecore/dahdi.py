"""DAHDI through its control file: spans and channels are looked at and configured, none is opened. All of it blocks."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from types import TracebackType
from typing import Self

from voicecore._core import ffi, lib
from voicecore.dahdi_error import done


class Alarms(IntFlag):
    RECOVERING = lib.VC_ALARM_RECOVERING
    LOOP = lib.VC_ALARM_LOOP
    YELLOW = lib.VC_ALARM_YELLOW
    RED = lib.VC_ALARM_RED
    BLUE = lib.VC_ALARM_BLUE
    NOT_OPEN = lib.VC_ALARM_NOT_OPEN


class Line(IntFlag):
    """How an E1 is framed and coded."""

    AMI = lib.VC_LINE_AMI
    HDB3 = lib.VC_LINE_HDB3
    CCS = lib.VC_LINE_CCS
    CRC4 = lib.VC_LINE_CRC4


class Signalling(IntEnum):
    NONE = lib.VC_SIG_NONE
    FXS_LOOP = lib.VC_SIG_FXS_LOOP
    FXS_KEWL = lib.VC_SIG_FXS_KEWL
    FXO_LOOP = lib.VC_SIG_FXO_LOOP
    FXO_KEWL = lib.VC_SIG_FXO_KEWL
    BEARER = lib.VC_SIG_BEARER
    DATA_LINK = lib.VC_SIG_DATA_LINK
    HARD_DATA_LINK = lib.VC_SIG_HARD_DATA_LINK
    MTP2 = lib.VC_SIG_MTP2
    CAS = lib.VC_SIG_CAS


class Law(IntEnum):
    DEFAULT = lib.VC_LAW_DEFAULT
    ULAW = lib.VC_LAW_ULAW
    ALAW = lib.VC_LAW_ALAW


class Loop(IntEnum):
    NONE = lib.VC_LOOP_NONE
    LOCAL = lib.VC_LOOP_LOCAL
    REMOTE = lib.VC_LOOP_REMOTE


@dataclass(frozen=True, slots=True)
class SpanInfo:
    number: int
    name: str
    description: str
    type: str
    alarms: Alarms
    line: Line
    """As it was configured; none: not, or its driver has no framing."""
    has_framing: bool
    clock_source: int
    """The span that its card takes the clock from; 0: its own."""
    channels: int
    configured: int
    """Channels that have a signalling."""
    bipolar_violations: int
    code_violations: int
    crc4_errors: int
    e_bits: int
    frame_errors: int
    alignment_errors: int
    bit_errors: int
    errored_seconds: int
    missed_interrupts: int


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    number: int
    span: int
    position: int
    name: str
    signalling: Signalling | None
    """None: one that is not ours."""
    signallings: int
    """All that it can be, DAHDI's bits."""
    law: Law
    alarms: Alarms
    off_hook: bool | None
    """The far side's; None: the line has no hook."""
    heard_bits: int | None
    sent_bits: int | None
    idle_bits: int | None


class Control:
    """The control file. A context manager."""

    WHERE = "the control file"

    def __init__(self) -> None:
        """Raises DahdiError."""
        self._fd = done(lib.vc_dahdi_open_control(), "open", self.WHERE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Again is no error."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            done(lib.vc_dahdi_close(fd), "close", self.WHERE)

    def version(self) -> tuple[str, tuple[str, ...]]:
        """DAHDI's own, and the echo cancellers that are loaded."""
        out = ffi.new("vc_dahdi_version *")
        done(lib.vc_dahdi_get_version(self._fd, out), "DAHDI_GETVERSION", self.WHERE)
        cancellers = _text(out.echo_cancellers)
        return _text(out.dahdi), tuple(name.strip() for name in cancellers.split(",") if name.strip())

    def span(self, number: int) -> SpanInfo:
        out = ffi.new("vc_dahdi_span *")
        done(lib.vc_dahdi_get_span(self._fd, number, out), "DAHDI_SPANSTAT", f"span {number}")
        return SpanInfo(
            number=out.number,
            name=_text(out.name),
            description=_text(out.description),
            type=_text(out.type),
            alarms=Alarms(out.alarms & _EVERY_ALARM),
            line=Line(out.line),
            has_framing=bool(out.line_modes),
            clock_source=out.clock_source,
            channels=out.channels,
            configured=out.configured,
            bipolar_violations=out.bipolar_violations,
            code_violations=out.code_violations,
            crc4_errors=out.crc4_errors,
            e_bits=out.e_bits,
            frame_errors=out.frame_errors,
            alignment_errors=out.alignment_errors,
            bit_errors=out.bit_errors,
            errored_seconds=out.errored_seconds,
            missed_interrupts=out.missed_interrupts,
        )

    def configure_span(self, number: int, line: Line, clock_order: int) -> None:
        """That nothing is raised proves nothing, `span` tells what was taken. `clock_order` 0: never its clock."""
        done(lib.vc_dahdi_configure_span(self._fd, number, line, clock_order), "DAHDI_SPANCONFIG", f"span {number}")

    def start_span(self, number: int) -> None:
        done(lib.vc_dahdi_start_span(self._fd, number), "DAHDI_STARTUP", f"span {number}")

    def loop_span(self, number: int, loop: Loop) -> None:
        done(lib.vc_dahdi_loop_span(self._fd, number, loop), "DAHDI_MAINT", f"span {number}")

    def channel(self, number: int) -> ChannelInfo:
        return channel_info(self._fd, number)

    def configure_channel(
        self, number: int, signalling: Signalling, law: Law = Law.DEFAULT, idle_bits: int = 0
    ) -> None:
        """Hangs up whoever has it open: look before."""
        result = lib.vc_dahdi_configure_channel(self._fd, number, signalling, law, idle_bits)
        done(result, "DAHDI_CHANCONFIG", f"channel {number}")

    def attach_echo_canceller(self, number: int, name: str) -> None:
        """Takes effect when one is next asked for; "" takes it away."""
        result = lib.vc_dahdi_attach_echo_canceller(self._fd, number, name.encode())
        done(result, "DAHDI_ATTACH_ECHOCAN", f"channel {number}")

    def set_digit_ms(self, dtmf_ms: int, r2_ms: int) -> None:
        """How long the digits that DAHDI dials sound; for all channels."""
        done(lib.vc_dahdi_set_digit_ms(self._fd, dtmf_ms, r2_ms), "DAHDI_SET_DIALPARAMS", self.WHERE)


_EVERY_ALARM = sum(Alarms)


def channel_info(fd: int, number: int) -> ChannelInfo:
    """By the control file, or by an open channel."""
    out = ffi.new("vc_dahdi_channel *")
    done(lib.vc_dahdi_get_channel(fd, number, out), "DAHDI_GET_PARAMS", f"channel {number}")
    bits = [None if value < 0 else value for value in (out.heard_bits, out.sent_bits, out.idle_bits)]
    return ChannelInfo(
        number=out.number,
        span=out.span,
        position=out.position,
        name=_text(out.name),
        signalling=Signalling(out.signalling) if out.signalling in _SIGNALLINGS else None,
        signallings=out.signallings,
        law=Law(out.law),
        alarms=Alarms(out.alarms & _EVERY_ALARM),
        off_hook=None if out.off_hook < 0 else bool(out.off_hook),
        heard_bits=bits[0],
        sent_bits=bits[1],
        idle_bits=bits[2],
    )


_SIGNALLINGS = frozenset(map(int, Signalling))


def _text(field: object) -> str:
    text: bytes = ffi.string(field)
    return text.decode(errors="replace")
