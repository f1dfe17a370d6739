"""Serial ports by pyserial, driven by the event loop."""

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator, Set

import serial

from hal.capabilities import Capability
from hal.errors import DeviceFailed, NotThere, Refused, TimedOut
from hal.linux.attributes import as_hal_error
from hal.protocols.console import MOST_WAITING_BYTES

_AT_ONCE = 4096


class SerialConsole:
    capabilities: Set[Capability] = frozenset({Capability.CONSOLE})

    @contextlib.asynccontextmanager
    async def open(self, port: str, baud: int) -> AsyncIterator["SerialLine"]:
        device = await asyncio.to_thread(_open, port, baud)
        line = SerialLine(port, device.fileno())
        loop = asyncio.get_running_loop()
        loop.add_reader(device.fileno(), line.take)
        try:
            yield line
        finally:
            loop.remove_reader(device.fileno())
            loop.remove_writer(device.fileno())
            await asyncio.to_thread(device.close)


def _open(port: str, baud: int) -> serial.Serial:
    try:
        return serial.Serial(port, baud, timeout=0, write_timeout=0, exclusive=True)
    except serial.SerialException as error:
        if error.errno in {errno.EAGAIN, errno.EWOULDBLOCK, errno.EBUSY}:
            raise Refused(f"{port} is open elsewhere") from error
        raise NotThere(f"{port}: {error}", hint="see which ports there are in /dev/serial/by-path") from error
    except ValueError as error:
        raise Refused(f"{port} does not take {baud} baud") from error


class SerialLine:
    def __init__(self, port: str, handle: int) -> None:
        self._port, self._handle = port, handle
        self._waiting = bytearray()
        self._came = asyncio.Event()
        self._lost: OSError | None = None

    def take(self) -> None:
        """The event loop calls it when there is something to read."""
        try:
            data = os.read(self._handle, _AT_ONCE)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error)
            return
        if data:
            self._waiting += data
            if len(self._waiting) > MOST_WAITING_BYTES:  # nobody reads: what is oldest goes
                del self._waiting[: len(self._waiting) - MOST_WAITING_BYTES]
            self._came.set()
        else:
            self._end(OSError(errno.EIO, "the other side is gone"))

    def _end(self, error: OSError) -> None:
        self._lost = error
        self._came.set()
        asyncio.get_running_loop().remove_reader(self._handle)

    async def read_until(self, end: bytes, within_s: float) -> bytes:
        if not end:
            raise Refused("reading until nothing: say what ends the text")
        try:
            async with asyncio.timeout(within_s):
                while (found := self._waiting.find(end)) < 0:
                    await self._more(end)
        except TimeoutError:
            tail = bytes(self._waiting[-80:])
            raise TimedOut(f"{self._port}: no {end!r} within {within_s} s; what came ends with {tail!r}") from None
        text = bytes(self._waiting[: found + len(end)])
        del self._waiting[: found + len(end)]
        return text

    async def _more(self, end: bytes) -> None:
        if self._lost:
            raise as_hal_error(self._lost, f"reading {self._port}")
        if len(self._waiting) >= MOST_WAITING_BYTES:
            raise DeviceFailed(f"{self._port}: {MOST_WAITING_BYTES} bytes came without {end!r}")
        self._came.clear()
        await self._came.wait()

    async def write(self, data: bytes, within_s: float) -> None:
        left = memoryview(data)
        try:
            async with asyncio.timeout(within_s):
                while left:
                    left = left[await self._some(left) :]
        except TimeoutError:
            raise TimedOut(f"{self._port}: {len(left)} of {len(data)} bytes not taken within {within_s} s") from None

    async def _some(self, data: memoryview) -> int:
        try:
            return os.write(self._handle, data)
        except BlockingIOError:
            await self._writable()
            return 0
        except OSError as error:
            raise as_hal_error(error, f"writing to {self._port}") from error

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_writer(self._handle, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(self._handle)
