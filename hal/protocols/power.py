"""Restarting and switching off the whole box."""

from collections.abc import Set
from typing import Protocol

from hal.capabilities import Capability


class Power(Protocol):
    @property
    def capabilities(self) -> Set[Capability]: ...

    async def reboot(self, reason: str) -> None:
        """REBOOT. Returns when the system has begun to stop its services. The reason is one line, for the log."""

    async def power_off(self, reason: str) -> None:
        """POWER_OFF."""


MOST_REASON = 200
"""Characters."""
