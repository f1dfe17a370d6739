"""A call's two sides as frames of 20 ms: RTP in, a jitter buffer each, one clock out.

It all runs on the agent's loop: docs/adr/0027-live-listening.md says what that costs and why it is enough.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping

from appliance_agent.asterisk.taps import Side
from appliance_agent.features.listen import rtp

TICK_US = 20_000
PAYLOAD_BYTES = 160
"""Of the 20 ms that Asterisk sends in a packet; a length that no buffer takes is none of its packets."""
MOST_BEHIND_US = 500_000
"""A loop that was held up for longer begins anew with what sounds now."""
HOST = "127.0.0.1"


def now_us() -> int:
    """The clock of arrivals and of ticks."""
    return time.monotonic_ns() // 1000


class Ear(asyncio.DatagramProtocol):
    """One side."""

    def __init__(self) -> None:
        # Here, because an agent without the compiled part has calls to look after, too.
        from voicecore.g711 import Law  # noqa: PLC0415
        from voicecore.jitter import JitterBuffer  # noqa: PLC0415

        self.buffer = JitterBuffer(Law.ALAW)
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.port = int(transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: object) -> None:
        packet = rtp.parse(data)
        if packet is not None and len(packet.payload) == PAYLOAD_BYTES:
            self.buffer.put(packet.sequence, packet.timestamp, packet.payload, now_us())


@contextlib.asynccontextmanager
async def ears() -> AsyncIterator[Mapping[Side, Ear]]:
    """Both, each at a port of its own."""
    made: dict[Side, Ear] = {}
    with contextlib.ExitStack() as stack:
        for side in Side:
            transport, made[side] = await asyncio.get_running_loop().create_datagram_endpoint(Ear, (HOST, 0))
            stack.callback(transport.close)
        yield made


async def tick(made: Mapping[Side, Ear], take: Callable[[bytes], None]) -> None:
    """Until cancelled. A frame is 20 ms of what the party said, then 20 ms of what they heard, 16 bits a sample. Ticks
    that came late are made up for at once."""
    left, right = made[Side.SAID].buffer, made[Side.HEARD].buffer
    due_us = now_us()
    while True:
        due_us, ticks = owed(due_us, now_us())
        for _ in range(ticks):
            take(left.get(due_us) + right.get(due_us))
            due_us += TICK_US
        await asyncio.sleep((due_us - now_us()) / 1e6)


def owed(due_us: int, at_us: int) -> tuple[int, int]:
    """When the next tick was due, and how many are by now."""
    if at_us - due_us > MOST_BEHIND_US:
        due_us = at_us
    return due_us, max(0, (at_us - due_us) // TICK_US + 1)
