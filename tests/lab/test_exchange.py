"""The emulated exchange on real audio: what it says is heard, what it hears is told, and it counts."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance_agent.config.sample import SAMPLE_DID
from tests.callers.audio import middle, read_wav, tone_share
from tests.lab.exchange import CALLED_TONE_HZ, CALLER_TONE_HZ, RATE, write_tone
from tests.lab.lab import Lab
from tests.lab.waiting import until

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def up(nothing_left: None) -> Iterator[Lab]:
    with Lab().open(ready=False) as lab:
        lab.box().wait_unit("asterisk")
        yield lab


def test_tones_go_both_ways_and_are_told_right(up: Lab) -> None:
    heard = up.exchange.call("13800138000", "075512340000", talk_s=3, box="self")
    assert heard.answered
    assert heard.cause == 16
    assert heard.duration_s == pytest.approx(3, abs=0.5)
    assert heard.seconds == pytest.approx(heard.duration_s, abs=0.5)
    assert heard.tone_hz == pytest.approx(CALLED_TONE_HZ, abs=2)
    assert -20 < heard.level_dbfs < -6
    other = up.exchange.received(5)[-1]
    assert (other["From"], other["Number"]) == ("13800138000", "075512340000")
    sound = read_wav(up.exchange.share / f"heard/{other['LabId']}.wav")
    assert tone_share(middle(sound.channels[0], RATE, 2), RATE, CALLER_TONE_HZ) > 0.8


def test_own_audio_is_played_whatever_its_format(up: Lab, tmp_path: Path) -> None:
    path = tmp_path / "a tone.wav"
    write_tone(path, 697.0, seconds=2)
    heard = up.exchange.call("13800138000", "075512340099", talk_s=3, box="self", audio=path)
    assert heard.tone_hz == pytest.approx(697, abs=2), "number …99 is an echo"


@pytest.mark.parametrize(("number", "cause"), [("98", 17), ("96", 34), ("95", 1)])
def test_a_refused_call_tells_its_cause(up: Lab, number: str, cause: int) -> None:
    heard = up.exchange.call("13800138000", f"0755123400{number}", answer_s=5, box="self")
    assert (heard.answered, heard.cause, heard.wav) == (False, cause, None)
    assert heard.level_dbfs == -math.inf


def test_an_unreachable_box_is_not_answered(up: Lab) -> None:
    heard = up.exchange.call("13800138000", "8888", answer_s=2, box="box9")
    assert not heard.answered


def test_the_exchange_counts_each_call(up: Lab) -> None:
    def mine() -> list[dict[str, str]]:
        return [row for row in up.exchange.cdrs() if row["src"] == "13900139000"]

    before = len(mine())
    up.exchange.call("13900139000", "075512340000", talk_s=1, box="self")
    until("two rows: the caller's leg and the called", lambda: len(mine()) == before + 2, limit_s=10)
    assert all(row["disposition"] == "ANSWERED" for row in mine()[before:])


def test_a_caller_hears_the_boxs_menu_and_keys_a_digit(up: Lab) -> None:
    heard = up.exchange.call("13800138000", SAMPLE_DID, digits="1", talk_s=1)
    assert heard.answered
    assert heard.seconds > 5
    assert heard.level_dbfs > -40
    journal = up.box().journal.read_text()
    assert "SA_DIGIT" in journal
    assert "digit=1" in journal


def test_a_line_break_cannot_be_smuggled_into_an_action(up: Lab) -> None:
    with pytest.raises(ValueError, match="line break"):
        up.exchange.dial("1380013\r\nAction: Logoff", SAMPLE_DID)
