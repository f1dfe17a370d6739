"""Lights in /sys/class/leds. Blinking is the kernel's timer trigger: it goes on when we do not."""

import asyncio
from collections.abc import Set
from pathlib import Path

from hal.capabilities import Capability, require
from hal.errors import Refused
from hal.linux.attributes import write_text
from hal.linux.sysfs import SYS, read_int, read_text
from hal.protocols.led import MOST_BLINK_MS, Blink, Light


class SysfsLed:
    def __init__(self, place: Path) -> None:
        self.name = place.name
        self._place = place
        triggers = (read_text(place / "trigger") or "").replace("[", "").replace("]", "").split()
        blinks = {Capability.LED_BLINK} if "timer" in triggers else set()
        self.capabilities: Set[Capability] = frozenset({Capability.LED} | blinks)

    async def show(self, light: Light) -> None:
        if isinstance(light, Blink):
            require(Capability.LED_BLINK, self.capabilities, f"LED {self.name}", hint="show it steady")
            if not (1 <= light.on_ms <= MOST_BLINK_MS and 1 <= light.off_ms <= MOST_BLINK_MS):
                raise Refused(f"LED {self.name}: {light} is not within 1 and {MOST_BLINK_MS} ms")
        await asyncio.to_thread(self._show, light)

    def _show(self, light: Light) -> None:
        if isinstance(light, Blink):
            write_text(self._place / "trigger", "timer")
            write_text(self._place / "delay_on", str(light.on_ms))
            write_text(self._place / "delay_off", str(light.off_ms))
        else:
            write_text(self._place / "trigger", "none")
            brightest = read_int(self._place / "max_brightness") or 1
            write_text(self._place / "brightness", str(brightest if light.on else 0))


def find() -> tuple[SysfsLed, ...]:
    """Blocking. In the order of their names."""
    try:
        return tuple(SysfsLed(place) for place in sorted((SYS / "class/leds").iterdir()))
    except OSError:
        return ()
