"""One open channel of DAHDI: nobody else can open it meanwhile, and at the end it is hung up."""

import os
from dataclasses import dataclass
from enum import IntEnum
from types import TracebackType
from typing import Self

from voicecore._core import ffi, lib
from voicecore.dahdi import ChannelInfo, Law, channel_info
from voicecore.dahdi_error import DahdiError, done

DIAL_MOST: int = lib.VC_DIAL_MOST


class Hook(IntEnum):
    ON = lib.VC_HOOK_ON
    OFF = lib.VC_HOOK_OFF
    FLASH = lib.VC_HOOK_FLASH
    RING = lib.VC_HOOK_RING
    RING_OFF = lib.VC_HOOK_RING_OFF


class Happened(IntEnum):
    ON_HOOK = lib.VC_EVENT_ON_HOOK
    RING_OR_OFF_HOOK = lib.VC_EVENT_RING_OR_OFF_HOOK
    """FXS: lifted; FXO: a ring is over."""
    FLASH = lib.VC_EVENT_FLASH
    ALARM = lib.VC_EVENT_ALARM
    ALARM_OVER = lib.VC_EVENT_ALARM_OVER
    DIAL_COMPLETE = lib.VC_EVENT_DIAL_COMPLETE
    RINGER_ON = lib.VC_EVENT_RINGER_ON
    RINGER_OFF = lib.VC_EVENT_RINGER_OFF
    HOOK_COMPLETE = lib.VC_EVENT_HOOK_COMPLETE
    BITS = lib.VC_EVENT_BITS
    POLARITY = lib.VC_EVENT_POLARITY
    RING_BEGIN = lib.VC_EVENT_RING_BEGIN
    REMOVED = lib.VC_EVENT_REMOVED
    PULSE_DIGIT = lib.VC_EVENT_PULSE_DIGIT
    DIGIT_DOWN = lib.VC_EVENT_DIGIT_DOWN
    DIGIT_UP = lib.VC_EVENT_DIGIT_UP


_WITH_DIGIT = Happened.PULSE_DIGIT | Happened.DIGIT_DOWN | Happened.DIGIT_UP


@dataclass(frozen=True, slots=True)
class Event:
    kind: Happened | None
    """None: one that we do not know."""
    number: int
    """DAHDI's."""
    digit: str = ""


def event_of(number: int) -> Event:
    kind = number & _WITH_DIGIT or number
    known = Happened(kind) if kind in Happened.__members__.values() else None
    digit = chr(number & 0x7F) if number & _WITH_DIGIT else ""
    return Event(known, number, digit)


