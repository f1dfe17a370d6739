"""The timer that restarts the box when nobody feeds it."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Protocol

from hal.capabilities import Capability


@dataclass(frozen=True, slots=True)
class WatchdogState:
    identity: str
    running: bool
    timeout_s: int
    fired: bool
    """The last start of the box was its doing."""


class Watchdog(Protocol):
    @property
    def capabilities(self) -> Set[Capability]: ...

    async def state(self) -> WatchdogState: ...

    async def start(self, timeout_s: int | None) -> int:
        """From now on the box restarts when `feed` stays away. Gives the timeout that the hardware took (s), which may
        differ from the one asked for; None takes the hardware's own. A timeout needs WATCHDOG_TIMEOUT.
        Refused when it runs already, or the timeout is outside what the hardware takes."""

    async def feed(self) -> None:
        """Refused when it does not run."""

    async def stop(self) -> None:
        """WATCHDOG_STOP. Without it: NotSupported, and the watchdog runs on. Refused when it does not run."""
