"""What the core sends, measured with numpy and heard by peers that others wrote (spandsp, multimon-ng)."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from voicecore.tones import Dialler, Direction, Named, Tone, ToneGenerator, dtmf, named, r2

from tests.voicecore import spandsp
from tests.voicecore.signals import Signal, level_dbm0, linear, samples, silence

DIGITS = "123A456B789C*0#D"
FREQUENCIES = {  # ITU-T Q.441 table 5
    Direction.FORWARD: [1380, 1500, 1620, 1740, 1860, 1980],
    Direction.BACKWARD: [1140, 1020, 900, 780, 660, 540],
}
R2_PAIRS = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3), (0, 4), (1, 4), (2, 4), (3, 4)] + [
    (place, 5) for place in range(5)
]
CADENCES_MS = {  # GB/T 3380
    Named.RING_BACK: [1000, 4000],
    Named.BUSY: [350, 350],
    Named.CONGESTION: [700, 700],
    Named.UNOBTAINABLE: [100, 100, 100, 100, 100, 100, 400, 400],
    Named.CALL_WAITING: [400, 4000],
}


def peaks_hz(signal: Signal, count: int) -> list[float]:
    """The strongest lines of one second, to 0.25 Hz."""
    spectrum = np.abs(np.fft.rfft(signal[:8000] * np.hanning(8000), 32000))
    found = []
    for _ in range(count):
        place = int(spectrum.argmax())
        found.append(place / 4)
        spectrum[max(0, place - 20) : place + 20] = 0
    return sorted(found)


def second(tone: Tone) -> Signal:
    return samples(ToneGenerator(tone).read(50))


def runs_ms(signal: Signal) -> list[float]:
    """Lengths of sound and silence in turn. A tone of 450 Hz is silent for less than 2 ms at its zeros."""
    loud = np.flatnonzero(np.abs(signal) > 1)
    gaps = np.flatnonzero(np.diff(loud) > 40)
    edges = [loud[0]]
    for gap in gaps:
        edges += [loud[gap] + 1, loud[gap + 1]]
    return list(np.diff(np.array(edges)) / 8)


def test_a_tone_has_its_frequencies_and_levels_and_nothing_else() -> None:
    heard = second(Tone(((1004.0, -10.0), (450.25, -20.0))))
    assert peaks_hz(heard, 2) == [450.25, 1004.0]
    assert abs(level_dbm0(heard) - 10 * np.log10(0.1 + 0.01)) < 0.01
    time = np.arange(8000) / 8000
    basis = np.array([part(2 * np.pi * hz * time) for hz in (450.25, 1004.0) for part in (np.sin, np.cos)]).T
    rest = heard - basis @ np.linalg.lstsq(basis, heard, rcond=None)[0]
    assert np.abs(rest).max() <= 0.51, "all that is left is rounding: no jump of phase at any block's edge"


def test_an_hour_does_not_wear_a_tone_out() -> None:
    generator = ToneGenerator(named(Named.MILLIWATT, 0.0))
    generator.read(180_000)
    heard = samples(generator.read(50))
    assert abs(level_dbm0(heard)) < 0.001
    assert peaks_hz(heard, 1) == [1004.0]


@pytest.mark.parametrize("name", CADENCES_MS)
def test_tones_of_the_exchange(name: Named) -> None:
    cadence = CADENCES_MS[name]
    heard = samples(ToneGenerator(named(name)).read(3 * sum(cadence) // 20))
    assert np.allclose(runs_ms(heard)[: 2 * len(cadence)], (cadence * 2), atol=1.2)
    on = heard[: cadence[0] * 8]
    assert abs(level_dbm0(on) + 10) < 0.05


def test_dial_tone_is_continuous_450() -> None:
    heard = second(named(Named.DIAL))
    assert peaks_hz(heard, 1) == [450.0]
    assert runs_ms(heard) == []


@pytest.mark.parametrize("direction", list(Direction))
def test_r2_signals_are_the_pairs_of_q441_and_spandsp_hears_them(direction: Direction) -> None:
    for signal, pair in enumerate(R2_PAIRS, start=1):
        heard = second(r2(direction, signal))
        assert peaks_hz(heard, 2) == sorted(FREQUENCIES[direction][place] for place in pair)
        assert abs(level_dbm0(heard) + 11.5 - 3.01) < 0.05
        assert spandsp.r2_heard(linear(heard[:800]), forward=direction is Direction.FORWARD) == [signal]


def dialled(digits: str, on_ms: int, off_ms: int) -> bytes:
    dialler, out = Dialler(on_ms, off_ms), b""
    dialler.put(digits)
    while block := dialler.read():
        out += block
    return linear(silence(100)) + out + linear(silence(100))


@pytest.mark.parametrize(("on_ms", "off_ms"), [(50, 50), (100, 100), (73, 61)])
def test_spandsp_hears_what_is_dialled(on_ms: int, off_ms: int) -> None:
    assert spandsp.dtmf_heard(dialled(DIGITS * 2, on_ms, off_ms)) == DIGITS * 2


def test_multimon_hears_what_is_dialled(tmp_path: Path) -> None:
    (tmp_path / "digits.raw").write_bytes(dialled(DIGITS, 100, 100))
    sox = [
        "sox",
        "-t",
        "raw",
        "-e",
        "signed",
        "-b",
        "16",
        "-r",
        "8000",
        "-c",
        "1",
        "digits.raw",
        "-r",
        "22050",
        "up.raw",
    ]
    subprocess.run(sox, cwd=tmp_path, check=True, timeout=60)
    command = ["multimon-ng", "-q", "-a", "DTMF", "-t", "raw", "up.raw"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60).stdout
    heard = [line.split()[1] for line in said.splitlines() if line.startswith("DTMF:")]
    # multimon writes E for * and F for #, as the Q.23 grid numbers them.
    assert "".join(heard).replace("E", "*").replace("F", "#") == DIGITS


def test_dialled_times_are_exact_over_block_edges() -> None:
    heard = samples(dialled("1590", 73, 61))[800:]
    assert np.allclose(runs_ms(heard)[:6], [73, 61] * 3, atol=0.5)


@pytest.mark.parametrize(
    ("tone", "says"),
    [
        (Tone(()), "refused"),
        (Tone(((4000.0, -10.0),)), "refused"),
        (Tone(((float("nan"), -10.0),)), "refused"),
        (Tone(((450.0, 4.0),)), "refused"),
        (Tone(((450.0, float("nan")),)), "refused"),
        (Tone(((450.0, -10.0),), (60001,)), "refused"),
        (Tone(((450.0, -10.0),) * 3), "at most 2 parts"),
    ],
)
def test_what_no_tone_can_be_is_refused(tone: Tone, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ToneGenerator(tone)


def test_no_such_digit_signal_or_room() -> None:
    with pytest.raises(ValueError, match="DTMF digit 'x'"):
        dtmf("x")
    with pytest.raises(ValueError, match="signal 16"):
        r2(Direction.FORWARD, 16)
    dialler = Dialler()
    with pytest.raises(ValueError, match="12x"):
        dialler.put("12x")
    dialler.put("1" * 64)
    with pytest.raises(ValueError, match="No buffer space"):
        dialler.put("1")
    with pytest.raises(ValueError, match="5/100 ms"):
        Dialler(on_ms=5)
