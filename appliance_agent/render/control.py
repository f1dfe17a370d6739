"""What apply asks of Asterisk. `appliance_agent.asterisk` has the real one behind an adapter."""

from typing import Protocol


class AsteriskControl(Protocol):
    """Every verb is bounded by a time-out of the implementation's own (≤ 5 s unless said otherwise).

    Every verb raises kernel.errors.Fault of kind UNAVAILABLE when Asterisk does not answer in time or is not
    there. Nothing is retried in here: apply decides.
    """

    async def command(self, cli: str) -> str:
        """One CLI command of ours, such as `dialplan reload`; returns what Asterisk printed."""
        ...

    async def active_calls(self) -> int:
        """Calls that a restart of Asterisk would end (calls, not channels)."""
        ...

    async def endpoints(self) -> set[str]:
        """Names of the PJSIP endpoints that Asterisk has loaded."""
        ...

    async def queues(self) -> set[str]:
        """Names of the queues of app_queue."""
        ...

    async def contexts(self) -> set[str]:
        """Names of the dialplan's contexts."""
        ...

    async def restart(self, *, limit_s: float) -> None:
        """Ends every call, starts Asterisk anew from the files that are current, and returns when it answers again.

        Raises Fault UNAVAILABLE when it does not within `limit_s` seconds.
        """
        ...
