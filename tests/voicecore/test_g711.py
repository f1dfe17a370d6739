"""G.711 against the decision and output values of the Recommendation, and against sox, which others wrote."""

import subprocess

import numpy as np
import pytest
from numpy.typing import NDArray
from voicecore.g711 import Law, decode, encode
from voicecore.level import LevelMeter

LAWS = list(Law)
EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)


def standard(law: Law) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Positive half of G.711 tables 1a and 2a: decision values x(n), output values y(n), character signals; 16-bit."""
    decisions, outputs = [0], list[int]()
    for segment in range(8):
        for _ in range(16):
            # A-law: unit 1/4096, the first two segments have the same steps. u-law: unit 1/8159, the first step is half
            # a step, around zero.
            alaw, ulaw = 2 << max(segment - 1, 0), 2 << segment if outputs else 1
            step = alaw if law is Law.ALAW else ulaw
            low = decisions[-1]
            decisions.append(low + step)
            outputs.append(0 if law is Law.ULAW and not outputs else low + step // 2)
    number = np.arange(128)
    signals = (number | 0x80) ^ 0x55 if law is Law.ALAW else number ^ 0xFF
    unit = 8 if law is Law.ALAW else 4
    return np.array(decisions) * unit, np.array(outputs) * unit, signals.astype(np.uint8)


def sox(law: Law, raw: bytes, *, coding: bool) -> bytes:
    linear = ["-t", "raw", "-e", "signed-integer", "-b", "16", "-r", "8000", "-c", "1"]
    coded = ["-t", "raw", "-e", "a-law" if law is Law.ALAW else "u-law", "-b", "8", "-r", "8000", "-c", "1"]
    source, target = (linear, coded) if coding else (coded, linear)
    command = ["sox", "-D", *source, "-", *target, "-"]
    return subprocess.run(command, input=raw, capture_output=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("law", LAWS)
def test_every_code_decodes_to_the_standards_output_value(law: Law) -> None:
    _, outputs, signals = standard(law)
    heard = np.frombuffer(decode(law, EVERY_CODE), np.int16)
    assert (heard[signals] == outputs).all()
    assert (heard[signals ^ 0x80] == -outputs).all()


@pytest.mark.parametrize("law", LAWS)
def test_every_sample_lies_between_its_codes_decision_values(law: Law) -> None:
    decisions, outputs, signals = standard(law)
    interval = np.zeros(256, np.int64)
    interval[signals] = interval[signals ^ 0x80] = np.arange(128)
    codes = np.frombuffer(encode(law, EVERY_SAMPLE.tobytes()), np.uint8)
    size, number = np.abs(EVERY_SAMPLE.astype(np.int64)), interval[codes]
    assert (decisions[number] <= size).all()
    beyond = size > decisions[-1]
    assert (number[beyond] == 127).all()
    assert (size <= decisions[number + 1])[~beyond].all()
    heard = np.frombuffer(decode(law, codes.tobytes()), np.int16)
    assert (np.sign(heard) * np.sign(EVERY_SAMPLE) >= 0).all()
    assert len(outputs) == 128


@pytest.mark.parametrize("law", LAWS)
def test_what_was_decoded_encodes_to_itself(law: Law) -> None:
    heard = np.frombuffer(decode(law, EVERY_CODE), np.int16)
    again = np.frombuffer(encode(law, heard.tobytes()), np.uint8)
    same = again == np.frombuffer(EVERY_CODE, np.uint8)
    # u-law has two zeros; minus zero (0x7F) cannot be told from plus zero in linear.
    assert same.all() if law is Law.ALAW else np.flatnonzero(~same).tolist() == [0x7F]


@pytest.mark.parametrize("law", LAWS)
def test_sox_decodes_the_same(law: Law) -> None:
    assert decode(law, EVERY_CODE) == sox(law, EVERY_CODE, coding=False)


@pytest.mark.parametrize("law", LAWS)
def test_sox_encodes_the_same_but_for_ties(law: Law) -> None:
    """On and just beside a decision value sox rounds 16 bits to 14 or 13 first; there the neighbour is right too."""
    ours = np.frombuffer(encode(law, EVERY_SAMPLE.tobytes()), np.uint8)
    theirs = np.frombuffer(sox(law, EVERY_SAMPLE.tobytes(), coding=True), np.uint8)
    decisions, _, _ = standard(law)
    both = np.concatenate([-decisions[::-1], decisions])
    nearest = np.abs(EVERY_SAMPLE[:, None].astype(np.int64) - both[None, :]).min(axis=1)
    unit = 8 if law is Law.ALAW else 4
    assert (ours == theirs)[nearest > unit].all()
    assert (ours == theirs).mean() > 0.9


@pytest.mark.parametrize(
    ("law", "sequence"), [(Law.ALAW, "34212134b4a1a1b4"), (Law.ULAW, "1e0b0b1e9e8b8b9e")], ids=["alaw", "ulaw"]
)
def test_the_standards_milliwatt_is_0_dbm0(law: Law, sequence: str) -> None:
    """G.711 tables 5 and 6: this repeated is a sine of 1 kHz at 0 dBm0: it pins our scale to the Recommendation's."""
    heard = decode(law, bytes.fromhex(sequence) * 1000)
    meter = LevelMeter()
    meter.feed(heard)
    assert abs(meter.rms_dbm0) < 0.1
    # Its samples lie 22.5 degrees beside the sine's peak: 20 log cos 22.5 = -0.69 dB.
    assert abs(meter.peak_dbm0 + 0.69) < 0.1


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        encode(Law.ALAW, b"abc")
