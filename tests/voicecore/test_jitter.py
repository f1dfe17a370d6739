"""The jitter buffer's contract: what comes sounds, in its place; what does not come is made up; nothing else."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from voicecore.g711 import Law, decode, encode
from voicecore.jitter import Arrival, Fate, JitterBuffer, Statistics

TICK_US = 20_000
PACKET = 160
NETWORK_US = 35_000
Samples = NDArray[np.int16]


def sine(seconds: float, hz: float = 400) -> bytes:
    """A-law."""
    at = np.arange(int(seconds * 8000)) / 8000
    return encode(Law.ALAW, (8000 * np.sin(2 * np.pi * hz * at)).astype(np.int16).tobytes())


def packets(
    coded: bytes, samples: int = PACKET, *, sequence: int = 0, timestamp: int = 0, first_us: int = NETWORK_US
) -> list[Arrival]:
    """As they are sent, each so long, after so much of a network."""
    return [
        Arrival(
            (sequence + n) % 65536, (timestamp + start) % 2**32, coded[start : start + samples], first_us + start * 125
        )
        for n, start in enumerate(range(0, len(coded), samples))
    ]


def heard(
    buffer: JitterBuffer, arrivals: Iterable[Arrival], ticks: int, each: Callable[[int], None] = lambda _: None
) -> Samples:
    """The line asks every 20 ms; what arrived before is there."""
    waiting = sorted(arrivals, key=lambda one: one.arrival_us)
    out = []
    for tick in range(ticks):
        while waiting and waiting[0].arrival_us <= tick * TICK_US:
            one = waiting.pop(0)
            buffer.put(one.sequence, one.timestamp, one.payload, one.arrival_us)
        each(tick)
        out.append(buffer.get(tick * TICK_US))
    return np.frombuffer(b"".join(out), np.int16)


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def place(all_heard: Samples, sent: bytes) -> int:
    """Where `sent` sounds as it is; -1: nowhere."""
    return all_heard.tobytes().find(decode(Law.ALAW, sent)) // 2


@pytest.fixture
def buffer() -> JitterBuffer:
    return JitterBuffer(Law.ALAW)


def test_before_anything_came_there_is_silence(buffer: JitterBuffer) -> None:
    assert rms(heard(buffer, [], 10)) < 20
    assert buffer.statistics.concealed_ms == 0


@pytest.mark.parametrize("samples", [80, 160, 240, 320, 400, 480])
def test_what_comes_evenly_sounds_as_it_is(buffer: JitterBuffer, samples: int) -> None:
    coded = sine(2.4)
    sound = heard(buffer, packets(coded, samples), 140)
    assert place(sound, coded[4800:]) > 0
    told = buffer.statistics
    assert (told.late, told.lost, told.stray) == (0, 0, 0)
    assert told.kept == -(-len(coded) // samples)


def test_ulaw() -> None:
    coded = bytes(range(256)) * 50
    sound = heard(JitterBuffer(Law.ULAW), packets(coded), 100)
    assert sound.tobytes().find(decode(Law.ULAW, coded[1600:])) >= 0, "the delay was found"


def test_counters_wrap(buffer: JitterBuffer) -> None:
    coded = sine(1)
    sound = heard(buffer, packets(coded, sequence=65530, timestamp=2**32 - 800), 60)
    assert place(sound, coded) > 0
    assert buffer.statistics.lost == 0


def test_overtaken_packets_find_their_place(buffer: JitterBuffer) -> None:
    coded = sine(2)
    sent = packets(coded)
    late = [
        Arrival(one.sequence, one.timestamp, one.payload, one.arrival_us + 30_000 * (one.sequence % 4 == 1))
        for one in sent
    ]
    sound = heard(buffer, late, 110)
    assert place(sound, coded[6400:]) > 0, "the delay was found, then nothing is missing"


def test_a_packet_that_comes_twice_is_told(buffer: JitterBuffer) -> None:
    one = packets(sine(0.1))[0]
    assert buffer.put_all([one, one]) == [Fate.KEPT, Fate.AGAIN]


def test_a_packet_whose_time_is_over_is_told(buffer: JitterBuffer) -> None:
    sent = packets(sine(1))
    heard(buffer, sent, 40)
    assert buffer.put(sent[3].sequence, sent[3].timestamp, sent[3].payload, 800_000) == Fate.LATE


def test_a_lost_packet_is_made_up(buffer: JitterBuffer) -> None:
    coded = sine(2)
    sound = heard(buffer, [one for one in packets(coded) if one.sequence != 60], 100)
    whole = heard(JitterBuffer(Law.ALAW), packets(coded), 100)
    assert buffer.statistics.concealed_ms == 20 and buffer.statistics.lost == 1
    apart = np.abs(sound.astype(int) - whole)
    assert apart.max() < 3000, "a sine goes on as it was"
    assert np.count_nonzero(apart) <= 160 + 40


def test_a_long_gap_fades_and_what_follows_is_not_late(buffer: JitterBuffer) -> None:
    coded = sine(3)
    sound = heard(buffer, [one for one in packets(coded) if not 50 <= one.sequence < 75], 150)
    gap = (np.arange(len(sound)) // PACKET).reshape(-1, PACKET)[:, 0]
    loud = np.array([rms(sound[tick * PACKET : (tick + 1) * PACKET]) for tick in gap])
    assert loud[60:75].max() < 100, "half a second of one tone is not invented"
    assert loud[80:].min() > 4000
    assert buffer.statistics.delay_ms <= 40


def test_a_stall_sounds_later_and_the_delay_comes_back(buffer: JitterBuffer) -> None:
    coded = sine(30)
    sent = packets(coded)
    held = [
        Arrival(
            one.sequence,
            one.timestamp,
            one.payload,
            2_100_000 + one.sequence if 1_900_000 < one.arrival_us < 2_100_000 else one.arrival_us,
        )
        for one in sent
    ]
    delays: list[int] = []
    heard(buffer, held, 1500, lambda _: delays.append(buffer.statistics.delay_ms))
    assert max(delays) >= 100 and delays[-1] <= 40
    told = buffer.statistics
    assert told.late == 0 and told.concealed_ms <= 200 and told.pressed_ticks > 5


def test_silence_that_the_sender_chose_is_no_loss(buffer: JitterBuffer) -> None:
    coded = sine(1)
    first = packets(coded)
    second = packets(coded, sequence=len(first), timestamp=24_000, first_us=NETWORK_US + 3_000_000)
    sound = heard(buffer, first + second, 220)
    assert buffer.statistics.lost == 0 and buffer.statistics.resets == 0
    assert place(sound[22_000:], coded) >= 0, "the second talk is whole"


def test_comfort_noise_is_as_loud_as_told(buffer: JitterBuffer) -> None:
    heard(buffer, packets(sine(0.2)), 12)
    buffer.pass_noise(10, 40)
    talk = packets(sine(0.2), sequence=11, timestamp=3200 + 8 * PACKET, first_us=NETWORK_US + 360_000)
    heard(buffer, [], 5)
    sound = heard(buffer, talk, 30)
    assert buffer.statistics.lost == 0
    quiet = [rms(sound[i * PACKET : (i + 1) * PACKET]) for i in range(30)]
    assert any(abs(20 * np.log10(max(level, 1) / 32768) + 40) < 1.5 for level in quiet)


def test_an_event_is_no_loss(buffer: JitterBuffer) -> None:
    coded = sine(0.4)
    sent = packets(coded)
    buffer.put_all(sent[:10])
    buffer.pass_event(10)
    after = [Arrival(one.sequence + 1, one.timestamp, one.payload, one.arrival_us) for one in sent[10:]]
    assert set(buffer.put_all(after)) == {Fate.KEPT}
    assert buffer.statistics.lost == 0


def test_a_sender_that_begins_anew_is_heard(buffer: JitterBuffer) -> None:
    coded = sine(1)
    again = packets(coded, sequence=40_000, timestamp=3_000_000_000, first_us=NETWORK_US + 1_000_000)
    sound = heard(buffer, packets(coded) + again, 110)
    assert buffer.statistics.resets == 1
    assert buffer.statistics.stray == 1, "the first of them could have been anybody's"
    assert place(sound[8_000:], coded[160:]) >= 0


def test_a_stray_packet_changes_nothing(buffer: JitterBuffer) -> None:
    coded = sine(1)
    stray = Arrival(30_000, 2_000_000_000, sine(0.02), 500_000)
    sound = heard(buffer, [*packets(coded), stray], 60)
    assert place(sound, coded) > 0
    assert (buffer.statistics.stray, buffer.statistics.resets) == (1, 0)


def test_an_outage_ends(buffer: JitterBuffer) -> None:
    """Three seconds come at once: more than the buffer holds; it goes on with the newest."""
    coded = sine(6)
    burst = [
        Arrival(
            one.sequence,
            one.timestamp,
            one.payload,
            max(one.arrival_us, 4_000_000) if one.sequence >= 50 else one.arrival_us,
        )
        for one in packets(coded)
    ]
    heard(buffer, burst, 290)
    told = buffer.statistics
    assert told.too_far > 0 and told.delay_ms < 300 and told.ticks == 290


@pytest.mark.parametrize("size", [0, 1, 79, 100, 560, 5000])
def test_other_lengths_are_refused(buffer: JitterBuffer, size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} bytes"):
        buffer.put(1, 160, bytes(size), 0)


def test_numbers_out_of_range_are_refused(buffer: JitterBuffer) -> None:
    for sequence, timestamp in ((65536, 0), (0, 2**32), (-1, 0)):
        with pytest.raises(OverflowError):
            buffer.put(sequence, timestamp, bytes(160), 0)


def test_statistics_are_read_while_it_runs(buffer: JitterBuffer) -> None:
    read: list[Statistics] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set() or not read:
            read.append(buffer.statistics)

    watcher = threading.Thread(target=watch)
    watcher.start()
    heard(buffer, packets(sine(2)), 100)
    over.set()
    watcher.join()
    assert all(one.ticks <= 100 for one in read) and buffer.statistics.kept == 98


@pytest.mark.parametrize(("late_ms", "waits"), [(120, True), (220, False)])
def test_it_waits_for_late_packets_as_long_as_delay_is_cheap(buffer: JitterBuffer, late_ms: int, waits: bool) -> None:
    """One of 40 is overtaken by so much. Beyond 177 ms from mouth to ear delay costs five times more (ITU-T G.107)."""
    sent = packets(sine(30))
    arrivals = [
        replace(one, arrival_us=one.arrival_us + late_ms * 1000) if n % 40 == 39 else one for n, one in enumerate(sent)
    ]
    heard(buffer, arrivals, 1500)
    assert (buffer.statistics.target_ms >= late_ms) is waits


def test_many_blocks_at_once(buffer: JitterBuffer) -> None:
    one = JitterBuffer(Law.ALAW)
    for each in (buffer, one):
        each.put_all(packets(sine(0.4)))
    assert buffer.get_all(500_000, 30) == b"".join(one.get(500_000 + tick * TICK_US) for tick in range(30))
