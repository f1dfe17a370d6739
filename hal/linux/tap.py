"""A tap on a DAHDI channel: a pseudo channel of ours, joined to it by the kernel's digital monitoring, byte for byte.

The channel's owner keeps file, hook and signalling. The kernel takes the joint apart when the pseudo channel is closed,
also by the death of our process, and when the owner's call ends (chan_dahdi resets it).
"""

import asyncio
import contextlib
import errno
import fcntl
import struct
from collections.abc import AsyncIterator

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
"""struct dahdi_confinfo: channel (0: this file's), the channel it hears or speaks for, mode."""
_SOUND = Hear.LEVEL | Hear.TONE | Hear.NOISE
_HEARS = {
    Measure.LISTEN: _SOUND | Hear.DTMF | Hear.RECORD,
    Measure.TONE: _SOUND,
    Measure.ECHO: Hear.LEVEL,
    Measure.BITS: Hear.BITS,
}


@contextlib.asynccontextmanager
async def tapped(number: int, *, speak: bool) -> AsyncIterator["DahdiTap"]:
    pseudo, coding = await asyncio.to_thread(_joined, number, speak)
    try:
        with Engine(1, RING_MS, LEAD_BLOCKS) as engine:
            yield DahdiTap(engine, pseudo, coding, number)
    finally:
        pseudo.close()


def _joined(number: int, speak: bool) -> tuple[Channel, Coding]:
    """Blocking."""
    with Control() as control:
        law = control.channel(number).law
    pseudo = Channel(0)
    try:
        pseudo.set_law(law)
        pseudo.set_buffers(BUFFERS, BLOCK_SAMPLES)
        if speak and _conference(pseudo, number)[2]:
            raise Refused(f"channel {number} is tapped already", hint="wait until the other test has ended")
        own = _set_conference(pseudo, 0, number, DIGITAL_MONITOR)
        if speak:
            _set_conference(pseudo, number, own, DIGITAL_MONITOR)
    except BaseException:
        pseudo.close()
        raise
    return pseudo, Coding.ULAW if law is Law.ULAW else Coding.ALAW


def _conference(pseudo: Channel, number: int) -> tuple[int, ...]:
    return _CONFERENCE.unpack(_ask(pseudo, _GET_CONFERENCE, number, 0, 0))


def _set_conference(pseudo: Channel, channel: int, other: int, mode: int) -> int:
    """The number of the channel that was set."""
    return int(_CONFERENCE.unpack(_ask(pseudo, _SET_CONFERENCE, channel, other, mode))[0])


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
    def __init__(self, engine: Engine, pseudo: Channel, coding: Coding, number: int) -> None:
        self._engine, self._pseudo, self._coding, self._number = engine, pseudo, coding, number

    async def measure(self, order: Order, told: Told, stop: asyncio.Event | None = None) -> Measured:
        order.check()
        self._pseudo.flush()
        # As any file: a pseudo channel has no events, and tells of no underruns (ENOTTY).
        running = self._engine.start(_job(order, self._coding), self._pseudo)
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
