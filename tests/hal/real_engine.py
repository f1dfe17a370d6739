"""voicecore's channels and line engine on the real DAHDI; run on the emulated board (board-tests/test_hal.py), as root.

Both ends of a pair of cross-connected channels are ours here; clock and buffers are DAHDI's.
"""

import asyncio
import errno
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from voicecore.dahdi import Control, Law, Signalling
from voicecore.dahdi_channel import Channel, Happened, Hook, event_of
from voicecore.dahdi_error import DahdiError
from voicecore.engine import Bits, Coding, Digits, EchoNoise, Engine, Hear, Job, Kind, Play, Results, Running, Told
from voicecore.linetest import Sequence
from voicecore.tones import Named, ToneGenerator, named

from tests.hal.real_dahdi import RealDahdi, real_dahdi

GENEROUS_S = 120
BEARERS = 31
"""Of ours: channels 1 … 31; those of the far end follow."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RealDahdi]:
    with real_dahdi(tmp_path) as found:
        yield found


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(4) as opened:
        yield opened


async def bearers(world: RealDahdi, timeslot: int, *, audio: bool) -> tuple[Channel, Channel]:
    """Both ends of a timeslot, open, in A-law when they carry sound; the line is up."""
    if not world.plugged:
        await world.plug("emulated")
    ends = []
    for number in (timeslot, timeslot + BEARERS):
        with Control() as control:
            control.configure_channel(number, Signalling.BEARER, Law.ALAW)
        channel = Channel(number)
        if audio:
            channel.set_audio(True)
            channel.set_law(Law.ALAW)
        ends.append(channel)
    await world.up()
    return ends[0], ends[1]


async def finished(engine: Engine, *jobs: Running) -> list[tuple[list[Told], Results]]:
    news, told = asyncio.Event(), [job.told() for job in jobs]
    loop = asyncio.get_running_loop()
    loop.add_reader(engine.fileno(), news.set)
    try:
        async with asyncio.timeout(GENEROUS_S):
            while not all(job.done for job in jobs):
                await news.wait()
                news.clear()
                engine.quiet()
                for job, known in zip(jobs, told, strict=True):
                    known.extend(job.told())
    finally:
        loop.remove_reader(engine.fileno())
    return [(known + job.told(), job.finish()) for job, known in zip(jobs, told, strict=True)]


async def test_bits_go_both_ways_without_an_error(world: RealDahdi, engine: Engine) -> None:
    near, far = await bearers(world, 1, audio=False)
    with near, far:
        job = Job(Coding.BITS, send=Bits(Sequence.PRBS_15), hear=Hear.BITS, seconds=4.0)
        jobs = [engine.start(job, end, dahdi=True) for end in (near, far)]
        for _, results in await finished(engine, *jobs):
            assert results.bits is not None and results.bits.in_step
            assert (results.bits.errors, results.bits.losses, results.late_blocks) == (0, 0, 0)
            assert results.bits.bits > 3 * 64000


async def test_a_tone_and_digits_are_heard_at_the_other_end(world: RealDahdi, engine: Engine) -> None:
    near, far = await bearers(world, 2, audio=True)
    with near, far:
        tone = Job(send=named(Named.MILLIWATT, -10.0), hear=Hear.DTMF, seconds=4.0)
        digits = Job(send=Digits("0123456789"), hear=Hear.LEVEL | Hear.TONE, seconds=4.0)
        jobs = [engine.start(job, end, dahdi=True) for job, end in ((tone, near), (digits, far))]
        (heard, _), (_, results) = await finished(engine, *jobs)
    assert "".join(chr(one.what) for one in heard if one.kind is Kind.DIGIT and one.began) == "0123456789"
    assert results.tone is not None
    assert results.tone.hz == pytest.approx(1004, abs=1)
    assert results.tone.level_dbm0 == pytest.approx(-10, abs=0.3)


async def looped_echo(world: RealDahdi, engine: Engine, *disturbed_by: str) -> Results:
    """What comes back from the far end's loop in the kernel."""
    near, far = await bearers(world, 3, audio=True)
    with near, far:
        far.loop(True)
        running = engine.start(Job(send=EchoNoise(), seconds=5.0), near, dahdi=True)
        if disturbed_by:
            subprocess.run(disturbed_by, check=True, timeout=GENEROUS_S)
        ((_, results),) = await finished(engine, running)
    assert results.echo is not None and results.echo.delay_ms is not None, results
    assert results.echo.return_loss_db == pytest.approx(0, abs=0.5)
    assert results.echo.delay_ms <= 2, "the lead is taken off"
    return results


async def test_the_echo_of_a_loop_in_the_kernel(world: RealDahdi, engine: Engine) -> None:
    results = await looped_echo(world, engine)
    assert (results.underruns, results.overruns, results.late_blocks) == (0, 0, 0)


