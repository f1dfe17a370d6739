"""A leg from the network that comes together with a line in the middle of its call gets the jitter buffer.

The dialplan gives it to calls that begin so; an attended transfer, or an analog set in a queue, runs no dialplan on the
other leg. While the agent is away such a leg stays without.
"""

import structlog

from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import BridgeEntered
from appliance_agent.calls.live_model import LiveState
from appliance_agent.calls.live_service import LiveCalls
from appliance_agent.kernel.bus import Bus, Gap
from appliance_agent.kernel.errors import Fault

log = structlog.get_logger()

EVENT_LIMIT = 20_000
LINE, NETWORK = "DAHDI/", "PJSIP/"


def joined(state: LiveState, event: BridgeEntered) -> list[str]:
    """Names of the channels from the network that are in one bridge with a line now. Pure."""
    legs = (leg for call in state.calls.values() for leg in call.legs if leg.bridge == event.bridge)
    names = {event.channel.name, *(leg.channel.name for leg in legs)}
    if not any(name.startswith(LINE) for name in names):
        return []
    return sorted(name for name in names if name.startswith(NETWORK))


class LineJoins:
    name = "line joins"

    def __init__(self, link: Link, bus: Bus, live: LiveCalls) -> None:
        self._link, self._bus, self._live = link, bus, live

    async def run(self) -> None:
        with self._bus.subscribe(BridgeEntered, limit=EVENT_LIMIT) as events:
            async for event in events:
                if not isinstance(event, Gap):
                    for channel in joined(self._live.state, event):
                        await self._turn_on(channel)

    async def _turn_on(self, channel: str) -> None:
        """Where it is on already, that does nothing."""
        fields = [("Channel", channel), ("Variable", "SA_JITTER()"), ("Value", "on")]
        try:
            await self._link.ami.action("Setvar", fields)
        except Fault as fault:  # it ended, or Asterisk is away, or has no such module: that is an alarm of its own
            log.info("no jitter buffer", channel=channel, reason=fault.message)