class Channel:
    """A context manager. Reads and writes do not wait; a selector knows when they can (EPOLLIN, EPOLLOUT) and when an
    event waits (EPOLLPRI)."""

    def __init__(self, number: int) -> None:
        """0: a channel without a line behind it. Raises DahdiError: not configured, in use, no such number."""
        self.where = f"channel {number}" if number else "a channel without line"
        result = lib.vc_dahdi_open_channel(number) if number else lib.vc_dahdi_open_pseudo()
        self._fd = done(result, "DAHDI_SPECIFY" if number else "open", self.where)
        self.number = number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Again is no error."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            done(lib.vc_dahdi_close(fd), "close", self.where)

    def fileno(self) -> int:
        return self._fd

    def info(self) -> ChannelInfo:
        return channel_info(self._fd, self.number)

    # Signalling

    def hook(self, position: Hook) -> None:
        """Returns at once; HOOK_COMPLETE tells the end of what takes time."""
        done(lib.vc_dahdi_set_hook(self._fd, position), "DAHDI_HOOK", self.where)

    def dial(self, digits: str) -> None:
        """ "T…" by tones, "P…" by pulses; "" ends what is being dialled."""
        done(lib.vc_dahdi_dial(self._fd, digits.encode()), "DAHDI_DIAL", self.where)

    def is_dialling(self) -> bool:
        out = ffi.new("int *")
        done(lib.vc_dahdi_is_dialling(self._fd, out), "DAHDI_DIALING", self.where)
        return bool(out[0])

    def set_ring_cadence(self, *ms: int) -> None:
        """Ring, silence, ring, silence …"""
        done(lib.vc_dahdi_set_ring_cadence(self._fd, list(ms), len(ms)), "DAHDI_SETCADENCE", self.where)

    def send_bits(self, bits: int) -> None:
        done(lib.vc_dahdi_send_bits(self._fd, bits), "DAHDI_SETTXBITS", self.where)

    def set_polarity(self, reversed_: bool) -> None:
        done(lib.vc_dahdi_set_polarity(self._fd, reversed_), "DAHDI_SETPOLARITY", self.where)

    def detect_digits(self, on: bool) -> None:
        done(lib.vc_dahdi_detect_digits(self._fd, on), "DAHDI_TONEDETECT", self.where)

    def event(self) -> Event | None:
        """The next one that waits."""
        out = ffi.new("int *")
        done(lib.vc_dahdi_get_event(self._fd, out), "DAHDI_GETEVENT", self.where)
        return event_of(out[0]) if out[0] else None

    def wait_event(self, within_s: float) -> Event:
        """Blocks. Raises DahdiError (ETIMEDOUT) when none comes."""
        out = ffi.new("int *")
        done(lib.vc_dahdi_wait_event(self._fd, round(within_s * 1000), out), "DAHDI_GETEVENT", self.where)
        return event_of(out[0])

    # Sound; all of it is forgotten at close

    def set_buffers(self, count: int, samples: int) -> None:
        done(lib.vc_dahdi_set_buffers(self._fd, count, samples), "DAHDI_SET_BUFINFO", self.where)

    def buffers(self) -> tuple[int, int]:
        """How many, of how many samples."""
        count, samples = ffi.new("int *"), ffi.new("int *")
        done(lib.vc_dahdi_get_buffers(self._fd, count, samples), "DAHDI_GET_BUFINFO", self.where)
        return count[0], samples[0]

    def flush(self) -> None:
        """Sound and events that wait."""
        done(lib.vc_dahdi_flush(self._fd), "DAHDI_FLUSH", self.where)

    def set_law(self, law: Law) -> None:
        done(lib.vc_dahdi_set_law(self._fd, law), "DAHDI_SETLAW", self.where)

    def set_linear(self, on: bool) -> None:
        done(lib.vc_dahdi_set_linear(self._fd, on), "DAHDI_SETLINEAR", self.where)

    def set_audio(self, on: bool) -> None:
        """A bearer is bits until then."""
        done(lib.vc_dahdi_set_audio(self._fd, on), "DAHDI_AUDIOMODE", self.where)

    def set_gains(self, law: Law, heard_db: float, sent_db: float) -> None:
        """`law`: the one it runs with."""
        done(lib.vc_dahdi_set_gains(self._fd, law, heard_db, sent_db), "DAHDI_SETGAINS", self.where)

    def set_echo_canceller(self, taps: int) -> None:
        """Of 125 µs; 0: off."""
        done(lib.vc_dahdi_set_echo_canceller(self._fd, taps), "DAHDI_ECHOCANCEL", self.where)

    def loop(self, on: bool) -> None:
        """What comes from the line goes back to it."""
        done(lib.vc_dahdi_loop_channel(self._fd, on), "DAHDI_LOOPBACK", self.where)

    def read(self, most: int) -> bytes:
        """b"": nothing waits. Raises DahdiError (READ_OR_WRITE_EVENT) when an event must be taken first."""
        try:
            return os.read(self._fd, most)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise DahdiError(error.errno or 0, "read", self.where) from error

    def write(self, data: bytes) -> int:
        """How many bytes were taken: one buffer at most, 0 when none is free."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise DahdiError(error.errno or 0, "write", self.where) from error
