"""A log of arrivals as real RTP: the same packets at the same moments into several calls; what comes out of each."""

import gc
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from tests.proof.jitter.arrivals import HEADER, PACKET_MS, Arrivals, Rtp, rtp
from tests.proof.jitter.urgent import urgently

PAYLOAD = 160
ALAW = 8
SO_TIMESTAMPNS = 35
LINGER_S = 2.0
"""After the last packet: what a buffer still holds."""


def udp(address: str) -> socket.socket:
    """With the kernel's own time of each packet that comes."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    made.bind((address, 0))
    made.settimeout(0.2)
    return made


@dataclass(slots=True)
class Leg:
    """One call through the box: `into` is the telephone far away, `out` the line."""

    name: str
    into: socket.socket
    out: socket.socket
    heard: list[Rtp] = field(default_factory=list)

    @classmethod
    def of(cls, name: str, address: str) -> "Leg":
        return cls(name, udp(address), udp(address))

    def close(self) -> None:
        self.into.close()
        self.out.close()


def receive(leg: Leg, over: threading.Event) -> None:
    while not over.is_set():
        try:
            data, extra, _, _ = leg.out.recvmsg(2048, 64)
        except TimeoutError:
            continue
        seconds, nanoseconds = struct.unpack("qq", extra[0][2][:16])
        if (one := rtp(data, seconds + nanoseconds * 1e-9)) is not None:
            leg.heard.append(one)


@dataclass(frozen=True, slots=True)
class Played:
    begun_s: float
    """Wall clock of the log's 0 ms."""
    late_ms: list[float]
    """Of each packet: how much later than the log says it was sent, to the last of the calls."""


def send(
    arrivals: Arrivals, speech: bytes, to: dict[socket.socket, tuple[str, int]], reordered: socket.socket | None
) -> Played:
    """Each packet to all, when the log says; `reordered`: a call in which neighbours have changed their sound."""
    urgently()
    order = sorted((came, number) for number, came in enumerate(arrivals.arrived_ms) if came is not None)
    begun, begun_s = time.monotonic() + 0.1, time.time() + 0.1
    late = []
    for came_ms, number in order:
        ahead = begun + came_ms / 1000 - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)  # until the packet's time: this is a clock, nothing is waited for
        place = round(arrivals.sent_ms[number]) // PACKET_MS
        header = HEADER.pack(0x80, ALAW, place % 65536, place * PAYLOAD, 1)
        for one, address in to.items():
            said = place ^ 1 if one is reordered else place
            one.sendto(header + speech[said * PAYLOAD : (said + 1) * PAYLOAD], address)
        late.append((time.monotonic() - begun) * 1000 - came_ms)
    return Played(begun_s, late)


def replay(
    arrivals: Arrivals, speech: bytes, legs: list[Leg], to: dict[str, tuple[str, int]], reordered: str
) -> Played:
    """`to`: the box's address of each leg, by name. What came out is in `leg.heard`."""
    over = threading.Event()
    hearing = [threading.Thread(target=receive, args=(leg, over), name=f"hear {leg.name}") for leg in legs]
    done: list[Played] = []

    def sending() -> None:
        wrong = next((leg.into for leg in legs if leg.name == reordered), None)
        done.append(send(arrivals, speech, {leg.into: to[leg.name] for leg in legs}, wrong))

    gc.disable()
    try:
        for thread in hearing:
            thread.start()
        sender = threading.Thread(target=sending, name="send")
        sender.start()
        sender.join()
        over.wait(LINGER_S)  # nothing sets it: what the buffers still hold comes out meanwhile
    finally:
        over.set()
        for thread in hearing:
            thread.join()
        gc.enable()
    return done[0]
