"""The DTMF receiver against ITU-T Q.24: signals from numpy and from spandsp, each figure with its own seeded trials."""

from collections.abc import Iterable

import numpy as np
import pytest
from voicecore.receivers import DtmfReceiver, Heard

from tests.voicecore import spandsp
from tests.voicecore.signals import Signal, linear, noise, padded, silence, sine, spoken

DIGITS = "123A456B789C*0#D"
LOW_HZ, HIGH_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)


def digit(
    name: str,
    on_ms: float,
    *,
    low: float = -9,
    high: float = -7,
    beside: tuple[float, float] = (0, 0),
    phase: float = 0,
) -> Signal:
    """`beside`: the share by which low and high frequency are off."""
    row, column = divmod(DIGITS.index(name), 4)
    lower = sine(LOW_HZ[row] * (1 + beside[0]), low, on_ms, phase)
    return lower + sine(HIGH_HZ[column] * (1 + beside[1]), high, on_ms, 2 * phase)


def dialled(name: str, rng: np.random.Generator, on_ms: float = 40, line_dbm0: float = -60, **kind: object) -> Signal:
    """One digit somewhere in the blocks of a line with noise."""
    signal = digit(name, on_ms, phase=rng.uniform(0, 7), **kind)  # type: ignore[arg-type]
    signal = padded(np.concatenate([signal, silence(80)]), int(rng.integers(320, 640)))
    return signal + noise(rng, line_dbm0, len(signal) / 8)


def names(events: Iterable[Heard]) -> str:
    return "".join(event.signal for event in events if event.began)


def heard(signal: Signal) -> str:
    return names(DtmfReceiver().feed(linear(signal)))


def share(seed: int, **kind: object) -> float:
    """Of 64 digits, each of the 16 four times."""
    rng = np.random.default_rng(seed)
    return sum(heard(dialled(name, rng, **kind)) == name for name in DIGITS * 4) / 64  # type: ignore[arg-type]


@pytest.mark.parametrize("on_ms", [40, 45, 70, 200])
def test_40_ms_are_taken(on_ms: float) -> None:
    assert share(1, on_ms=on_ms) == 1


@pytest.mark.parametrize("on_ms", [5, 15, 20, 23, 24])
def test_24_ms_are_refused(on_ms: float) -> None:
    rng = np.random.default_rng(2)
    assert all(heard(dialled(name, rng, on_ms=on_ms)) == "" for name in DIGITS * 4)


@pytest.mark.parametrize("beside", [(-0.015, -0.015), (0.015, 0.015), (-0.015, 0.015), (0.018, -0.018)])
def test_one_and_a_half_percent_beside_is_taken(beside: tuple[float, float]) -> None:
    assert share(3, beside=beside, on_ms=40) == 1
    assert share(4, beside=beside, on_ms=50, low=-9, high=-15) == 1


@pytest.mark.parametrize("off", [-0.08, -0.05, -0.035, 0.035, 0.05, 0.06, 0.08])
def test_three_and_a_half_percent_beside_is_refused(off: float) -> None:
    rng = np.random.default_rng(5)
    for beside in ((off, 0.0), (0.0, off), (off, off)):
        assert all(heard(dialled(name, rng, on_ms=100, beside=beside)) != name for name in DIGITS)


@pytest.mark.parametrize(("low", "high"), [(0, 0), (-9, -7), (-25, -25), (-29, -29), (-4, -12), (-11, -4), (-29, -23)])
def test_levels_and_twist_are_taken(low: float, high: float) -> None:
    """Q.24 table A.1: 0 … -25 dBm (and to -29, our margin); high group 4 dB over to 8 dB under the low one."""
    assert share(6, low=low, high=high) == 1


@pytest.mark.parametrize(("low", "high"), [(-36, -36), (-9, -24), (-24, -9), (-80, -7), (-9, -80)])
def test_too_faint_or_too_twisted_is_refused(low: float, high: float) -> None:
    assert share(7, low=low, high=high, on_ms=100) == 0


