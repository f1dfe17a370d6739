"""The simulated box in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.detect.catalogue import family_of
from hal.errors import Refused
from hal.model.inventory import PortKind
from hal.protocols.voice import Alarm
from hal.sim.script import Alarms, Counts, PortAlarms, Pull
from hal.sim.words import MOST_CARDS, cards, position, step


def test_cards_in_words() -> None:
    made = cards("e1:1 e1:2 e1:4 e1:8 fxo:4 fxs:8 ports:oos-")
    assert [len(card.at("x").ports) for card in made] == [1, 2, 4, 8, 4, 8, 4]
    kinds = [port.kind for port in made[-1].at("x").ports]
    assert kinds == [PortKind.FXO, PortKind.FXO, PortKind.FXS, PortKind.EMPTY]
    assert cards("") == ()


def test_they_are_cards_of_the_catalogue() -> None:
    for card in cards("e1:1 e1:2 e1:4 e1:8 fxo:4 fxs:8 fxo:24"):
        assert family_of(card.model) == card.family


@pytest.mark.parametrize("words", ["e1:3", "e1", "e1:", "fxo:5", "ports:oox-", "ports:oo", "fxo:４", "isdn:4", "e1:-1"])
def test_no_card(words: str) -> None:
    with pytest.raises(Refused, match="is no card"):
        cards(words)


def test_too_many_cards() -> None:
    with pytest.raises(Refused, match="holds up to"):
        cards("e1:1 " * (MOST_CARDS + 1))


def test_steps_in_words() -> None:
    assert step("alarm 2 red yellow") == Alarms(2, frozenset({Alarm.RED, Alarm.YELLOW}))
    assert step("alarm 2") == Alarms(2, frozenset())
    assert step("port-alarm 5 red") == PortAlarms(5, frozenset({Alarm.RED}))
    counts = step("count 1 crc4_errors=3")
    assert isinstance(counts, Counts)
    assert counts.counters.crc4_errors == 3
    assert step(f"pull {position(1)}") == Pull("pci:0000:05:01.0")


@pytest.mark.parametrize(
    "words", ["", "alarm", "alarm x", "alarm 1 green", "count 1", "count 1 sheep=1", "event 1 boom", "plug"]
)
def test_no_step(words: str) -> None:
    with pytest.raises(Refused):
        step(words)


@given(st.text(max_size=60))
def test_any_text_is_a_step_or_refused(text: str) -> None:
    for parse in (step, cards):
        try:
            parse(text)
        except Refused as error:
            assert error.hint
