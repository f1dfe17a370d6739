"""The box as a whole."""

from collections.abc import Set
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from hal.capabilities import Capability
from hal.model.inventory import Card, Inventory
from hal.protocols.console import Console
from hal.protocols.led import Led
from hal.protocols.power import Power
from hal.protocols.sensor import Sensors
from hal.protocols.voice import VoiceModule
from hal.protocols.watchdog import Watchdog


class Bell(Protocol):
    """Rings when cards or spans came or went. What did is found by probing again."""

    async def rung(self, within_s: float) -> bool:
        """Waits for the next ring; rings that came since the last call count as one. False: none within the time."""


class Box(Protocol):
    @property
    def capabilities(self) -> Set[Capability]:
        """Of the box itself: HOT_PLUG. Its parts declare their own."""

    async def inventory(self) -> Inventory:
        """Probes anew."""

    def hot_plug(self) -> AbstractAsyncContextManager[Bell]:
        """HOT_PLUG. Changes from the entry on ring."""

    def voice(self, card: Card) -> VoiceModule: ...

    async def leds(self) -> tuple[Led, ...]:
        """In the order of their names."""

    async def watchdog(self) -> Watchdog: ...

    async def sensors(self) -> Sensors: ...

    @property
    def console(self) -> Console: ...

    async def power(self) -> Power: ...