def test_noise_15_db_under_the_digits() -> None:
    assert share(8, low=-10, high=-10, line_dbm0=-25) == 1
    assert share(9, low=-10, high=-10, line_dbm0=-19, on_ms=50) == 1


def test_dial_tone_may_lie_under_the_first_digit() -> None:
    rng = np.random.default_rng(10)
    for name in DIGITS:
        signal = dialled(name, rng, on_ms=50, low=-9, high=-9)
        assert heard(signal + sine(450, -12, len(signal) / 8)) == name


@pytest.mark.parametrize(("off_ms", "digits"), [(3, 1), (8, 1), (10, 1), (40, 2), (60, 2)])
def test_a_break_of_10_ms_is_none_and_of_40_ms_is_one(off_ms: float, digits: int) -> None:
    rng = np.random.default_rng(11)
    for name in DIGITS:
        phase = rng.uniform(0, 7)
        whole = digit(name, 100 + off_ms, phase=phase)
        whole[400 : 400 + round(off_ms * 8)] = 0
        assert heard(padded(np.concatenate([whole, silence(60)]), int(rng.integers(160)))) == name * digits


@pytest.mark.parametrize("lead", range(984, 1064, 13))
def test_a_digit_tells_levels_times_and_end(lead: int) -> None:
    """Wherever it lies in the frames."""
    signal = padded(np.concatenate([digit("6", 87, low=-12, high=-6), silence(200)]), lead)
    began, over = DtmfReceiver().feed(linear(signal))
    assert (began.signal, began.began, over.signal, over.began) == ("6", True, "6", False)
    assert abs(began.low_dbm0 + 12) < 0.3
    assert abs(began.high_dbm0 + 6) < 0.3
    assert abs(over.lasted_ms - 87) < 1.5
    assert 0.031 < began.at_s - lead / 8000 < 0.055
    assert 0.015 < over.at_s - lead / 8000 - 0.087 < 0.045


def test_fast_digits_one_after_the_other() -> None:
    rng = np.random.default_rng(12)
    number = "".join(rng.choice(list(DIGITS), 60))
    parts = [np.concatenate([digit(name, 40, phase=rng.uniform(0, 7)), silence(40)]) for name in number]
    assert heard(padded(np.concatenate([*parts, silence(60)]), 77)) == number


def test_what_is_no_digit_yet_gives_way_to_one() -> None:
    """25 ms of a 1, which is none, and at once a 2 of the same row, the row being most of both."""
    parts = [digit("1", 25, low=-5, high=-11), digit("2", 50, low=-5, high=-11), silence(80)]
    assert {heard(padded(np.concatenate(parts), lead)) for lead in range(0, 80, 9)} == {"2"}


def test_spandsp_dials_we_hear() -> None:
    assert names(DtmfReceiver().feed(spandsp.dtmf_sent(DIGITS * 3))) == DIGITS * 3


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_no_digit(seed: int) -> None:
    assert heard(noise(np.random.default_rng(seed), -10, 20_000)) == ""


def test_one_tone_alone_is_no_digit() -> None:
    for frequency in (*LOW_HZ, *HIGH_HZ, 450, 1004):
        assert heard(sine(frequency, -7, 500)) == ""


def test_three_tones_are_no_digit() -> None:
    assert heard(digit("1", 300) + sine(1477, -7, 300)) == ""


TALK = [
    "您好，这里是客户服务中心，请问有什么可以帮您？", "我的订单号码是一三八零零一三八零零零，麻烦您查一下。",
    "请稍等，我马上为您转接到人工坐席，感谢您的耐心等待。", "今天天气很好，我们下午三点在公司门口见面吧。",
    "一二三四五六七八九零，啊，咿，呜，诶，喔。", "发票已经寄出去了，大概两三天就能收到，注意查收。",
]  # fmt: skip


@pytest.mark.parametrize("voice", ["cmn", "cmn+f2", "cmn+f4", "cmn+m3", "en"])
def test_speech_is_no_digit(voice: str) -> None:
    """Talk-off. Pure vowels at many pitches are the worst that a voice can do."""
    for pitch in (20, 50, 80):
        assert heard(spoken(" ".join(TALK), voice, pitch=pitch)) == ""
