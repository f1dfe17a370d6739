"""A cable that loses and delays: `python -m tests.proof.jitter.wire SEED FROM TO` carries frames between two links.

RTP that goes from FROM to TO meets the faults of SEED; all else goes through at once. Ends by SIGTERM, with its counts
as JSON on the last line. Runs in a namespace of its own, which has no addresses, so that nobody else answers there.
"""

import heapq
import json
import selectors
import signal
import socket
import sys
import time
from types import FrameType

from tests.proof.jitter.arrivals import IP, is_rtp
from tests.proof.jitter.faults import Faults
from tests.proof.jitter.urgent import urgently

ALL_FRAMES = 3
OUTGOING = 4
LONGEST_FRAME = 65536
MOST_WAITING = 1000
UDP = 17


def link(name: str) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_FRAMES))
    made.bind((name, 0))
    return made


def without_checksum(frame: bytes) -> bytes:
    """The other end's kernel leaves UDP's checksum to a card that is not there: none is checked (RFC 768)."""
    start = 14 + (frame[14] & 15) * 4 if frame[12:14] == IP and frame[23] == UDP else 0
    return frame[: start + 6] + bytes(2) + frame[start + 8 :] if start and len(frame) >= start + 8 else frame


class Wire:
    def __init__(self, seed: int, from_: str, to: str) -> None:
        self._from, self._to = link(from_), link(to)
        self._faults = Faults(seed)
        self._waiting: list[tuple[float, int, bytes]] = []
        self._is_over = False
        self.carried = self.lost = self.latest_ms = 0.0

    def stop(self, number: int, frame: FrameType | None) -> None:
        self._is_over = True

    def _take(self, end: socket.socket) -> None:
        frame, (_, _, kind, *_) = end.recvfrom(LONGEST_FRAME)
        if kind == OUTGOING:
            return
        frame = without_checksum(frame)
        if end is self._to:
            self._from.send(frame)
        elif is_rtp(frame):
            self._hold(frame)
        else:
            self._to.send(frame)

    def _hold(self, frame: bytes) -> None:
        self.carried += 1
        due_ms = self._faults.arrives_ms(time.monotonic() * 1000)
        if due_ms is None or len(self._waiting) >= MOST_WAITING:
            self.lost += 1
        else:
            heapq.heappush(self._waiting, (due_ms, int(self.carried), frame))

    def run(self) -> None:
        with selectors.DefaultSelector() as ready:
            for end in (self._from, self._to):
                ready.register(end, selectors.EVENT_READ, end)
            while not self._is_over:
                now_ms = time.monotonic() * 1000
                while self._waiting and self._waiting[0][0] <= now_ms:
                    due_ms, _, frame = heapq.heappop(self._waiting)
                    self.latest_ms = max(self.latest_ms, now_ms - due_ms)
                    self._to.send(frame)
                wait_s = (self._waiting[0][0] - now_ms) / 1000 if self._waiting else 0.2
                for key, _ in ready.select(max(wait_s, 0)):
                    self._take(key.data)
        counts = {"carried": self.carried, "lost": self.lost, "stalls": self._faults.stalls}
        print(json.dumps({**counts, "latest_ms": round(self.latest_ms, 2)}), flush=True)


def main(seed: str, from_: str, to: str) -> None:
    wire = Wire(int(seed), from_, to)
    signal.signal(signal.SIGTERM, wire.stop)
    urgently()
    print("ready", flush=True)
    wire.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
