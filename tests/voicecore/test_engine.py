"""The line engine on socket pairs: what a line carries comes out of the other end, at the clock that the test gives."""

import errno
import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from voicecore.engine import Bits, Coding, Digits, EchoNoise, Engine, Hear, Job, Kind, Play, Results, Running, Told
from voicecore.g711 import Law, decode, encode
from voicecore.linetest import BitReceiver, Sequence, ToneMeter
from voicecore.progress import Plan
from voicecore.receivers import DtmfReceiver
from voicecore.tones import Direction, Named, ToneGenerator, dtmf, named, r2

GENEROUS_S = 60
BLOCK = 160
SILENCE = encode(Law.ALAW, bytes(2 * BLOCK))


@dataclass
class Line:
    """Both ends of a line: the engine's, and ours."""

    own: socket.socket
    far: socket.socket

    def hear(self, count: int = BLOCK) -> bytes:
        """What the engine sent."""
        data = b""
        while len(data) < count:
            part = self.far.recv(count - len(data))
            assert part, "the engine has let go of the line"
            data += part
        return data

    def tick(self, block: bytes = SILENCE) -> bytes:
        """20 ms: what goes to the engine, and what came from it before."""
        sent = self.hear(len(block))
        self.far.sendall(block)
        return sent


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(4, ring_ms=200, lead_blocks=1) as opened:
        yield opened


@pytest.fixture
def line() -> Iterator[Line]:
    with line_pair() as (own, far):
        yield Line(own, far)


class line_pair:
    def __enter__(self) -> tuple[socket.socket, socket.socket]:
        self.pair = socket.socketpair()
        self.pair[0].setblocking(False)
        self.pair[1].settimeout(GENEROUS_S)
        return self.pair

    def __exit__(self, *_: object) -> None:
        for end in self.pair:
            end.close()


def finished(engine: Engine, running: Running) -> tuple[list[Told], Results]:
    """Waits until it is done: the news tell."""
    told = running.told()
    while not running.done:
        assert select.select([engine], [], [], GENEROUS_S)[0], "no news"
        engine.quiet()
        told += running.told()
    told += running.told()
    return told, running.finish()


@pytest.mark.parametrize(("coding", "law"), [(Coding.ALAW, Law.ALAW), (Coding.ULAW, Law.ULAW)])
def test_a_tone_goes_out_and_a_tone_is_measured(engine: Engine, line: Line, coding: Coding, law: Law) -> None:
    job = Job(coding, send=named(Named.MILLIWATT, -10.0), hear=Hear.TONE | Hear.LEVEL, seconds=2.0)
    running = engine.start(job, line.own)
    theirs, meter = ToneGenerator(dtmf("1", -70.0, -15.0)), ToneMeter()
    for tick in range(100):
        sent = line.tick(encode(law, theirs.read()))
        if tick:  # a block of silence goes ahead
            meter.feed(decode(law, sent))
    told, results = finished(engine, running)
    sent_tone = meter.result()
    assert sent_tone is not None and sent_tone.hz == pytest.approx(1004, abs=0.5)
    assert sent_tone.level_dbm0 == pytest.approx(-10, abs=0.1)
    assert results.tone is not None and results.tone.hz == pytest.approx(1209, abs=0.5)
    assert results.level_dbm0 == pytest.approx(-15, abs=0.1)
    assert [(one.kind, one.at_s) for one in told] == [(Kind.SECOND, 1.0), (Kind.SECOND, 2.0), (Kind.DONE, 2.0)]
    assert told[0].low_dbm0 == pytest.approx(-15, abs=0.1)
    assert (results.seconds, results.late_blocks, results.lost_events) == (2.0, 0, 0)


def test_what_was_on_the_line_before_is_not_measured(engine: Engine, line: Line) -> None:
    """A bearer that is no sound yet sends 0xff: in A-law a direct voltage, here before a quiet tone."""
    running = engine.start(Job(hear=Hear.LEVEL | Hear.NOISE, seconds=2.0), line.own)
    theirs = ToneGenerator(dtmf("1", -70.0, -40.0))
    for tick in range(100):
        line.tick(b"\xff" * BLOCK if tick < 10 else encode(Law.ALAW, theirs.read()))
    _, results = finished(engine, running)
    assert results.level_dbm0 == pytest.approx(-40, abs=0.1)
    assert results.peak_dbm0 < -38


