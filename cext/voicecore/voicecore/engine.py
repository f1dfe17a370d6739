"""The line engine: jobs on open channels, run by a C thread at the lines' own clock. Python is woken, never waited for.

The engine is for one thread of Python (the event loop's). Files stay their owner's: they must not wait, and stay open
until the job is done.
"""

import errno
import os
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from types import TracebackType
from typing import Any, Protocol, Self, assert_never

from voicecore._core import ffi, lib
from voicecore.blocks import BLOCK_MS, RATE_HZ, Samples, checked
from voicecore.linetest import BitCount, EchoMeasure, Sequence, ToneMeasure, echo_of
from voicecore.progress import Plan
from voicecore.tones import Direction, Tone

MOST_CHANNELS: int = lib.VC_ENGINE_MOST
EVENTS_AT_ONCE = 64
SAMPLES_A_MS = RATE_HZ // 1000
LEAD_BLOCKS = 2
"""A lead of one is used up by the block that is being heard: the emulated board's lines ran dry with it."""


class Coding(IntEnum):
    ALAW = lib.VC_CODING_ALAW
    ULAW = lib.VC_CODING_ULAW
    LINEAR = lib.VC_CODING_LINEAR
    BITS = lib.VC_CODING_BITS


class Hear(IntFlag):
    LEVEL = lib.VC_HEAR_LEVEL
    TONE = lib.VC_HEAR_TONE
    NOISE = lib.VC_HEAR_NOISE
    DTMF = lib.VC_HEAR_DTMF
    R2 = lib.VC_HEAR_R2
    PROGRESS = lib.VC_HEAR_PROGRESS
    BITS = lib.VC_HEAR_BITS
    RECORD = lib.VC_HEAR_RECORD


NOTHING = Hear(0)


@dataclass(frozen=True, slots=True)
class Digits:
    """DTMF, once."""

    text: str
    on_ms: int = 100
    off_ms: int = 100
    low_dbm0: float = -9.0
    high_dbm0: float = -7.0


@dataclass(frozen=True, slots=True)
class EchoNoise:
    """A known noise whose return is measured."""

    level_dbm0: float = -13.0


@dataclass(frozen=True, slots=True)
class Bits:
    sequence: Sequence


@dataclass(frozen=True, slots=True)
class Play:
    """What `Running.play` is given."""


Sending = Tone | Digits | EchoNoise | Bits | Play | None
"""None: silence."""


@dataclass(frozen=True, slots=True)
class Job:
    coding: Coding = Coding.ALAW
    send: Sending = None
    hear: Hear = NOTHING
    """BITS with Coding.BITS only, and nothing else then but RECORD."""
    seconds: float = 0.0
    """It ends by itself; 0: it goes on until it is stopped."""
    progress: Plan | None = None
    """For Hear.PROGRESS."""
    direction: Direction = Direction.FORWARD
    """For Hear.R2."""
    sequence: Sequence = Sequence.PRBS_15
    """For Hear.BITS when no bits are sent."""


class Kind(IntEnum):
    DIGIT = lib.VC_LINE_DIGIT
    R2 = lib.VC_LINE_R2
    PROGRESS = lib.VC_LINE_PROGRESS
    EVENT = lib.VC_LINE_EVENT
    SECOND = lib.VC_LINE_SECOND
    DONE = lib.VC_LINE_DONE


@dataclass(frozen=True, slots=True)
class Told:
    kind: Kind
    what: int
    """DIGIT: its character; R2: the signal; PROGRESS: the tone's number; EVENT: DAHDI's (`dahdi_channel.event_of`);
    SECOND: bit errors so far; DONE: 0, or -errno of the line."""
    began: bool
    low_dbm0: float
    """SECOND: the level of that second."""
    high_dbm0: float
    lasted_ms: float
    at_s: float
    """Since the job began, by the line's clock."""


