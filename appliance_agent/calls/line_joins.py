"""A leg from the network that comes together with a line in the middle of its call gets the jitter buffer.

The dialplan gives it to calls that begin so; an attended transfer, or an analog set in a queue, runs no dialplan on the
other leg. While the agent is away such a leg waits for it.
"""

import structlog

from appliance_agent.asterisk.link import Link
from appliance_agent.calls.live_model import BridgeJoined, LiveState
from appliance_agent.calls.live_service import LiveCalls
from appliance_agent.kernel.bus import Bus, Gap
from appliance_agent.kernel.errors import Fault

log = structlog.get_logger()

EVENT_LIMIT = 20_000
LINE, NETWORK = "DAHDI/", "PJSIP/"


def beside_a_line(state: LiveState, bridge: str) -> list[str]:
    """Names of the channels from the network that are in this bridge with a line now. Pure."""
    names = [leg.channel.name for call in state.calls.values() for leg in call.legs if leg.bridge == bridge]
    if not any(name.startswith(LINE) for name in names):
        return []
    return sorted(name for name in names if name.startswith(NETWORK))


class LineJoins:
    name = "line joins"

    def __init__(self, link: Link, bus: Bus, live: LiveCalls) -> None:
        self._link, self._bus, self._live = link, bus, live

    async def run(self) -> None:
        with self._bus.subscribe(BridgeJoined, limit=EVENT_LIMIT) as events:
            async for event in events:
                if not isinstance(event, Gap):
                    for channel in beside_a_line(self._live.state, event.bridge):
                        await self._turn_on(channel)

    async def _turn_on(self, channel: str) -> None:
        """Where it is on already, that does nothing."""
        fields = [("Channel", channel), ("Variable", "SA_JITTER()"), ("Value", "on")]
        try:
            await self._link.ami.action("Setvar", fields)
        except Fault as fault:  # it ended, or Asterisk is away, or has no such module: that is an alarm of its own
            log.info("no jitter buffer", channel=channel, reason=fault.message)
