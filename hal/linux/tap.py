"""A tap on a DAHDI channel: two pseudo channels of ours, joined to it by the kernel's digital monitoring, byte by byte.

The ear monitors the channel; the channel monitors the mouth. They are two, because a pseudo channel that monitors has
what is written to it replaced by what it hears. The channel's owner keeps file, hook and signalling. The kernel takes
the joint apart when the mouth is closed, also by our death, and when the owner's call ends (chan_dahdi does so).
"""

import asyncio
import contextlib
import errno
import fcntl
import struct
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

from voicecore.dahdi import Control, Law
from voicecore.dahdi_channel import Channel
from voicecore.engine import Bits, Coding, EchoNoise, Engine, Hear, Job, Kind, Results, Running, Sending
from voicecore.linetest import Sequence
from voicecore.tones import Tone

from hal.errors import DeviceFailed, NotThere, Refused, TimedOut
from hal.protocols.linetest import BitsFound, EchoFound, Measure, Measured, Order, Second, Told, ToneFound

BLOCK_SAMPLES = 160
LEAD_BLOCKS = 3
"""Of silence before what is sent: the agent's machine may be late by 40 ms."""
BUFFERS = LEAD_BLOCKS + 2
BLOCK_MS = 20.0
SAMPLES_A_MS = 8
CLOCK_LIMIT_S = 10.0
"""How much longer than ordered a measurement may take before the channel is called dead."""
RING_MS = 2000
DIGITAL_MONITOR = 9
# dahdi/user.h of dahdi-linux 3.4
_GET_CONFERENCE, _SET_CONFERENCE = 0xC00CDA0C, 0xC00CDA0D
_CONFERENCE = struct.Struct("3i")
OWN = 0
"""In place of a channel's number: the one of the file that asks."""
_SOUND = Hear.LEVEL | Hear.TONE | Hear.NOISE
_HEARS = {
    Measure.LISTEN: _SOUND | Hear.DTMF | Hear.RECORD,
    Measure.TONE: _SOUND,
    Measure.ECHO: Hear.LEVEL,
    Measure.BITS: Hear.BITS,
}


@contextlib.asynccontextmanager
async def tapped(number: int, *, speak: bool) -> AsyncIterator["DahdiTap"]:
    law = await asyncio.to_thread(_law_of, number)
    coding = Coding.ULAW if law is Law.ULAW else Coding.ALAW
    with _pseudo(law) as ear, _pseudo(law) as mouth:
        await asyncio.to_thread(_join, number, ear, mouth if speak else None)
        with Engine(1, RING_MS, LEAD_BLOCKS) as engine:
            yield DahdiTap(engine, ear, mouth, coding, number)


def _law_of(number: int) -> Law:
    """Blocking."""
    with Control() as control:
        return control.channel(number).law


@contextlib.contextmanager
def _pseudo(law: Law) -> Iterator[Channel]:
    with Channel(0) as channel:
        channel.set_law(law)
        channel.set_buffers(BUFFERS, BLOCK_SAMPLES)
        yield channel


def _join(number: int, ear: Channel, mouth: Channel | None) -> None:
    """Blocking."""
    if mouth is not None:
        if _get(mouth, number).mode:
            raise Refused(f"channel {number} is tapped already", hint="wait until the other test has ended")
        _ask(mouth, _SET_CONFERENCE, number, _get(mouth, OWN).channel, DIGITAL_MONITOR)
    _ask(ear, _SET_CONFERENCE, OWN, number, DIGITAL_MONITOR)


class _Conference(NamedTuple):
    """struct dahdi_confinfo"""

    channel: int
    other: int
    """The one that it monitors."""
    mode: int


def _get(pseudo: Channel, channel: int) -> _Conference:
    return _Conference(*_CONFERENCE.unpack(_ask(pseudo, _GET_CONFERENCE, channel, 0, 0)))