@dataclass(frozen=True, slots=True)
class Results:
    seconds: float
    level_dbm0: float
    """Without the first 200 ms, as those below: what is on a line then was sent before."""
    peak_dbm0: float
    noise_dbm0p: float
    tone: ToneMeasure | None
    """None: not asked for, or none stands out."""
    echo: EchoMeasure | None
    """Its delay is the line's: the engine's lead is taken off."""
    bits: BitCount | None
    late_blocks: int
    """Not sent, because the line had not taken the one before."""
    underruns: int
    """How often DAHDI had nothing to send: each is a gap, after which all comes later."""
    overruns: int
    """How often DAHDI had no room for what came."""
    unplayed_samples: int
    """Of silence sent because nothing was there to play."""
    lost_samples: int
    """Heard and not recorded: nobody took them in time."""
    lost_events: int


class File(Protocol):
    def fileno(self) -> int: ...


@dataclass(slots=True)
class Running:
    """A job on its line."""

    _engine: "Engine"
    slot: int
    _kept: list[Any] = field(default_factory=list)
    """What the C side looks at while the job runs."""

    def told(self) -> list[Told]:
        events = ffi.new("vc_line_event[]", EVENTS_AT_ONCE)
        found: list[Told] = []
        while count := lib.vc_engine_events(self._engine.core, self.slot, events, EVENTS_AT_ONCE):
            found += [_told(events[place]) for place in range(count)]
        return found

    def play(self, samples: Samples) -> int:
        """How many samples found room: the rest is to be given again."""
        held = ffi.from_buffer("int16_t[]", samples)
        return int(lib.vc_engine_play(self._engine.core, self.slot, held, len(held)))

    def recorded(self) -> bytes:
        """Samples that came since the last call."""
        room = ffi.new("int16_t[]", self._engine.ring_samples)
        count = lib.vc_engine_recorded(self._engine.core, self.slot, room, len(room))
        return bytes(ffi.buffer(room, 2 * count))

    def stop(self) -> None:
        """It will be done soon; the engine's file tells."""
        lib.vc_engine_stop(self._engine.core, self.slot)

    @property
    def done(self) -> bool:
        return bool(lib.vc_engine_is_done(self._engine.core, self.slot))

    def finish(self) -> Results:
        """Of a job that is done; its slot is free afterwards, and this object of no more use. Takes some 10 ms."""
        out = ffi.new("vc_line_results *")
        checked(lib.vc_engine_results(self._engine.core, self.slot, out), "the result of a job that still runs")
        checked(lib.vc_engine_free(self._engine.core, self.slot), "freeing the slot of a job that still runs")
        self._engine.forget(self)
        return _results(out)