def test_digits_r2_and_busy_are_heard_while_digits_are_sent(engine: Engine, line: Line) -> None:
    hear = Hear.DTMF | Hear.R2 | Hear.PROGRESS
    job = Job(send=Digits("09A#"), hear=hear, seconds=6.0, progress=Plan.cn(), direction=Direction.BACKWARD)
    running, receiver, dialled = engine.start(job, line.own), DtmfReceiver(), ""
    tones = [(dtmf("7"), 10), (None, 10), (r2(Direction.BACKWARD, 6), 10), (None, 20), (named(Named.BUSY), 250)]
    for tone, ticks in tones:
        generator = ToneGenerator(tone) if tone else None
        for _ in range(ticks):
            sent = line.tick(encode(Law.ALAW, generator.read()) if generator else SILENCE)
            dialled += "".join(one.signal for one in receiver.feed(decode(Law.ALAW, sent)) if one.began)
    told, _ = finished(engine, running)
    assert dialled == "09A#"
    began = [(one.kind, one.what) for one in told if one.began]
    assert began == [(Kind.DIGIT, ord("7")), (Kind.R2, 6), (Kind.PROGRESS, Named.BUSY)]
    over = next(one for one in told if one.kind is Kind.DIGIT and not one.began)
    assert over.lasted_ms == pytest.approx(200, abs=5)


def test_bits_are_counted(engine: Engine, line: Line) -> None:
    sequence = Sequence.PRBS_15
    job = Job(Coding.BITS, send=Bits(sequence), hear=Hear.BITS, seconds=2.0)
    running, receiver = engine.start(job, line.own), BitReceiver(sequence)
    sent = line.tick(b"\xff" * BLOCK)
    assert sent == b"\xff" * BLOCK, "idle, ahead of the first tick"
    for tick in range(99):
        sent = line.tick(bytes([sent[0] ^ 4]) + sent[1:] if tick == 50 else sent)
        receiver.receive(sent)
    _, results = finished(engine, running)
    assert receiver.count.errors == 0 and receiver.count.in_step
    assert results.bits is not None
    assert (results.bits.errors, results.bits.losses, results.bits.in_step) == (1, 0, True)


@pytest.mark.parametrize("lead", [1, 2, 8])
def test_a_lead_of_silence_goes_ahead_of_each_job(line: Line, lead: int) -> None:
    with Engine(1, lead_blocks=lead) as engine:
        running = engine.start(Job(Coding.BITS, send=Bits(Sequence.PRBS_15), seconds=0.02), line.own)
        assert line.hear(lead * BLOCK) == b"\xff" * BLOCK * lead
        line.far.sendall(SILENCE)
        assert line.hear() != b"\xff" * BLOCK
        finished(engine, running)


def test_a_file_that_is_no_channel_is_refused_as_one(engine: Engine, line: Line) -> None:
    with pytest.raises(ValueError, match="Inappropriate ioctl"):
        engine.start(Job(), line.own, dahdi=True)
    assert engine.start(Job(), line.own).slot == 0


@pytest.mark.parametrize(("delay_blocks", "loss_db"), [(1, 10.0), (3, 20.0)])
def test_an_echo_is_measured_with_the_delay_of_the_line(
    engine: Engine, line: Line, delay_blocks: int, loss_db: float
) -> None:
    running = engine.start(Job(Coding.LINEAR, send=EchoNoise(), seconds=3.0), line.own)
    way = [bytes(2 * BLOCK)] * delay_blocks
    for _ in range(150):
        way.append(line.tick(weaker(way.pop(0), loss_db)))
    _, results = finished(engine, running)
    assert results.echo is not None and results.echo.delay_ms is not None
    # What is made in a tick is sent after the lead, which is taken off.
    assert results.echo.delay_ms == pytest.approx(20 * delay_blocks, abs=1)
    assert results.echo.return_loss_db == pytest.approx(loss_db, abs=0.5)


@pytest.mark.parametrize("level_dbm0", [-10.0, -13.7, -20.9, -33.3])
@pytest.mark.parametrize("coding", [Coding.ALAW, Coding.ULAW])
def test_a_loop_returns_all_of_the_noise_whatever_the_coding_makes_of_it(
    engine: Engine, line: Line, coding: Coding, level_dbm0: float
) -> None:
    running = engine.start(Job(coding, send=EchoNoise(level_dbm0), seconds=2.0), line.own)
    for _ in range(100):
        line.far.sendall(line.hear())
    _, results = finished(engine, running)
    assert results.echo is not None
    assert results.echo.return_loss_db == pytest.approx(0, abs=0.02)


def weaker(samples: bytes, loss_db: float) -> bytes:
    values = memoryview(samples).cast("h")
    return b"".join(round(value * 10 ** (-loss_db / 20)).to_bytes(2, "little", signed=True) for value in values)


