"""The real-time jitter buffer: G.711 from the network in, a block every 20 ms of a clock out (docs/jitter-buffer.md).

One thread puts, another gets; neither waits for the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from voicecore._core import ffi, lib
from voicecore.blocks import BLOCK, checked
from voicecore.g711 import Law


class Fate(IntEnum):
    """What became of a packet."""

    KEPT = lib.VC_JBUF_KEPT
    LATE = lib.VC_JBUF_LATE
    """Its time was over."""
    AGAIN = lib.VC_JBUF_AGAIN
    """It was there already."""
    TOO_FAR = lib.VC_JBUF_TOO_FAR
    """More than 0.6 s ahead of what is played: the next block comes from there."""
    STRAY = lib.VC_JBUF_STRAY
    """It belongs to no stream, unless its successor follows."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A packet of G.711."""

    sequence: int
    """RTP's, 0 … 65535."""
    timestamp: int
    """RTP's, 0 … 2³²-1, at 8000 Hz."""
    payload: bytes
    """10 to 60 ms, in steps of 10 ms of 80 bytes."""
    arrival_us: int
    """Microseconds of the clock that `get` is told, too."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Since the buffer was made; counts wrap at 2³²."""

    kept: int
    late: int
    again: int
    too_far: int
    stray: int
    lost: int
    """Packets that did not come, so far."""
    resets: int
    """The sender began anew."""
    ticks: int
    concealed_ms: int
    stretched_ticks: int
    pressed_ticks: int
    skipped_ms: int
    delay_ms: int
    """From when half of the packets are there until they sound."""
    target_ms: int
    """What that should be."""


_put, _get = lib.vc_jbuf_put_payload, lib.vc_jbuf_get  # looked up once: a block has 0.6 µs
FIELDS = tuple(Statistics.__slots__)


class JitterBuffer:
    def __init__(self, law: Law) -> None:
        room = lib.VC_JBUF_BYTES + lib.VC_JBUF_ALIGN
        self._memory = ffi.new("char[]", room)
        start = -int(ffi.cast("uintptr_t", self._memory)) % lib.VC_JBUF_ALIGN
        out = ffi.new("vc_jbuf **")
        checked(lib.vc_jbuf_init(self._memory + start, lib.VC_JBUF_BYTES, out), "the buffer's memory")
        self._jbuf: Any = out[0]
        self._law = lib.VC_JBUF_ALAW if law is Law.ALAW else lib.VC_JBUF_ULAW
        self._block = ffi.new("int16_t[]", BLOCK)
        self._heard = memoryview(ffi.buffer(self._block)).tobytes  # bound once, too
        self._step = ffi.new("vc_jbuf_step *")

    def put(self, sequence: int, timestamp: int, payload: bytes, arrival_us: int) -> int:
        """One packet, as `Arrival` tells it; the number of a `Fate`. Raises ValueError for another length, and
        OverflowError for a number that is out of RTP's range."""
        fate: int = _put(self._jbuf, sequence, timestamp, payload, len(payload), self._law, arrival_us)
        if fate < 0:
            told = "a payload of {} bytes is refused: 80, 160, … or 480 are 10 to 60 ms of G.711"
            raise ValueError(told.format(len(payload)))
        return fate

    def put_all(self, arrivals: Iterable[Arrival]) -> list[Fate]:
        """Many at once, in the order of their arrival."""
        return [Fate(self.put(one.sequence, one.timestamp, one.payload, one.arrival_us)) for one in arrivals]

    def get(self, now_us: int) -> bytes:
        """The next 20 ms: 160 samples of 16 bits in the machine's order. `now_us`: of the clock of `arrival_us`."""
        _get(self._jbuf, now_us, self._block, self._step)
        return self._heard()

    def get_all(self, first_us: int, ticks: int) -> bytes:
        """So many blocks at once, 20 ms apart."""
        return b"".join(self.get(first_us + tick * 20_000) for tick in range(ticks))

    def pass_event(self, sequence: int) -> None:
        """A packet that is no audio (a DTMF event) went by: it is not missing."""
        lib.vc_jbuf_pass(self._jbuf, sequence & 0xFFFF)

    def pass_noise(self, sequence: int, below_overload_db: int) -> None:
        """Comfort noise (RFC 3389): what sounds while the sender is silent."""
        lib.vc_jbuf_noise(self._jbuf, sequence & 0xFFFF, below_overload_db)

    @property
    def statistics(self) -> Statistics:
        """May be read by any thread, at any time."""
        told = ffi.new("vc_jbuf_stats *")
        lib.vc_jbuf_read_stats(self._jbuf, told)
        return Statistics(**{name: getattr(told, name) for name in FIELDS})
