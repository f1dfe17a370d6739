"""Temperatures, fans and voltages."""

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hal.capabilities import Capability


class SensorKind(StrEnum):
    TEMPERATURE = "temperature"
    """°C"""
    FAN = "fan"
    """revolutions a minute"""
    VOLTAGE = "voltage"
    """V"""


@dataclass(frozen=True, slots=True)
class Reading:
    chip: str
    """The driver's name of the chip: coretemp, nct6775."""
    label: str
    """What it measures, in the driver's words: "Package id 0", "fan1"."""
    kind: SensorKind
    value: float | None
    """In the unit of the kind; None when the sensor is broken or does not answer."""
    low: float | None = None
    """Limits as the chip knows them; None when it has none."""
    high: float | None = None
    critical: float | None = None


class Sensors(Protocol):
    @property
    def capabilities(self) -> Set[Capability]: ...

    async def read(self) -> tuple[Reading, ...]:
        """All of them, in the order of chip, kind and label. SENSORS."""
