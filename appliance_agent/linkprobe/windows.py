"""What one direction was like in one second: what both ends keep, and what a report carries. Pure."""

import struct
from dataclasses import astuple, dataclass
from typing import Self

from appliance_agent.linkprobe.plan import PACKET_MS, PACKETS_PER_SECOND, Step

_PACKED = struct.Struct("!BBBxHHHIIqqIIIH")
BYTES = _PACKED.size


@dataclass(frozen=True, slots=True)
class Window:
    """Of all streams of a step together. Times of the network are the difference of two clocks that know nothing of
    each other: only how they change means something."""

    step: int
    second: int
    """Of the step's media, from 0."""
    streams: int
    expected: int
    """Packets."""
    lost: int
    """Did not come."""
    bursts: int
    """Runs of lost packets."""
    concealed_ms: int
    """Sound that was made up, because nothing was there in time."""
    buffer_ms: int
    """What the jitter buffers delayed, summed over the streams."""
    transit_us: int
    """From sending to arrival, the median."""
    least_transit_us: int
    jitter_us: int
    """Mean difference between the transits of two packets that came one after the other."""
    late_us: int
    """The sender's own jitter: mean delay of its packets behind their time, which is taken off all other times here."""
    latest_us: int
    """The same, the worst."""
    missed: int
    """Of the lost ones, those that came and were not read in time: the receiving box was busy."""

    def fits(self, number: int, second: int, step: Step) -> bool:
        """Whether it can be the one of this second of the step: a peer may say anything."""
        packets = step.streams * PACKETS_PER_SECOND
        there = (self.step, self.second, self.streams, self.expected) == (number, second, step.streams, packets)
        counted = max(self.bursts, self.missed) <= self.lost <= packets
        return there and counted and self.concealed_ms <= packets * PACKET_MS

    def packed(self) -> bytes:
        return _PACKED.pack(*astuple(self))

    @classmethod
    def parsed(cls, data: bytes) -> Self:
        """`BYTES` of data."""
        return cls(*_PACKED.unpack(data))
