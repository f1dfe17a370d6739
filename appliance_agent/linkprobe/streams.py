"""The streams of one end: sent each at its time, what comes is heard; the same at both ends.

One thread does it all. Each stream has a phase of its own in the 20 ms, as calls have: thirty packets at once would ask
more of the link than thirty calls.
"""

import contextlib
import heapq
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from appliance_agent.linkprobe.door import Source
from appliance_agent.linkprobe.hearing import Hearing
from appliance_agent.linkprobe.plan import PACKET_US, Step
from appliance_agent.linkprobe.sockets import Arrival, now_us, read, wait
from appliance_agent.linkprobe.sound import Packet, packed, parsed
from appliance_agent.linkprobe.wire import End

READ_AT_ONCE = 64
MOST_READ = 500
"""Datagrams in 20 ms: what comes faster than thirty streams ever could is left to the kernel, which drops it."""
AHEAD = 25
"""Packets that may go where nobody has shown yet that he hears them."""
ECHOED = 256
"""Packets: five seconds, longer than any way there and back."""
SILENCE_US = 3_000_000
"""A stream from which nothing came for so long is not sent any more."""


@dataclass(slots=True)
class Way:
    """Where a stream goes, and what came from there; it stays for all steps."""

    socket: socket.socket
    address: Source | None
    """None: the socket is connected."""
    proved: bool
    """Who is there hears us: a time came back that was sent there."""
    told_us: deque[int] = field(default_factory=lambda: deque(maxlen=ECHOED))
    """Those times, until then."""
    received: int = 0
    last_us: int = 0
    """When something came last."""
    echo_us: int = 0
    """The sender's time that stood in it."""


@dataclass(slots=True)
class Talk:
    step: int
    stream: int
    packets: int
    next_us: int
    sequence: int = 0


class Streams:
    def __init__(self, key: bytes, end: End, steps: Sequence[Step]) -> None:
        self.ways: dict[int, Way] = {}
        self.hearings = [Hearing(number, step) for number, step in enumerate(steps)]
        self.least_rtt_us: int | None = None
        self.last_heard_us = now_us()
        """When something came last that the far end has sent."""
        self._key, self._end, self._steps = key, end, steps
        self._far = End.ANSWERER if end is End.CALLER else End.CALLER
        self._due: list[tuple[int, int, Talk]] = []
        self._talks: set[tuple[int, int]] = set()
        self._began_us = self._worked_us = self._emptied_us = now_us()
        """Since it began, since the last work, and until when all that came has been read."""
        self._read = 0
        self._missed: dict[socket.socket, int] = {}

    @property
    def talking(self) -> bool:
        return bool(self._due)

    def begin(self, step: int, stream: int, at_us: int) -> None:
        """Sends this stream, once."""
        if (step, stream) not in self._talks:
            self._talks.add((step, stream))
            talk = Talk(step, stream, self._steps[step].packets, at_us)
            heapq.heappush(self._due, (at_us, stream, talk))

    def end_talks(self) -> None:
        self._due.clear()

    def round(self, sockets: Sequence[socket.socket], other: Callable[[Arrival], None], *files: int) -> bool:
        """Sends what is due, takes what comes within the next 20 ms or until a packet is due. `other`: gets what is no
        sound. False: one of the files has something (or has ended)."""
        now = now_us()
        while self._due and self._due[0][0] <= now:
            self._send(heapq.heappop(self._due)[2])
            now = now_us()
        if now - self._worked_us >= PACKET_US:
            self._worked_us, self._read = now, 0
            for hearing in self.hearings:
                hearing.work(self._emptied_us)
        until = min(self._due[0][0] if self._due else now + PACKET_US, self._worked_us + PACKET_US)
        all_ = self._read < MOST_READ
        for readable in wait(sockets if all_ else (), until - now, *files):
            if isinstance(readable, int):
                return False
            count = self._read_from(readable, other)
            self._read += count
            all_ = all_ and count < READ_AT_ONCE
        if all_:
            self._emptied_us = now
        return True

    def _read_from(self, readable: socket.socket, other: Callable[[Arrival], None]) -> int:
        arrivals = list(read(readable, READ_AT_ONCE))
        for arrival in arrivals:
            packet = parsed(arrival.datagram, self._key, self._far)
            if packet is None:
                other(arrival)
            else:
                self._take(packet, arrival)
        return len(arrivals)

    def _send(self, talk: Talk) -> None:
        way, now = self.ways[talk.stream], now_us()
        if now - max(way.last_us, self._began_us) > SILENCE_US and way.received:
            return
        if way.proved or talk.sequence - way.received < AHEAD:
            held_us = now - way.last_us if way.echo_us else 0
            late_us = now - talk.next_us
            packet = Packet(talk.step, talk.stream, talk.sequence, now, late_us, way.echo_us, held_us)
            datagram = packed(packet, self._key, self._end)
            with contextlib.suppress(OSError):  # no route, a full queue: it is lost, as a call's would be
                if way.address is None:
                    way.socket.send(datagram)
                else:
                    way.socket.sendto(datagram, way.address)
            talk.sequence += 1
            if not way.proved:
                way.told_us.append(now)
        talk.next_us += PACKET_US
        if talk.sequence < talk.packets:
            heapq.heappush(self._due, (talk.next_us, talk.stream, talk))

    def _take(self, packet: Packet, arrival: Arrival) -> None:
        if packet.step >= len(self._steps) or packet.stream >= self._steps[packet.step].streams:
            return
        way = self.ways.get(packet.stream)
        if way is None:  # who answers learns here where a stream comes from
            way = self.ways[packet.stream] = Way(arrival.socket, arrival.source, proved=False)
        if way.address is not None and way.address != arrival.source:
            return
        way.received += 1
        way.last_us, way.echo_us = arrival.at_us, packet.sent_us
        self.last_heard_us = arrival.at_us
        way.proved = way.proved or packet.echo_us in way.told_us
        if way.proved and packet.echo_us:
            rtt_us = arrival.at_us - packet.echo_us - packet.held_us
            if rtt_us >= 0:
                self.least_rtt_us = min(rtt_us, self.least_rtt_us if self.least_rtt_us is not None else rtt_us)
        hearing = self.hearings[packet.step]
        # A door's socket is older than the probe: what nobody read before is not this probe's.
        hearing.missed += arrival.missed - self._missed.get(arrival.socket, arrival.missed)
        self._missed[arrival.socket] = arrival.missed
        hearing.take(packet, arrival.at_us)
        if self._end is End.ANSWERER:
            self.begin(packet.step, packet.stream, arrival.at_us)