def _ask(pseudo: Channel, request: int, *values: int) -> bytes:
    try:
        return fcntl.ioctl(pseudo.fileno(), request, _CONFERENCE.pack(*values))
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise Refused(
                "no program holds the channel as sound", hint="set the line up, or let a call be on that timeslot"
            ) from error
        if error.errno in {errno.ENXIO, errno.ENODEV}:
            raise NotThere("the channel is gone", hint="is its card there?") from error
        raise DeviceFailed(f"tapping the channel: {error}") from error


class DahdiTap:
    def __init__(self, engine: Engine, ear: Channel, mouth: Channel, coding: Coding, number: int) -> None:
        self._engine, self._ear, self._mouth, self._coding, self._number = engine, ear, mouth, coding, number

    async def measure(self, order: Order, told: Told, stop: asyncio.Event | None = None) -> Measured:
        order.check()
        self._ear.flush()
        self._mouth.flush()
        # As any files: pseudo channels have no events, and tell of no underruns (ENOTTY).
        running = self._engine.start(_job(order, self._coding), self._ear, out=self._mouth)
        digits: list[str] = []
        sound = bytearray()
        try:
            async with asyncio.timeout(order.seconds + CLOCK_LIMIT_S), self._news() as news, _ends(running, stop):
                done = False
                while not done:
                    # Looked at first: what was told before the end is then taken in this round.
                    done = running.done
                    digits += _take(running, told)
                    sound += running.recorded()
                    if not done:
                        await news.wait()
                        news.clear()
                        self._engine.quiet()
        except TimeoutError:
            raise TimedOut(
                f"channel {self._number} has no clock: {order.seconds:g} s took more than {CLOCK_LIMIT_S:g} s longer",
                hint="is the card there, and its span in service?",
            ) from None
        return _measured(running.finish(), "".join(digits), bytes(sound))

    @contextlib.asynccontextmanager
    async def _news(self) -> AsyncIterator[asyncio.Event]:
        news, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self._engine.fileno(), news.set)
        try:
            yield news
        finally:
            loop.remove_reader(self._engine.fileno())


@contextlib.asynccontextmanager
async def _ends(running: Running, stop: asyncio.Event | None) -> AsyncIterator[None]:
    """Within, the job ends when `stop` is set."""

    async def watch(stop: asyncio.Event) -> None:
        await stop.wait()
        running.stop()

    watching = asyncio.create_task(watch(stop), name="end of a measurement") if stop else None
    try:
        yield
    finally:
        if watching:
            watching.cancel()


def _job(order: Order, coding: Coding) -> Job:
    send: Sending = None
    match order.measure:
        case Measure.TONE:
            send = Tone(((order.hz, order.level_dbm0),))
        case Measure.ECHO:
            send = EchoNoise(order.level_dbm0)
        case Measure.BITS:
            send, coding = Bits(Sequence.PRBS_15), Coding.BITS
        case Measure.LISTEN:
            pass
    return Job(coding, send, _HEARS[order.measure], order.seconds)


def _take(running: Running, told: Told) -> list[str]:
    """Tells what became known; the digits."""
    digits = []
    for one in running.told():
        match one.kind:
            case Kind.SECOND:
                told(Second(round(one.at_s), one.low_dbm0, one.what))
            case Kind.DIGIT if one.began:
                digits.append(chr(one.what))
            case Kind.DONE if one.what:
                raise DeviceFailed(f"the channel failed: error {-one.what}", hint="is its card there?")
    return digits


def _measured(results: Results, digits: str, sound: bytes) -> Measured:
    tone, echo, bits = results.tone, results.echo, results.bits
    return Measured(
        seconds=results.seconds,
        level_dbm0=results.level_dbm0,
        noise_dbm0p=results.noise_dbm0p,
        tone=ToneFound(tone.hz, tone.level_dbm0, tone.rest_dbm0) if tone else None,
        echo=EchoFound(echo.delay_ms, echo.return_loss_db) if echo else None,
        bits=BitsFound(bits.bits, bits.errors, bits.losses, bits.in_step) if bits else None,
        digits=digits,
        sound=sound,
        lost_ms=results.late_blocks * BLOCK_MS + results.lost_samples / SAMPLES_A_MS,
    )
