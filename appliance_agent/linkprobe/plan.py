"""What a probe does, and the bounds that both ends keep to. Pure."""

from dataclasses import dataclass

STREAMS = 30
"""Calls at the same time, at most."""
STEPS = 3
SECONDS = 60
"""Of all steps together, at most."""
PACKETS_PER_SECOND = 50
PACKET_MS = 20
PACKET_US = 20_000
"""Of G.711: 160 bytes, as calls have it."""
SOUND_BYTES = 160


@dataclass(frozen=True, slots=True)
class Step:
    streams: int
    seconds: int

    @property
    def packets(self) -> int:
        """Of each stream, in each direction."""
        return self.seconds * PACKETS_PER_SECOND


def refusal(steps: tuple[Step, ...]) -> str:
    """Why these steps may not be; "" when they may."""
    if not 1 <= len(steps) <= STEPS:
        return f"{len(steps)} steps; 1 to {STEPS} are possible"
    if any(not 1 <= step.streams <= STREAMS or step.seconds < 1 for step in steps):
        return f"a step has 1 to {STREAMS} calls and lasts a second or more"
    if sum(step.seconds for step in steps) > SECONDS:
        return f"{sum(step.seconds for step in steps)} s; {SECONDS} s in all are possible"
    return ""
