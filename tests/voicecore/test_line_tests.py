"""What line tests make of sound: a busy tone learned, a caller read. On real lines: board-tests/test_line_tests.py."""

import numpy as np
import pytest

from appliance_agent.system.linetests.callerid import Caller, caller_of
from appliance_agent.system.linetests.learned import learned
from tests.voicecore.signals import Signal, linear, silence
from tests.voicecore.test_progress import cadence

RATE_HZ, BAUD = 8000, 1200
BELL_202, V23 = (1200, 2200), (1300, 2100)


@pytest.mark.parametrize(
    ("on_off", "hz", "known"), [((350, 350), 450.0, "busy"), ((700, 700), 450.0, "congestion"), ((500, 250), 425.0, "")]
)
def test_a_busy_tone_is_learned_from_the_end_of_a_sample(on_off: tuple[int, int], hz: float, known: str) -> None:
    dial_tone = cadence((8000, 500), 1, hz=(450.0,))
    tone = learned(linear(np.concatenate([dial_tone, silence(700), cadence(on_off, 6, hz=(hz,))])))
    assert list(tone.hz) == [pytest.approx(hz, abs=2)]
    assert (tone.cadence_ms, tone.known) == (on_off, known)


@pytest.mark.parametrize(
    ("sound", "why"), [(silence(4000), "no pure tone"), (cadence((6000, 1000), 1), "busy tone|two rounds")]
)
def test_what_is_no_busy_tone_is_not_learned(sound: Signal, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        learned(linear(sound))


def fsk(data: bytes, modem: tuple[int, int], level_dbm0: float) -> Signal:
    bits = [number % 2 for number in range(300)] + [1] * 180
    for byte in data:
        bits += [0, *(byte >> place & 1 for place in range(8)), 1]
    bits += [1] * 10
    at = (np.arange(round(len(bits) * RATE_HZ / BAUD)) * BAUD / RATE_HZ).astype(int)
    hz = np.where(np.array(bits)[np.minimum(at, len(bits) - 1)] == 1, *modem)
    sound: Signal = 32767 * 10 ** ((level_dbm0 - 3.14) / 20) * np.sin(np.cumsum(2 * np.pi * hz / RATE_HZ))
    return sound


def message(kind: int, body: bytes) -> bytes:
    whole = bytes([kind, len(body)]) + body
    return whole + bytes([-sum(whole) % 256])


def field(kind: int, text: bytes) -> bytes:
    return bytes([kind, len(text)]) + text


NUMBER = field(1, b"11230315") + field(2, b"13800138000")
NAMED = message(0x80, NUMBER + field(7, "张三".encode("gb18030")))


@pytest.mark.parametrize("modem", [BELL_202, V23])
@pytest.mark.parametrize("level_dbm0", [-13.5, -30.0])
def test_a_caller_told_by_fsk(modem: tuple[int, int], level_dbm0: float) -> None:
    hiss = np.random.default_rng(1).normal(0, 20, 4 * RATE_HZ)
    sound = fsk(NAMED, modem, level_dbm0)
    hiss[5000 : 5000 + len(sound)] += sound
    assert caller_of(linear(hiss), "") == Caller("fsk", "13800138000", "张三")


@pytest.mark.parametrize(
    ("data", "caller"),
    [
        (message(0x04, b"1123031502087654321"), Caller("fsk", "02087654321")),
        (message(0x80, field(1, b"11230315") + field(4, b"P")), Caller("fsk", "", withheld=True)),
        (message(0x04, b"11230315P"), Caller("fsk", "", withheld=True)),
        (NAMED[:-1] + b"\0", None),
        (NAMED[:20], None),
        (b"\x80\xff" + bytes(300), None),
    ],
    ids=["single", "withheld", "single withheld", "wrong sum", "cut off", "longer than it says"],
)
def test_messages(data: bytes, caller: Caller | None) -> None:
    assert caller_of(linear(fsk(data, BELL_202, -13.5)), "") == caller


@pytest.mark.parametrize(
    ("digits", "number"),
    [("D13800138000C", "13800138000"), ("A1001C", "1001"), ("02087654321", "02087654321"), ("1", None), ("", None)],
)
def test_a_caller_told_by_dtmf(digits: str, number: str | None) -> None:
    found = caller_of(linear(silence(100)), digits)
    assert found == (None if number is None else Caller("dtmf", number))
