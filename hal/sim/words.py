"""A simulated box in words: its cards ("e1:4 fxo:8 ports:ooss"), and what happens to it ("alarm 1 red"). Pure."""

import re

from hal.errors import Refused
from hal.protocols.voice import Alarm, PortEvent, SpanCounters
from hal.sim.cards import Blueprint, analog, e1
from hal.sim.line import SimLine
from hal.sim.script import Alarms, Carries, Counts, Happens, Move, Plug, PortAlarms, Pull, Step

MOST_CARDS = 8
_E1_MODELS = {
    1: ("Wildcard TE131/TE133", "wcte13xp"),
    2: ("Wildcard TE205P (5th Gen)", "wct4xxp"),
    4: ("Wildcard TE405P (5th Gen)", "wct4xxp"),
    8: ("Wildcard TE820 (5th Gen)", "wct4xxp"),
}
_ANALOG_SIZES = (4, 8, 24)
_LETTERS = {"fxo": "o", "fxs": "s"}
_LINE = tuple(SimLine.__dataclass_fields__)
_COUNTERS = tuple(SpanCounters.__dataclass_fields__)

CARDS_HINT = (
    'write such as "e1:4 fxo:4 fxs:8 ports:ooss": e1 has 1, 2, 4 or 8 ports; fxo, fxs and ports have 4, 8 or 24'
)
STEPS_HINT = (
    'say "alarm SPAN [red yellow …]", "port-alarm CHANNEL [red]", "count SPAN crc4_errors=3", "event CHANNEL ring", '
    '"line CHANNEL loop_db=6 delay_ms=12 noise_dbm0p=-65", '
    '"plug CARD POSITION", "pull POSITION" or "move POSITION TO"'
)


def cards(text: str) -> tuple[Blueprint, ...]:
    """Raises Refused."""
    made = tuple(card(word) for word in text.split())
    if len(made) > MOST_CARDS:
        raise Refused(f"{len(made)} cards; a simulated box holds up to {MOST_CARDS}", hint=CARDS_HINT)
    return made


def card(word: str) -> Blueprint:
    """One card: kind and number of ports, or with `ports` a letter a port: o = FXO, s = FXS, - = empty."""
    kind, _, size = word.partition(":")
    if kind == "ports" and len(size) in _ANALOG_SIZES and set(size) <= set("os-"):
        return analog(size)
    ports = int(size) if size.isascii() and size.isdigit() and len(size) <= 2 else 0
    if kind == "e1" and ports in _E1_MODELS:
        return e1(_E1_MODELS[ports][0], ports, family=_E1_MODELS[ports][1])
    if kind in _LETTERS and ports in _ANALOG_SIZES:
        return analog(_LETTERS[kind] * ports)
    raise Refused(f"{word!r} is no card", hint=CARDS_HINT)


def position(place: int) -> str:
    """Of the card in the slot `place`, from 0."""
    return f"pci:0000:05:{place:02x}.0"


def step(text: str) -> Step:
    """Raises Refused."""
    words = text.split()
    if made := _to_a_line(words) or _to_a_card(words):
        return made
    raise Refused(f"{text!r} is nothing that can happen to a simulated box", hint=STEPS_HINT)


def _to_a_line(words: list[str]) -> Step | None:
    match words:
        case ["alarm", span, *alarms] if set(alarms) <= set(Alarm):
            return Alarms(_number(span), frozenset(map(Alarm, alarms)))
        case ["port-alarm", channel, *alarms] if set(alarms) <= set(Alarm):
            return PortAlarms(_number(channel), frozenset(map(Alarm, alarms)))
        case ["count", span, *counts] if counts:
            return Counts(_number(span), SpanCounters(**dict(map(_count, counts))))
        case ["line", channel, *parts]:
            return Carries(_number(channel), SimLine(**dict(map(_part, parts))))
        case ["event", channel, event] if event in set(PortEvent):
            return Happens(_number(channel), PortEvent(event))
    return None


def _to_a_card(words: list[str]) -> Step | None:
    match words:
        case ["plug", blueprint, place]:
            return Plug(card(blueprint), place)
        case ["pull", place]:
            return Pull(place)
        case ["move", place, to]:
            return Move(place, to)
    return None


def _count(word: str) -> tuple[str, int]:
    name, _, number = word.partition("=")
    if name not in _COUNTERS:
        raise Refused(f"there is no counter {name!r}", hint=f"counters: {', '.join(_COUNTERS)}")
    return name, _number(number)


def _part(word: str) -> tuple[str, float]:
    name, _, value = word.partition("=")
    if name not in _LINE or not re.fullmatch(r"-?[0-9]{1,5}(\.[0-9]{1,6})?", value):
        raise Refused(f"{word!r} says nothing about a line", hint=f"such as loop_db=6; parts: {', '.join(_LINE)}")
    return name, float(value)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Refused(f"{text!r} is no number", hint=STEPS_HINT)
    return int(text)
