"""Meters, bit error test and echo measurement against signals, sequences and paths of known figures (numpy, sox)."""

import subprocess

import numpy as np
import pytest
from numpy.typing import NDArray
from voicecore.g711 import Law, decode, encode
from voicecore.level import LevelMeter
from voicecore.linetest import BitCount, BitReceiver, BitSender, EchoMeter, NoiseMeter, Sequence, ToneMeter

from tests.voicecore.signals import BLOCK, Signal, linear, noise, samples, silence, sine, spoken

O41 = {  # ITU-T O.41 table 1: Hz → dB, tolerance
    50: (-63.0, 2), 100: (-41.0, 2), 200: (-21.0, 2), 300: (-10.6, 1), 400: (-6.3, 1), 500: (-3.6, 1), 600: (-2.0, 1),
    700: (-0.9, 1), 800: (0.0, 0.1), 900: (0.6, 1), 1000: (1.0, 1), 1200: (0.0, 1), 1400: (-0.9, 1), 1600: (-1.7, 1),
    1800: (-2.4, 1), 2000: (-3.0, 1), 2500: (-4.2, 1), 3000: (-5.6, 1), 3500: (-8.5, 2),
}  # fmt: skip


def test_levels() -> None:
    meter = LevelMeter()
    assert (meter.rms_dbm0, meter.peak_dbm0) == (-96.0, -96.0)
    meter.feed(linear(np.concatenate([sine(1004, -10, 1000), silence(1000)])))
    assert abs(meter.rms_dbm0 + 13.01) < 0.01
    assert abs(meter.peak_dbm0 + 10) < 0.01


@pytest.mark.parametrize("level", [0.0, -10.0, -30.0, -45.0])
@pytest.mark.parametrize("hz", [204.7, 450.0, 820.0, 1004.0, 1020.0, 2804.3, 3400.0])
def test_a_tone_is_measured_to_a_tenth_of_a_db(hz: float, level: float) -> None:
    rng = np.random.default_rng(1)
    meter = ToneMeter()
    meter.feed(linear(sine(hz, level, 1000, rng.uniform(0, 7)) + noise(rng, level - 30, 1000)))
    found = meter.result()
    assert found is not None
    assert abs(found.hz - hz) < 0.1
    assert abs(found.level_dbm0 - level) < 0.1
    assert abs(found.rest_dbm0 - (level - 30)) < 1.5


def test_a_tone_through_a_law_and_from_sox() -> None:
    command = ["sox", "-D", "-n", "-r", "8000", "-b", "16", "-e", "signed", "-c", "1", "-t", "raw", "-"]
    made = subprocess.run([*command, "synth", "1.0", "sine", "1004", "vol", "-16dB"], capture_output=True, check=True)
    meter = ToneMeter()
    meter.feed(decode(Law.ALAW, encode(Law.ALAW, made.stdout)))
    found = meter.result()
    assert found is not None
    assert abs(found.hz - 1004) < 0.1
    # G.711: full scale is 3.14 dBm0.
    assert abs(found.level_dbm0 - (3.14 - 16)) < 0.1
    assert -60 < found.rest_dbm0 < found.level_dbm0 - 33, "A-law's own noise, and only that"


