"""Busy and the other tones of an exchange: told in time, and never in talk. All signals are numpy's or espeak-ng's."""

import numpy as np
import pytest
from voicecore.progress import Learned, Plan, ProgressDetector, ProgressEvent, learn
from voicecore.tones import Named

from tests.voicecore.signals import Signal, linear, noise, padded, silence, sine
from tests.voicecore.talks import music, talk

CN = Plan.cn()


def cadence(
    steps_ms: tuple[float, ...],
    rounds: int,
    *,
    hz: tuple[float, ...] = (450.0,),
    level: float = -15.0,
    phase: float = 0,
) -> Signal:
    parts = []
    for place, ms in enumerate(steps_ms * rounds):
        on = sum((sine(one, level, ms, phase + place) for one in hz), silence(ms))
        parts.append(on if place % 2 == 0 else silence(ms))
    return np.concatenate(parts)


def feed(signal: Signal, plan: Plan = CN, *, line_dbm0: float = -50, seed: int = 0) -> list[ProgressEvent]:
    whole = padded(signal)
    return ProgressDetector(plan).feed(linear(whole + noise(np.random.default_rng(seed), line_dbm0, len(whole) / 8)))


def numbers(events: list[ProgressEvent]) -> list[int]:
    return [event.number for event in events if event.began]


@pytest.mark.parametrize("level", [-35.0, -25.0, -10.0, 0.0])
@pytest.mark.parametrize("hz", [425.5, 450.0, 474.5])
def test_busy_is_told_within_3_s_and_congestion_within_5_s(level: float, hz: float) -> None:
    """From wherever one begins to listen."""
    rng = np.random.default_rng(1)
    for steps_ms, name, most_s in (((350, 350), Named.BUSY, 3.0), ((700, 700), Named.CONGESTION, 5.0)):
        for _ in range(6):
            whole = cadence(steps_ms, 10, hz=(hz,), level=level, phase=rng.uniform(0, 7))
            events = feed(whole[int(rng.integers(sum(steps_ms) * 8)) :], line_dbm0=level - 15)
            assert numbers(events) == [name]
            assert events[0].at_s <= most_s
            assert abs(events[0].level_dbm0 - level) < 0.7
            assert abs(events[0].offset_hz - (hz - 450)) < 2


@pytest.mark.parametrize("off_by", [0.9, 0.95, 1.05, 1.1])
def test_an_exchange_may_be_a_tenth_off(off_by: float) -> None:
    assert numbers(feed(cadence((350 * off_by, 350 * off_by), 8))) == [Named.BUSY]
    assert numbers(feed(cadence((700 * off_by, 700 * off_by), 6))) == [Named.CONGESTION]


@pytest.mark.parametrize(
    ("steps_ms", "name"),
    [
        ((1000, 4000), Named.RING_BACK),
        ((400, 4000), Named.CALL_WAITING),
        ((100, 100, 100, 100, 100, 100, 400, 400), Named.UNOBTAINABLE),
    ],
)
def test_the_other_tones_of_zone_cn(steps_ms: tuple[float, ...], name: Named) -> None:
    assert numbers(feed(cadence(steps_ms, 4))) == [name]


def test_the_rest_of_a_ring_is_no_call_waiting() -> None:
    """Whoever begins to listen 600 ms into ring-back hears 400 ms, and then 4 s of silence."""
    assert numbers(feed(cadence((1000, 4000), 3)[4800:])) == [Named.RING_BACK]


def test_dial_tone_begins_and_ends() -> None:
    events = feed(np.concatenate([silence(500), sine(450, -12, 4000), silence(1000)]))
    assert [(event.number, event.began) for event in events] == [(Named.DIAL, True), (Named.DIAL, False)]
    assert 1.9 < events[0].at_s < 2.1
    assert 4.4 < events[1].at_s < 4.6


def test_busy_that_ends_is_told_once_and_over() -> None:
    events = feed(np.concatenate([cadence((350, 350), 30), silence(3000)]))
    assert [(event.number, event.began) for event in events] == [(Named.BUSY, True), (Named.BUSY, False)]
    assert events[1].at_s < 21 + 1


def test_busy_after_talk() -> None:
    """What the caller's line says when he has hung up."""
    before = talk(3, 8.0)
    events = feed(np.concatenate([before, silence(300), cadence((350, 350), 8)]))
    assert numbers(events) == [Named.BUSY]
    assert events[0].at_s <= len(before) / 8000 + 0.3 + 3.0


@pytest.mark.parametrize(
    "steps_ms", [(500, 500), (350, 700), (350, 250), (250, 350), (440, 440), (290, 290), (1000, 1000), (2000, 4000)]
)
def test_other_cadences_are_none_of_ours(steps_ms: tuple[float, ...]) -> None:
    assert {Named.BUSY, Named.CONGESTION}.isdisjoint(numbers(feed(cadence(steps_ms, 12))))