class Engine:
    """A context manager. Its file is readable when a job has something to tell, to take or to end."""

    def __init__(self, channels: int, ring_ms: int = 1000, lead_blocks: int = LEAD_BLOCKS) -> None:
        """Takes all memory at once: `ring_ms` of sound each way for each channel. `lead_blocks` of silence go ahead of
        each job: the machine may be late by 20 ms for each but the first. Raises ValueError (1 … 512 channels, 40 ms …
        a minute, 1 … 8 blocks), OSError when the system has not enough."""
        out = ffi.new("vc_engine **")
        result = lib.vc_engine_open(out, channels, ring_ms, lead_blocks)
        if result < 0 and result != -errno.EINVAL:
            raise OSError(-result, f"an engine of {channels} channels cannot be opened: {os.strerror(-result)}")
        what = f"an engine of {channels} channels with {ring_ms} ms of sound and a lead of {lead_blocks} blocks"
        checked(result, what)
        self.core = out[0]
        self.ring_samples = ring_ms * SAMPLES_A_MS * 2
        """Not less than a ring holds: that is rounded up to a power of two."""
        self._kept: dict[int, Running] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends all jobs and the thread; again is no error."""
        core, self.core = self.core, ffi.NULL
        lib.vc_engine_close(core)
        self._kept.clear()

    def fileno(self) -> int:
        return int(lib.vc_engine_fd(self.core))

    def quiet(self) -> None:
        """Takes the news: the file is readable again at the next."""
        try:
            os.read(self.fileno(), 8)
        except BlockingIOError:
            return

    def start(self, job: Job, line: File, *, out: File | None = None, dahdi: bool = False) -> Running:
        """`out`: when what is sent goes elsewhere than `line`. `dahdi`: they are DAHDI's; their buffers are the
        engine's from now on, and what waits in them is dropped. Raises ValueError for settings that do not go
        together, BlockingIOError when all channels are in use."""
        core, kept = _job(job)
        to = line if out is None else out
        slot = lib.vc_engine_start(self.core, core, line.fileno(), to.fileno(), dahdi)
        if slot == -errno.EAGAIN:
            raise BlockingIOError(errno.EAGAIN, "all channels of the engine are in use")
        checked(slot, f"{job}")
        running = Running(self, slot, kept)
        self._kept[slot] = running
        return running

    def forget(self, running: Running) -> None:
        """For `Running.finish`."""
        self._kept.pop(running.slot, None)


def _job(job: Job) -> tuple[Any, list[Any]]:
    """The core's settings, and what has to live as long as they."""
    core = ffi.new("vc_job *", {"coding": job.coding, "hearing": job.hear, "sequence": job.sequence})
    core.ticks = round(job.seconds * 1000 / BLOCK_MS)
    core.r2_direction = job.direction
    match job.send:
        case None:
            core.sending = lib.VC_SEND_SILENCE
        case Tone():
            core.sending, core.tone = lib.VC_SEND_TONE, job.send.into()[0]
        case Digits(text, on_ms, off_ms, low_dbm0, high_dbm0):
            if len(text) > lib.VC_DIALGEN_ROOM:
                raise ValueError(f"{len(text)} digits; {lib.VC_DIALGEN_ROOM} at most")
            core.sending, core.digits = lib.VC_SEND_DIGITS, text.encode()
            core.digit_on_ms, core.digit_off_ms = on_ms, off_ms
            core.digit_low_dbm0, core.digit_high_dbm0 = low_dbm0, high_dbm0
        case EchoNoise(level_dbm0):
            core.sending, core.echo_level_dbm0 = lib.VC_SEND_ECHO_NOISE, level_dbm0
        case Bits(sequence):
            core.sending, core.sequence = lib.VC_SEND_BITS, sequence
        case Play():
            core.sending = lib.VC_SEND_PLAY
        case _:
            assert_never(job.send)
    kept = [core] if job.progress is None else [core, job.progress.core]
    if job.progress is not None:
        core.progress = job.progress.core
    return core, kept


def _told(event: Any) -> Told:
    at_s = event.tick * BLOCK_MS / 1000
    levels = (event.low_dbm0, event.high_dbm0)
    return Told(Kind(event.kind), event.what, bool(event.began), *levels, event.ms, at_s)


def _results(out: Any) -> Results:
    tone, bits = out.tone, out.bits
    return Results(
        seconds=out.ticks * BLOCK_MS / 1000,
        level_dbm0=out.level_dbm0,
        peak_dbm0=out.peak_dbm0,
        noise_dbm0p=out.noise_dbm0p,
        tone=ToneMeasure(tone.hz, tone.level_dbm0, tone.rest_dbm0, tone.measured_ms) if out.has_tone else None,
        echo=echo_of(out.echo) if out.has_echo else None,
        bits=BitCount(bits.bits, bits.errors, bits.losses, bool(bits.in_step)) if out.has_bits else None,
        late_blocks=out.not_sent,
        underruns=out.underruns,
        overruns=out.overruns,
        unplayed_samples=out.not_played,
        lost_samples=out.not_recorded,
        lost_events=out.not_told,
    )
