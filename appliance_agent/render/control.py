"""What apply asks of Asterisk. `appliance_agent.asterisk` has the real one behind an adapter."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from hal.setup.plan import LinePlan

Log = Callable[[str], None]


class AsteriskControl(Protocol):
    """Every verb is bounded by a time-out of the implementation's own (≤ 5 s unless said otherwise).

    Every verb raises kernel.errors.Fault of kind UNAVAILABLE when Asterisk does not answer in time or is not
    there. Nothing is retried in here: apply decides.
    """

    async def command(self, cli: str) -> str:
        """One CLI command of ours, such as `dialplan reload`; returns what Asterisk printed."""
        ...

    async def unload(self, module: str) -> None:
        """Asterisk lets go of all that the module (`chan_dahdi.so`) holds; one that is not loaded is no fault."""
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

    async def line_channels(self) -> Mapping[int, str]:
        """DAHDI's numbers of the channels that Asterisk serves → name of Asterisk's channel on it, "" when it is free.
        Only where chan_dahdi is loaded."""
        ...

    async def hang_up(self, channel: str) -> None:
        """Asks for the end of one channel; one that is gone already is no fault."""
        ...

    async def restart(self, *, limit_s: float) -> None:
        """Ends every call, starts Asterisk anew from the files that are current, and returns when it answers again.

        Raises Fault UNAVAILABLE when it does not within `limit_s` seconds.
        """
        ...


class LineSetup(Protocol):
    """Tells the cards what their lines are. `appliance_agent.system.lines` has the real one."""

    async def configure(self, plans: Sequence[LinePlan], log: Log) -> Mapping[str, str]:
        """Configures these lines anew, and no other; Asterisk must have let go of their channels. `log` is told each
        thing before it is done. Returns line → why it is not as planned; lines that are not there are passed over.

        Bounded; raises Fault UNAVAILABLE when the cards do not answer.
        """
        ...
