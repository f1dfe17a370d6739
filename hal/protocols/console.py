"""Serial lines: the console of a board on the bench, a modem."""

from collections.abc import Set
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from hal.capabilities import Capability


class Line(Protocol):
    async def write(self, data: bytes, within_s: float) -> None:
        """Returns when the last byte was taken. TimedOut when the other side takes none."""

    async def read_until(self, end: bytes, within_s: float) -> bytes:
        """Up to and with `end`; what came after it is kept for the next call. TimedOut keeps all that came.
        Refused when `end` is empty; DeviceFailed when 64 KiB came without it."""


class Console(Protocol):
    @property
    def capabilities(self) -> Set[Capability]: ...

    def open(self, port: str, baud: int) -> AbstractAsyncContextManager[Line]:
        """CONSOLE. NotThere when there is no such port, Refused when somebody else has it open."""


MOST_WAITING_BYTES = 64 * 1024
