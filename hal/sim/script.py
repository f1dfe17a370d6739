"""Steps of a script for the simulated box."""

from dataclasses import dataclass

from hal.protocols.sensor import Reading
from hal.protocols.voice import Alarm, PortEvent, SpanCounters
from hal.sim.cards import Blueprint
from hal.sim.line import SimLine


@dataclass(frozen=True, slots=True)
class Plug:
    blueprint: Blueprint
    position: str


@dataclass(frozen=True, slots=True)
class Pull:
    position: str


@dataclass(frozen=True, slots=True)
class Move:
    position: str
    to: str


@dataclass(frozen=True, slots=True)
class Alarms:
    span: int
    """DAHDI's number."""
    alarms: frozenset[Alarm]


@dataclass(frozen=True, slots=True)
class PortAlarms:
    channel: int
    alarms: frozenset[Alarm]
    """RED on an FXO port: no line is plugged in."""


@dataclass(frozen=True, slots=True)
class Counts:
    span: int
    counters: SpanCounters
    """As they stand from now on."""


@dataclass(frozen=True, slots=True)
class Happens:
    channel: int
    event: PortEvent


@dataclass(frozen=True, slots=True)
class Carries:
    channel: int
    line: SimLine
    """What its line does from now on to what is sent on it."""


@dataclass(frozen=True, slots=True)
class Measures:
    reading: Reading


Step = Plug | Pull | Move | Alarms | PortAlarms | Counts | Happens | Carries | Measures
