"""Sensors in /sys/class/hwmon: files <kind><n>_input, _label, _min, _max, _crit, in thousandths or in rpm."""

import asyncio
import re
from collections.abc import Iterator, Set
from pathlib import Path

from hal.capabilities import Capability, require
from hal.linux.sysfs import SYS, read_int, read_text
from hal.protocols.sensor import Reading, SensorKind

_KINDS = {
    "temp": (SensorKind.TEMPERATURE, 1000),
    "fan": (SensorKind.FAN, 1),
    "in": (SensorKind.VOLTAGE, 1000),
}
"""Prefix → kind, divisor."""


class Hwmon:
    def __init__(self) -> None:
        """Blocking: looks whether there are any."""
        self.capabilities: Set[Capability] = frozenset({Capability.SENSORS} if any(_inputs()) else ())

    async def read(self) -> tuple[Reading, ...]:
        require(Capability.SENSORS, self.capabilities, "this box")
        return await asyncio.to_thread(_read)


def _read() -> tuple[Reading, ...]:
    readings = [_reading(chip, prefix, number) for chip, prefix, number in _inputs()]
    return tuple(sorted(readings, key=lambda reading: (reading.chip, reading.kind, reading.label)))


def _inputs() -> Iterator[tuple[Path, str, str]]:
    """(chip's folder, temp|fan|in, number)"""
    for file in sorted((SYS / "class/hwmon").glob("hwmon*/*_input")):
        if found := re.fullmatch(r"(temp|fan|in)(\d+)_input", file.name):
            yield file.parent, found[1], found[2]


def _reading(chip: Path, prefix: str, number: str) -> Reading:
    kind, divisor = _KINDS[prefix]

    def value(what: str) -> float | None:
        raw = read_int(chip / f"{prefix}{number}_{what}")
        return None if raw is None else raw / divisor

    broken = read_int(chip / f"{prefix}{number}_fault") == 1
    return Reading(
        chip=read_text(chip / "name") or chip.name,
        label=read_text(chip / f"{prefix}{number}_label") or f"{prefix}{number}",
        kind=kind,
        value=None if broken else value("input"),
        low=value("min"),
        high=value("max"),
        critical=value("crit"),
    )