async def test_a_lead_of_one_block_runs_dry(world: RealDahdi) -> None:
    """The control: DAHDI tells it, and it is why the lead is two."""
    with Engine(1, lead_blocks=1) as engine:
        near, far = await bearers(world, 3, audio=True)
        with near, far:
            ((_, results),) = await finished(engine, engine.start(Job(seconds=1.0), near, dahdi=True))
    assert results.underruns > 0


async def test_an_echo_is_measured_anew_when_the_machine_was_too_late(world: RealDahdi, engine: Engine) -> None:
    """Samples that are lost or put in between shift what is added up: 4 dB and 15 ms were told once."""
    stop_us = "kill -STOP $PPID; busybox usleep 300000; kill -CONT $PPID"
    results = await looped_echo(world, engine, "sh", "-c", stop_us)
    assert results.underruns > 0 and results.overruns > 0


async def test_a_gain_is_heard(world: RealDahdi, engine: Engine) -> None:
    near, far = await bearers(world, 4, audio=True)
    with near, far:
        far.set_gains(Law.ALAW, 6.0, 0.0)
        jobs = [
            engine.start(Job(send=named(Named.MILLIWATT, -16.0), seconds=2.0), near, dahdi=True),
            engine.start(Job(hear=Hear.TONE, seconds=2.0), far, dahdi=True),
        ]
        _, (_, results) = await finished(engine, *jobs)
    assert results.tone is not None and results.tone.level_dbm0 == pytest.approx(-10, abs=0.3)


async def test_sound_goes_on_while_events_come(world: RealDahdi, engine: Engine) -> None:
    """An event stops reads and writes until it is taken (errno 500): the engine takes it."""
    await world.plug("analog")
    with Channel(1) as line:
        running = engine.start(Job(Coding.ULAW, send=Play(), hear=Hear.RECORD), line, dahdi=True)
        running.play(ToneGenerator(named(Named.BUSY)).read(20))
        await world.rings(1)
        told: list[Told] = []
        recorded, after = 0, None
        async with asyncio.timeout(GENEROUS_S):
            while after is None or recorded < after + 8000:
                await asyncio.to_thread(wait_for, engine)
                told += running.told()
                recorded += len(running.recorded()) // 2
                if after is None and any(event_of(one.what).kind is Happened.RING_BEGIN for one in told):
                    after = recorded
        running.stop()
        ((rest, results),) = await finished(engine, running)
    assert rest[-1].kind is Kind.DONE and rest[-1].what == 0
    assert results.lost_events == 0


def wait_for(engine: Engine) -> None:
    assert select.select([engine], [], [], GENEROUS_S)[0], "no news"
    engine.quiet()


async def test_what_a_channel_refuses_is_said(world: RealDahdi) -> None:
    await world.plug("emulated")
    with pytest.raises(DahdiError, match="not configured") as raised:
        Channel(1)
    assert (raised.value.errno, raised.value.request, raised.value.where) == (errno.ENXIO, "DAHDI_SPECIFY", "channel 1")
    with Control() as control:
        control.configure_channel(1, Signalling.BEARER)
        assert control.channel(1).signalling is Signalling.BEARER
        assert control.span(1).channels == BEARERS and control.span(1).configured == 1
        for wrong, why in ((lambda: control.span(99), errno.EINVAL), (lambda: control.start_span(99), errno.ENXIO)):
            with pytest.raises(DahdiError) as raised:
                wrong()
            assert raised.value.errno == why
    with Channel(1) as bearer:
        with pytest.raises(DahdiError, match="take it out of service"):
            Channel(1)
        with pytest.raises(DahdiError):
            bearer.hook(Hook.OFF)
        with pytest.raises(DahdiError) as raised:
            bearer.set_polarity(True)
        assert raised.value.errno in (errno.ENOTTY, errno.ENOSYS, errno.EINVAL)
        assert bearer.buffers()[0] == 2
        with pytest.raises(DahdiError) as raised:
            bearer.wait_event(0.05)
        assert raised.value.errno == errno.ETIMEDOUT


async def test_dialling_by_the_kernel_is_heard_by_our_receiver(world: RealDahdi, engine: Engine) -> None:
    await world.plug("analog")
    with Channel(5) as far, Channel(1) as near:
        near.hook(Hook.OFF)
        job = engine.start(Job(Coding.ULAW, hear=Hear.DTMF, seconds=4.0), far, dahdi=True)
        near.dial("T95588")
        assert near.is_dialling()
        ((told, _),) = await finished(engine, job)
        kinds = []
        while event := near.event():
            kinds.append(event.kind)
    assert "".join(chr(one.what) for one in told if one.kind is Kind.DIGIT and one.began) == "95588"
    assert Happened.DIAL_COMPLETE in kinds