@pytest.mark.parametrize("hz", [(350.0,), (415.0,), (485.0,), (500.0,), (620.0,), (450.0, 620.0), (900.0,)])
def test_other_frequencies_are_none_of_ours(hz: tuple[float, ...]) -> None:
    assert numbers(feed(cadence((350, 350), 12, hz=hz))) == []


def test_a_tone_that_swells_or_wanders_is_no_busy() -> None:
    swelling = [cadence((350, 350), 1, level=-30 + 4 * place) for place in range(8)]
    assert numbers(feed(np.concatenate(swelling))) == []
    wandering = [cadence((350, 350), 1, hz=(440 + 10 * (place % 3),)) for place in range(12)]
    assert numbers(feed(np.concatenate(wandering))) == []


@pytest.mark.parametrize("a_round_db", [-0.9, 0.9])
def test_a_level_may_drift(a_round_db: float) -> None:
    drifting = [cadence((350, 350), 1, level=-15 + a_round_db * place) for place in range(8)]
    assert numbers(feed(np.concatenate(drifting))) == [Named.BUSY]


def test_busy_with_talk_in_its_pauses_is_no_busy() -> None:
    tone = cadence((350, 350), 12)
    pauses = tone == 0
    assert numbers(feed(tone + pauses * noise(np.random.default_rng(4), -20, len(tone) / 8))) == []


@pytest.mark.parametrize("seed", range(8))
def test_no_busy_in_talk_music_and_noise(seed: int) -> None:
    """The small set; `make test` judges a hundred talks (test_talks.py)."""
    rng = np.random.default_rng(seed)
    for signal in (talk(seed, 15.0), music(rng, 15.0), noise(rng, -30 + 3 * seed, 5000)):
        assert numbers(feed(signal, seed=seed)) == []


@pytest.mark.parametrize(
    ("hz", "steps_ms", "runs"),
    [
        ((450.0,), (350, 350), 6),
        ((425.0,), (500, 500), 4),
        ((480.0, 620.0), (500, 500), 4),
        ((400.0,), (375, 375), 6),
        ((440.0, 480.0 + 120), (2000, 4000), 2),
        ((950.0,), (333, 333), 6),
        ((420.0,), (200, 200, 200, 600), 8),
    ],
)
def test_a_foreign_tone_is_learned_and_then_told(hz: tuple[float, ...], steps_ms: tuple[float, ...], runs: int) -> None:
    rng = np.random.default_rng(5)
    sample = cadence(steps_ms, 4 if sum(steps_ms) > 3000 else 8, hz=hz, level=-18)[int(rng.integers(900)) :]
    found = learn(linear(sample + noise(rng, -42, len(sample) / 8)))
    assert np.allclose(sorted(found.hz), hz, atol=1.0)
    assert len(found.cadence_ms) == len(steps_ms)
    # A round of several steps may be told from any of its sounds on.
    turns = [steps_ms[turn:] + steps_ms[:turn] for turn in range(0, len(steps_ms), 2)]
    assert any(np.allclose(found.cadence_ms, turn, atol=4) for turn in turns), found
    assert abs(found.level_dbm0 + 18 - (3.01 if len(hz) == 2 else 0)) < 0.5
    assert found.runs >= min(runs, 2)
    plan = Plan.learned(found, 77)
    again = cadence(steps_ms, 12, hz=hz, level=-25)[int(rng.integers(2000)) :]
    assert numbers(feed(again, plan, seed=6)) == [77]
    assert numbers(feed(talk(6, 10.0), plan)) == []


def test_a_continuous_tone_is_learned() -> None:
    found = learn(linear(sine(440, -20, 4000)))
    assert (len(found.cadence_ms), round(found.hz[0])) == (1, 440)
    assert numbers(feed(sine(440, -20, 4000), Plan.learned(found, 5))) == [5]


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (silence(5000), "no pure tone"),
        (noise(np.random.default_rng(7), -20, 5000), "no pure tone"),
        (sine(1200, -10, 5000), "no pure tone"),
        (cadence((350, 350), 2), "steady cadence"),
        (np.concatenate([cadence((ms, ms), 1) for ms in (200, 500, 300, 800, 250, 600)]), "steady cadence"),
        (silence(30_100), "more than 30 s"),
    ],
)
def test_what_cannot_be_learned_says_why(sample: Signal, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        learn(linear(sample))


def test_a_plan_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="refused"):
        Plan.learned(Learned((450.0,), -10.0, (350, 350, 350), 6, 0.0), 1)
    with pytest.raises(ValueError, match="refused"):
        Plan.learned(Learned((50.0,), -10.0, (350, 350), 6, 0.0), 1)
    with pytest.raises(ValueError, match="eight steps"):
        Plan.learned(Learned((450.0,), -10.0, (100,) * 10, 6, 0.0), 1)
