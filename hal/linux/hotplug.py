"""Cards that come and go, told by udev (pyudev on the kernel's netlink socket)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pyudev

_SUBSYSTEMS = ("dahdi_devices", "dahdi_spans")
"""Channels follow their span: listening to them too would be 31 rings for one E1."""
_MOST_AT_ONCE = 1000


class UdevBell:
    """The kernel may ring faster than we listen; then its buffer overflows, which is a ring like any other. (So the
    buffer's size does not matter; setting it by pyudev raises a stale errno where libudev answers 1.)"""

    def __init__(self) -> None:
        self._ring = asyncio.Event()

    async def rung(self, within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                await self._ring.wait()
        except TimeoutError:
            return False
        self._ring.clear()
        return True

    def drain(self, monitor: pyudev.Monitor) -> None:
        for _ in range(_MOST_AT_ONCE):
            try:
                if monitor.poll(timeout=0) is None:
                    return
                self._ring.set()
            except OSError:  # ENOBUFS: events were lost; the ring tells to look anew
                self._ring.set()
                return


@contextlib.asynccontextmanager
async def listen() -> AsyncIterator[UdevBell]:
    context = pyudev.Context()
    # "kernel" and not "udev": our bell only says "look again", and no udevd need run where it is rung.
    monitor = pyudev.Monitor.from_netlink(context, source="kernel")
    for subsystem in _SUBSYSTEMS:
        monitor.filter_by(subsystem)
    monitor.start()
    bell, loop = UdevBell(), asyncio.get_running_loop()
    loop.add_reader(monitor.fileno(), bell.drain, monitor)
    try:
        yield bell
    finally:
        loop.remove_reader(monitor.fileno())
