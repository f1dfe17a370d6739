"""The real box, put together."""

import asyncio
from collections.abc import Set
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from hal.capabilities import Capability
from hal.detect.detect import detect
from hal.linux import hotplug, leds
from hal.linux.console import SerialConsole
from hal.linux.power import SYSTEMD_RUNS, Systemd
from hal.linux.sensors import Hwmon
from hal.linux.sysfs import read_view
from hal.linux.voice import SysfsModule
from hal.linux.watchdog import KernelWatchdog
from hal.model.inventory import Card, Inventory
from hal.protocols.box import Bell

DRIVER: type[SysfsModule]
"""Of telephone cards."""
try:
    from hal.linux.dahdi import DahdiModule
except ImportError:  # without the compiled part: it can still look
    DRIVER = SysfsModule
else:
    DRIVER = DahdiModule


class LinuxBox:
    capabilities: Set[Capability] = frozenset({Capability.HOT_PLUG})

    def __init__(
        self,
        systemctl: str = "systemctl",
        systemd_runs: Path = SYSTEMD_RUNS,
        driver: type[SysfsModule] = DRIVER,
    ) -> None:
        """The parameters are for tests: nothing but the box's own systemd may ever be asked to restart it."""
        self._driver = driver
        self.console = SerialConsole()
        self._systemctl, self._systemd_runs = systemctl, systemd_runs
        self._watchdog: KernelWatchdog | None = None

    async def inventory(self) -> Inventory:
        return detect(await asyncio.to_thread(read_view))

    def hot_plug(self) -> AbstractAsyncContextManager[Bell]:
        return hotplug.listen()

    def voice(self, card: Card) -> SysfsModule:
        return self._driver(card)

    async def leds(self) -> tuple[leds.SysfsLed, ...]:
        return await asyncio.to_thread(leds.find)

    async def watchdog(self) -> KernelWatchdog:
        """Always the same one: it holds the open device."""
        if self._watchdog is None:
            self._watchdog = await asyncio.to_thread(KernelWatchdog)
        return self._watchdog

    async def sensors(self) -> Hwmon:
        return await asyncio.to_thread(Hwmon)

    async def power(self) -> Systemd:
        return await asyncio.to_thread(Systemd, self._systemctl, self._systemd_runs)
