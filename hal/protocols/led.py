"""Lights of the front panel."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Protocol

from hal.capabilities import Capability


@dataclass(frozen=True, slots=True)
class Steady:
    on: bool


@dataclass(frozen=True, slots=True)
class Blink:
    on_ms: int
    off_ms: int


Light = Steady | Blink
OFF, ON = Steady(False), Steady(True)
MOST_BLINK_MS = 10_000


class Led(Protocol):
    @property
    def name(self) -> str:
        """The kernel's: device:colour:function."""

    @property
    def capabilities(self) -> Set[Capability]:
        """LED, and LED_BLINK where it can."""

    async def show(self, light: Light) -> None:
        """Refused when a blink is not within 1 ms and 10 s."""