def test_sound_is_played_and_recorded_in_its_order(engine: Engine, line: Line) -> None:
    job = Job(Coding.LINEAR, send=Play(), hear=Hear.RECORD)
    running = engine.start(job, line.own)
    played = b"".join(value.to_bytes(2, "little") for value in range(4 * BLOCK))
    line.hear(2 * BLOCK)
    assert running.play(played) == 4 * BLOCK
    heard = b""
    for number in range(4):
        line.far.sendall(number.to_bytes(2, "little") * BLOCK)
        assert line.hear(2 * BLOCK) == played[2 * BLOCK * number : 2 * BLOCK * (number + 1)]
        heard += running.recorded()
    line.far.sendall(bytes(2 * BLOCK))
    assert line.hear(2 * BLOCK) == bytes(2 * BLOCK), "nothing is left to play"
    running.stop()
    _, results = finished(engine, running)
    assert heard == b"".join(number.to_bytes(2, "little") * BLOCK for number in range(4))
    assert (results.unplayed_samples, results.lost_samples) == (BLOCK, 0)


def test_what_nobody_takes_or_gives_is_counted(engine: Engine, line: Line) -> None:
    running = engine.start(Job(send=Play(), hear=Hear.RECORD, seconds=1.0), line.own)
    assert running.play(bytes(2 * 8 * 1000)) < 8 * 1000, "a ring holds 200 ms and a little"
    for _ in range(50):
        line.tick()
    _, results = finished(engine, running)
    assert results.lost_samples > 0 and results.unplayed_samples > 0
    assert results.seconds == 1.0


def test_a_line_that_takes_nothing_loses_blocks_not_the_clock(engine: Engine, line: Line) -> None:
    line.own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    running = engine.start(Job(hear=Hear.LEVEL, seconds=4.0), line.own)
    for _ in range(200):
        line.far.sendall(SILENCE)
    _, results = finished(engine, running)
    assert results.seconds == 4.0
    assert results.late_blocks > 100


def test_blocks_may_come_in_any_pieces(engine: Engine, line: Line) -> None:
    running = engine.start(Job(hear=Hear.LEVEL, seconds=0.2), line.own)
    sound = SILENCE * 10
    for start in range(0, len(sound), 7):
        line.far.sendall(sound[start : start + 7])
    told, results = finished(engine, running)
    assert results.seconds == 0.2 and told[-1].what == 0


def test_a_line_that_goes_ends_its_job_alone(engine: Engine, line: Line) -> None:
    with line_pair() as (own, far):
        other = engine.start(Job(), line.own)
        running = engine.start(Job(), own)
        far.close()
        told, _ = finished(engine, running)
    assert told[-1].kind is Kind.DONE and told[-1].what in (-errno.EPIPE, -errno.ECONNRESET)
    line.tick()
    assert not other.done


def test_a_file_that_cannot_be_waited_for_is_told(engine: Engine) -> None:
    with open(__file__, "rb", buffering=0) as file:  # noqa: PTH123
        told, results = finished(engine, engine.start(Job(), file))
    assert (told[-1].kind, told[-1].what, results.seconds) == (Kind.DONE, -errno.EPERM, 0)


def test_what_does_not_go_together_is_refused(engine: Engine, line: Line) -> None:
    for job in (
        Job(Coding.BITS, hear=Hear.DTMF),
        Job(hear=Hear.BITS),
        Job(send=Bits(Sequence.PRBS_11)),
        Job(Coding.BITS, send=Digits("1")),
        Job(hear=Hear.PROGRESS),
        Job(send=Digits("12x")),
        Job(send=Digits("1" * 65)),
        Job(send=Digits("1", on_ms=5)),
        Job(send=EchoNoise(3.0)),
    ):
        with pytest.raises(ValueError, match=r"refused|65 digits"):
            engine.start(job, line.own)
    assert engine.start(Job(), line.own).slot == 0, "nothing of them is left"


def test_slots_are_used_again(engine: Engine, line: Line) -> None:
    lines = [socket.socketpair() for _ in range(4)]
    try:
        for own, _ in lines:
            own.setblocking(False)
        jobs = [engine.start(Job(), own) for own, _ in lines]
        with pytest.raises(BlockingIOError, match="in use"):
            engine.start(Job(), line.own)
        with pytest.raises(ValueError, match="still runs"):
            jobs[2].finish()
        jobs[2].stop()
        finished(engine, jobs[2])
        assert engine.start(Job(), line.own).slot == 2
    finally:
        engine.close()
        for own, far in lines:
            own.close()
            far.close()


def open_files() -> set[str]:
    return {file.name for file in Path("/proc/self/fd").iterdir()}


def test_closing_ends_all_and_leaves_no_file() -> None:
    with line_pair() as (own, _):
        before = open_files()
        with Engine(2) as engine:
            engine.start(Job(hear=Hear.LEVEL), own)
        engine.close()
        assert open_files() == before


@pytest.mark.parametrize(
    ("channels", "ring_ms", "lead"), [(0, 100, 1), (513, 100, 1), (1, 39, 1), (1, 60001, 1), (1, 100, 0), (1, 100, 9)]
)
def test_an_engine_has_its_measures(channels: int, ring_ms: int, lead: int) -> None:
    with pytest.raises(ValueError, match="refused"):
        Engine(channels, ring_ms, lead)
