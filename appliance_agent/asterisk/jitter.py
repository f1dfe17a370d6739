"""What our jitter buffer says of itself (`SA_JITTER(stats)`, docs/jitter-buffer.md), converted at the door."""

from dataclasses import dataclass

from appliance_agent.asterisk.ami import Ami
from appliance_agent.asterisk.models import ChannelRow
from appliance_agent.kernel.errors import Fault

STATS = "SA_JITTER(stats)"


@dataclass(frozen=True, slots=True)
class JitterStats:
    """Counted since the buffer was put on the channel, but for the delay."""

    ticks: int
    """Blocks of 20 ms that were asked for."""
    concealed_ms: int
    delay_ms: float
    """From a packet's arrival to its sound, now."""

    @classmethod
    def parse(cls, text: str) -> "JitterStats | None":
        """A line `key=value,key=value…`; keys we do not need are left out. None: it is none (no buffer there)."""
        pairs = (pair.partition("=") for pair in text.split(","))
        values = {key: value for key, _, value in pairs}
        try:
            return cls(int(values["ticks"]), int(values["concealed_ms"]), float(values["delay_ms"]))
        except (KeyError, ValueError):
            return None


async def has_buffer(ami: Ami) -> bool:
    """Whether this Asterisk has the function: to read one that it has not fills its log. Fault(UNAVAILABLE)."""
    try:
        await ami.command("core show function SA_JITTER")
    except Fault as fault:
        if fault.key == "asterisk.refused":
            return False
        raise
    return True


async def all_stats(ami: Ami) -> dict[str, JitterStats]:
    """Unique id → counts, of every channel with a buffer; one question for all. Fault as Ami.list_action."""
    rows = await ami.list_action("Status", [("Variables", STATS)])
    channels = (ChannelRow.from_ami(row) for row in rows if row.event == "Status")
    found = ((row.channel.uniqueid, JitterStats.parse(row.variables.get(STATS, ""))) for row in channels)
    return {uniqueid: stats for uniqueid, stats in found if stats is not None}
