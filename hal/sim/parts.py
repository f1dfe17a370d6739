"""LEDs, watchdog, sensors, console and power of the simulated box."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Set
from dataclasses import dataclass, field

from hal.capabilities import Capability, require
from hal.errors import DeviceFailed, NotThere, Refused, TimedOut
from hal.protocols.console import MOST_WAITING_BYTES
from hal.protocols.led import MOST_BLINK_MS, OFF, Blink, Light
from hal.protocols.power import MOST_REASON
from hal.protocols.sensor import Reading
from hal.protocols.watchdog import WatchdogState


class SimLed:
    def __init__(self, name: str, lacks: Set[Capability]) -> None:
        self.name = name
        self.capabilities: Set[Capability] = frozenset({Capability.LED, Capability.LED_BLINK}) - lacks
        self.light: Light = OFF

    async def show(self, light: Light) -> None:
        require(Capability.LED, self.capabilities, f"LED {self.name}")
        if isinstance(light, Blink):
            require(Capability.LED_BLINK, self.capabilities, f"LED {self.name}", hint="show it steady")
            if not (1 <= light.on_ms <= MOST_BLINK_MS and 1 <= light.off_ms <= MOST_BLINK_MS):
                raise Refused(f"LED {self.name}: {light} is not within 1 and {MOST_BLINK_MS} ms")
        self.light = light


class SimWatchdog:
    LEAST_S, MOST_S, OWN_S = 1, 600, 60

    def __init__(self, lacks: Set[Capability]) -> None:
        can = {Capability.WATCHDOG, Capability.WATCHDOG_TIMEOUT, Capability.WATCHDOG_STOP}
        self.capabilities: Set[Capability] = frozenset() if Capability.WATCHDOG in lacks else frozenset(can) - lacks
        self.running = False
        self.timeout_s = self.OWN_S
        self.unfed_s = 0.0
        self.feeds = 0
        self.fired = False

    def pass_time(self, seconds: float) -> None:
        """Test verb. Unfed for longer than its timeout, it restarts the box: it stands still and has fired."""
        self.unfed_s += seconds if self.running else 0
        if self.unfed_s > self.timeout_s:
            self.running, self.fired, self.unfed_s = False, True, 0.0

    async def state(self) -> WatchdogState:
        self._require(Capability.WATCHDOG)
        return WatchdogState("simulated", self.running, self.timeout_s, self.fired)

    async def start(self, timeout_s: int | None) -> int:
        self._require(Capability.WATCHDOG)
        if timeout_s is not None:
            self._require(Capability.WATCHDOG_TIMEOUT)
            if not self.LEAST_S <= timeout_s <= self.MOST_S:
                raise Refused(f"the watchdog takes {self.LEAST_S} to {self.MOST_S} s, not {timeout_s}")
        if self.running:
            raise Refused("the watchdog runs already")
        self.timeout_s = self.timeout_s if timeout_s is None else timeout_s
        self.running, self.unfed_s = True, 0.0
        return self.timeout_s

    async def feed(self) -> None:
        self._require_running()
        self.feeds += 1
        self.unfed_s = 0.0

    async def stop(self) -> None:
        self._require_running()
        self._require(Capability.WATCHDOG_STOP)
        self.running = False

    def _require(self, wanted: Capability) -> None:
        require(wanted, self.capabilities, "the watchdog" if self.capabilities else "this box")

    def _require_running(self) -> None:
        self._require(Capability.WATCHDOG)
        if not self.running:
            raise Refused("the watchdog does not run", hint="start it first")


class SimSensors:
    def __init__(self, lacks: Set[Capability]) -> None:
        self.capabilities: Set[Capability] = frozenset({Capability.SENSORS}) - lacks
        self.readings: list[Reading] = []

    async def read(self) -> tuple[Reading, ...]:
        require(Capability.SENSORS, self.capabilities, "this box")
        return tuple(sorted(self.readings, key=lambda reading: (reading.chip, reading.kind, reading.label)))


@dataclass
class SimSerial:
    """One serial port and what hangs on its other end."""

    sent: bytearray = field(default_factory=bytearray)
    """What the box wrote."""
    waiting: bytearray = field(default_factory=bytearray)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    is_open: bool = False
    takes: bool = True
    """Test verb: False, and the other end takes no more bytes."""
    gone: bool = False

    def say(self, data: bytes) -> None:
        """Test verb: the other end sends."""
        self.waiting += data
        del self.waiting[: max(0, len(self.waiting) - MOST_WAITING_BYTES)]
        self.came.set()

    def hang_up(self) -> None:
        """Test verb: the other end is gone."""
        self.gone = True
        self.came.set()

    async def write(self, data: bytes, within_s: float) -> None:
        if self.gone:
            raise DeviceFailed("the other side is gone")
        if data and not self.takes:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await asyncio.Event().wait()
            raise TimedOut(f"{len(data)} of {len(data)} bytes not taken within {within_s} s")
        self.sent += data

    async def read_until(self, end: bytes, within_s: float) -> bytes:
        if not end:
            raise Refused("reading until nothing: say what ends the text")
        try:
            async with asyncio.timeout(within_s):
                while (found := self.waiting.find(end)) < 0:
                    await self._more(end)
        except TimeoutError:
            raise TimedOut(f"no {end!r} within {within_s} s") from None
        text = bytes(self.waiting[: found + len(end)])
        del self.waiting[: found + len(end)]
        return text

    async def _more(self, end: bytes) -> None:
        if self.gone:
            raise DeviceFailed("the other side is gone")
        if len(self.waiting) >= MOST_WAITING_BYTES:
            raise DeviceFailed(f"{MOST_WAITING_BYTES} bytes came without {end!r}")
        self.came.clear()
        await self.came.wait()


class SimConsole:
    def __init__(self, lacks: Set[Capability]) -> None:
        self.capabilities: Set[Capability] = frozenset({Capability.CONSOLE}) - lacks
        self.ports: dict[str, SimSerial] = {}

    @contextlib.asynccontextmanager
    async def open(self, port: str, baud: int) -> AsyncIterator[SimSerial]:
        require(Capability.CONSOLE, self.capabilities, "this box")
        if port not in self.ports:
            raise NotThere(f"there is no {port}", hint=f"there are {', '.join(self.ports) or 'none'}")
        line = self.ports[port]
        if baud <= 0 or line.is_open:
            raise Refused(f"{port} is open elsewhere" if line.is_open else f"{port} does not take {baud} baud")
        line.is_open = True
        try:
            yield line
        finally:
            line.is_open = False


class SimPower:
    def __init__(self, lacks: Set[Capability]) -> None:
        self.capabilities: Set[Capability] = frozenset({Capability.REBOOT, Capability.POWER_OFF}) - lacks
        self.asked: list[tuple[Capability, str]] = []

    async def reboot(self, reason: str) -> None:
        self._ask(Capability.REBOOT, reason)

    async def power_off(self, reason: str) -> None:
        self._ask(Capability.POWER_OFF, reason)

    def _ask(self, what: Capability, reason: str) -> None:
        require(what, self.capabilities, "this box")
        if not reason.isprintable() or not 0 < len(reason) <= MOST_REASON:
            raise Refused(f"a reason is one line of up to {MOST_REASON} characters, not {reason!r}")
        self.asked.append((what, reason))
