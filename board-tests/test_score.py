"""The scorer tells a tone from silence, from another tone and from noise. Needs no board."""

import io
import wave

import numpy as np
import pytest
from numpy.typing import NDArray
from score import samples, tone_share

RATE = 8000


def tone(hz: float, seconds: float = 4.0) -> NDArray[np.float64]:
    return 0.1 * np.sin(2 * np.pi * hz * np.arange(int(RATE * seconds)) / RATE)


@pytest.mark.parametrize("hz", [437.0, 523.0])
def test_a_pure_tone_is_all_of_it(hz: float) -> None:
    assert tone_share(tone(hz), RATE, hz) > 0.99


def test_what_is_no_tone_of_ours_is_none_of_it() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, RATE * 4)
    for sound in (tone(450), tone(437) * 0.001, np.zeros(RATE), np.zeros(3), noise):
        assert tone_share(sound, RATE, 523.0) < 0.05


def test_half_a_talk_is_half_the_share() -> None:
    sound = np.concatenate([tone(523, 2), np.zeros(RATE * 2)])
    assert tone_share(sound, RATE, 523.0) == pytest.approx(0.5, abs=0.03)
    assert tone_share(tone(523) + tone(437), RATE, 523.0) == pytest.approx(0.5, abs=0.03)


def wav(channels: int, width: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(RATE)
        out.writeframes(bytes(range(16)))
    return file.getvalue()


def test_a_wav_is_read_as_it_is() -> None:
    sound, rate = samples(wav(1, 2))
    assert (len(sound), rate) == (8, RATE)
    assert sound[0] == 0x0100 / 32768
    with pytest.raises(ValueError, match="2 channels of 16 bits"):
        samples(wav(2, 2))