BEFORE: dict[str, Signal] = {
    "silence": silence(415),
    "a-law's idle line": silence(415) + 8,
    "noise": noise(np.random.default_rng(9), -30, 415),
    "a click": np.concatenate([silence(203), np.full(8, 9000.0), silence(203)]),
    "a digit's tone, and a pause": np.concatenate([sine(1209, -6, 100), silence(90)]),
    "talk": spoken("您好"),
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("hz", [310.0, 1004.0])
def test_a_tone_is_measured_from_its_onset_on(hz: float, before: str) -> None:
    meter = ToneMeter()
    signal = np.concatenate([BEFORE[before], sine(hz, -10, 1000, 1.0)])
    meter.feed(linear(signal[: len(signal) // BLOCK * BLOCK]))
    found = meter.result()
    assert found is not None
    assert abs(found.hz - hz) < 0.1
    assert abs(found.level_dbm0 + 10) < 0.05
    assert found.rest_dbm0 < -50
    assert 930 <= found.measured_ms <= 970


def test_a_tone_that_pauses_is_a_weaker_one() -> None:
    meter = ToneMeter()
    meter.feed(linear(np.concatenate([sine(1000, -10, 500), silence(100), sine(1000, -10, 400)])))
    found = meter.result()
    assert found is not None
    assert -10.9 < found.level_dbm0 < -10.3


def test_no_tone_and_too_little() -> None:
    for signal in (silence(1000), noise(np.random.default_rng(2), -20, 1000), spoken("您好，请问有什么可以帮您？")):
        meter = ToneMeter()
        meter.feed(linear(signal))
        assert meter.result() is None
    short = ToneMeter()
    short.feed(linear(np.concatenate([silence(200), sine(1004, -10, 200)])))
    assert short.result() is None
    with pytest.raises(ValueError, match="300 ms"):
        ToneMeter().result()
    meter = ToneMeter()
    meter.feed(linear(sine(1004, -10, 300, 1.0)))
    assert meter.result() is not None


def test_noise_is_weighted_as_o41_says() -> None:
    for hz, (weight, tolerance) in O41.items():
        meter = NoiseMeter()
        meter.feed(linear(sine(hz, 0, 1200)))
        assert abs(meter.dbm0p - weight) <= tolerance, f"{hz} Hz"


def test_white_noise_reads_as_the_table_sums_it() -> None:
    """The weighting's own power over the band: interpolated from the table, not from the filter."""
    hz = np.arange(25, 4000, 25)
    weight = np.interp(hz, [*O41, 4000], [*(weight for weight, _ in O41.values()), -15.0])
    expected = 10 * np.log10(np.mean(10 ** (weight / 10)))
    meter = NoiseMeter()
    meter.feed(linear(noise(np.random.default_rng(3), -40, 10_000)))
    assert abs(meter.dbm0p - (-40 + expected)) < 0.5
    assert NoiseMeter().dbm0p == -96.0


def o150(stages: int, tap: int, count: int, *, inverted: bool) -> NDArray[np.uint8]:
    """Bits by the definition: stage outputs `tap` and `stages` added modulo two and fed back."""
    bits = [1] * stages
    while len(bits) < count + stages:
        bits.append(bits[-stages] ^ bits[-tap])
    return np.array(bits[stages:], np.uint8) ^ np.uint8(inverted)


SEQUENCES = {Sequence.PRBS_11: (11, 9, False), Sequence.PRBS_15: (15, 14, True)}
each_sequence = pytest.mark.parametrize("sequence", list(Sequence))


@each_sequence
def test_what_is_sent_is_o150s_sequence(sequence: Sequence) -> None:
    stages, tap, inverted = SEQUENCES[sequence]
    length = 2**stages - 1
    bits = np.unpackbits(np.frombuffer(BitSender(sequence).send(2 * length), np.uint8))
    assert (bits[: 8 * length] == o150(stages, tap, 8 * length, inverted=inverted)).all()
    assert (bits[:length] == bits[length : 2 * length]).all()
    runs = "".join(map(str, bits[: 2 * length])).split("0" if inverted else "1")
    assert max(map(len, runs)) == stages - 1
    assert bits[:length].sum() == length // 2 + (not inverted)


@each_sequence
def test_errors_are_counted_exactly(sequence: Sequence) -> None:
    rng = np.random.default_rng(4)
    bits = np.unpackbits(np.frombuffer(BitSender(sequence).send(20_000), np.uint8))
    wrong = rng.choice(np.arange(200, len(bits)), 517, replace=False)
    bits[wrong] ^= 1
    line = np.packbits(bits).tobytes()
    receiver = BitReceiver(sequence)
    for start in range(0, len(line), BLOCK):
        receiver.receive(line[start : start + BLOCK])
    count = receiver.count
    assert (count.errors, count.losses, count.in_step) == (517, 0, True)
    assert len(bits) - 80 <= count.bits <= len(bits)


@each_sequence
@pytest.mark.parametrize("slipped_bits", [1, 8, -8, 163])
def test_a_slip_is_a_loss_and_no_bit_errors(sequence: Sequence, slipped_bits: int) -> None:
    bits = np.unpackbits(np.frombuffer(BitSender(sequence).send(10_000), np.uint8))
    before, after = bits[:41_000], bits[41_000 + slipped_bits :]
    after[20_000] ^= 1
    receiver = BitReceiver(sequence)
    whole = np.concatenate([before, after])
    receiver.receive(np.packbits(whole[: len(whole) // 8 * 8]).tobytes())
    count = receiver.count
    assert (count.errors, count.losses, count.in_step) == (1, 1, True)
    assert count.bits > len(bits) - 3000


@each_sequence
@pytest.mark.parametrize("idle", [0x00, 0xFF, 0xD5, 0x7F, 0x54])
def test_an_idle_or_random_line_is_never_in_step(sequence: Sequence, idle: int) -> None:
    receiver = BitReceiver(sequence)
    receiver.receive(bytes([idle]) * 8000)
    receiver.receive(np.random.default_rng(idle).integers(0, 256, 50_000, dtype=np.uint8).tobytes())
    assert receiver.count == BitCount(0, 0, 0, False)


def test_a_line_that_goes_and_comes_back() -> None:
    sender, receiver = BitSender(Sequence.PRBS_15), BitReceiver(Sequence.PRBS_15)
    receiver.receive(sender.send(5000) + bytes([0xD5]) * 5000)
    assert receiver.count.losses == 1
    assert not receiver.count.in_step
    receiver.receive(sender.send(5000))
    assert receiver.count.in_step
    assert receiver.count.errors == 0


def echoed(response: Signal, *, ticks: int = 160, other: Signal | None = None, law: Law | None = None) -> EchoMeter:
    """Runs a meter over a path of that impulse response, tick by tick."""
    meter, sent = EchoMeter(), np.zeros(0)
    other = np.zeros(ticks * BLOCK) if other is None else other
    for tick in range(ticks):
        heard = other[tick * BLOCK : (tick + 1) * BLOCK].copy()
        if len(sent):
            start = tick * BLOCK
            # Only the last samples that can still reach this tick.
            tail = np.concatenate([np.zeros(len(response)), sent])[-(len(response) + BLOCK) :]
            heard += np.convolve(np.concatenate([tail, np.zeros(BLOCK)]), response)[-(BLOCK + len(response) - 1) :][
                :BLOCK
            ]
            assert start == len(sent)
        raw = linear(heard)
        sent = np.concatenate([sent, samples(meter.tick(decode(law, encode(law, raw)) if law else raw))])
    return meter


def path(delay: int, loss_db: float, *, ring: int = 1, seed: int = 0) -> Signal:
    """A delay of at least one tick (what is sent is heard in the next one), then a ringing of `ring` samples."""
    tail = np.random.default_rng(seed).normal(0, 1, ring) * np.exp(-np.arange(ring) / 8) if ring > 1 else np.ones(1)
    tail *= 10 ** (-loss_db / 20) / np.sqrt((tail**2).sum())
    return np.concatenate([np.zeros(delay), tail])


@pytest.mark.parametrize("loss_db", [3.0, 15.0, 28.0])
@pytest.mark.parametrize("delay_ms", [20.0, 48.125, 387.5])
def test_echo_delay_and_return_loss(delay_ms: float, loss_db: float) -> None:
    other = noise(np.random.default_rng(5), -50, 3200)
    found = echoed(path(round(delay_ms * 8), loss_db), other=other).result()
    assert found.delay_ms == delay_ms
    assert abs(found.return_loss_db - loss_db) < 0.2
    assert found.rounds == 5


def test_echo_of_a_ringing_hybrid_through_a_law_with_speech_on_the_line() -> None:
    talk = spoken("您好，这里是客户服务中心，请问有什么可以帮您？", "cmn")
    talk = np.resize(talk, 400 * BLOCK) * 0.1
    found = echoed(path(333, 12.0, ring=40, seed=6), ticks=400, other=talk, law=Law.ALAW).result()
    assert found.delay_ms is not None
    assert abs(found.delay_ms - 333 / 8) <= 2
    assert abs(found.return_loss_db - 12) < 0.5


def test_a_faint_echo_under_noise_and_a_direct_voltage() -> None:
    """The noise that the echo's own samples hold is taken off, and a constant is no echo."""
    other = noise(np.random.default_rng(8), -30, 8000) + 400
    found = echoed(path(900, 33.0), ticks=400, other=other).result()
    assert found.delay_ms == 112.5
    assert abs(found.return_loss_db - 33) < 0.5


def test_no_echo_is_said_with_the_least_it_could_be() -> None:
    found = echoed(np.zeros(1), other=noise(np.random.default_rng(7), -40, 3200)).result()
    assert found.delay_ms is None
    assert 30 < found.return_loss_db < 60
    assert echoed(np.zeros(1)).result().return_loss_db == 90


def test_an_echo_is_not_told_too_early() -> None:
    with pytest.raises(ValueError, match="two rounds"):
        echoed(path(200, 6), ticks=40).result()
    with pytest.raises(ValueError, match="at 3 dBm0"):
        EchoMeter(3)
