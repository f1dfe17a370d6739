"""/dev/watchdog0: its facts from /sys/class/watchdog (opening the device would start it), its verbs by ioctl.

Where systemd holds the device (RuntimeWatchdogSec=), start() is refused: then systemd feeds it and watches us.
"""

import asyncio
import fcntl
import os
from collections.abc import Set
from pathlib import Path

from hal.capabilities import Capability, require
from hal.errors import HalError, Refused
from hal.linux.attributes import as_hal_error
from hal.linux.sysfs import SYS, read_int, read_text
from hal.protocols.watchdog import WatchdogState

DEVICE = Path("/dev/watchdog0")
FACTS = SYS / "class/watchdog/watchdog0"

KEEPALIVE = 0x80045705
"""WDIOC_KEEPALIVE, _IOR('W', 5, int); the next two likewise (linux/watchdog.h)."""
SETTIMEOUT = 0xC0045706
GETTIMEOUT = 0x80045707
OPTION_SETTIMEOUT, OPTION_MAGICCLOSE = 0x80, 0x100
FIRED_CARDRESET = 0x20
MAGIC = b"V"


class KernelWatchdog:
    def __init__(self) -> None:
        """Blocking: reads what the device can do."""
        self._handle: int | None = None
        self.capabilities: Set[Capability] = _capabilities()

    async def state(self) -> WatchdogState:
        self._require(Capability.WATCHDOG)
        return await asyncio.to_thread(self._state)

    async def start(self, timeout_s: int | None) -> int:
        self._require(Capability.WATCHDOG)
        if timeout_s is not None:
            self._require(Capability.WATCHDOG_TIMEOUT)
        if self._handle is not None:
            raise Refused(f"{DEVICE} runs already")
        return await asyncio.to_thread(self._start, timeout_s)

    async def feed(self) -> None:
        self._require(Capability.WATCHDOG)
        await asyncio.to_thread(self._ioctl, self._running(), KEEPALIVE, 0)

    async def stop(self) -> None:
        self._require(Capability.WATCHDOG)
        handle = self._running()
        self._require(Capability.WATCHDOG_STOP)
        self._handle = None
        await asyncio.to_thread(self._stop, handle)

    def _require(self, wanted: Capability) -> None:
        require(wanted, self.capabilities, str(DEVICE) if self.capabilities else "this box")

    def _running(self) -> int:
        if self._handle is None:
            raise Refused(f"{DEVICE} does not run", hint="start it first")
        return self._handle

    def _state(self) -> WatchdogState:
        return WatchdogState(
            identity=read_text(FACTS / "identity") or "",
            running=read_text(FACTS / "state") == "active",
            timeout_s=read_int(FACTS / "timeout") or 0,
            fired=bool((read_int(FACTS / "bootstatus") or 0) & FIRED_CARDRESET),
        )

    def _start(self, timeout_s: int | None) -> int:
        # Asked before it is opened: an open watchdog runs, and not every one can be stopped again.
        least, most = read_int(FACTS / "min_timeout") or 1, read_int(FACTS / "max_timeout") or 0
        if timeout_s is not None and (timeout_s < least or (most and timeout_s > most)):
            raise Refused(f"{DEVICE} takes {least} to {most or 'any number of'} s, not {timeout_s}")
        try:
            handle = os.open(DEVICE, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            raise as_hal_error(error, f"opening {DEVICE}") from error
        try:
            if timeout_s is not None:
                self._ioctl(handle, SETTIMEOUT, timeout_s)
            in_force = self._ioctl(handle, GETTIMEOUT, 0)
        except HalError:
            self._stop(handle)
            raise
        self._handle = handle
        return in_force

    @staticmethod
    def _ioctl(handle: int, request: int, value: int) -> int:
        argument = bytearray(value.to_bytes(4, "little"))
        try:
            fcntl.ioctl(handle, request, argument, True)
        except OSError as error:
            raise as_hal_error(error, f"{DEVICE}: ioctl {request:#x} with {value}") from error
        return int.from_bytes(argument, "little")

    @staticmethod
    def _stop(handle: int) -> None:
        try:
            os.write(handle, MAGIC)
            os.close(handle)
        except OSError as error:
            raise as_hal_error(error, f"stopping {DEVICE}") from error


def _capabilities() -> Set[Capability]:
    options = read_int(FACTS / "options")
    if options is None:
        return frozenset()
    found = {Capability.WATCHDOG}
    if options & OPTION_SETTIMEOUT:
        found.add(Capability.WATCHDOG_TIMEOUT)
    if options & OPTION_MAGICCLOSE and read_int(FACTS / "nowayout") == 0:
        found.add(Capability.WATCHDOG_STOP)
    return frozenset(found)
