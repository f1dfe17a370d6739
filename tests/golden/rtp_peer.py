"""A peer that sends RTP packets at given times and notes what comes back. One JSON document in, one out.

Runs alone in the box's network (`nsenter`): standard library only.
in: {"port": own, "to": port at 127.0.0.1, "until_ms": …, "packets": […]}, out: […]
a packet: [at_ms, sequence, timestamp, payload type, payload in hex]
"""

import json
import selectors
import socket
import struct
import sys
import time

SSRC = 0x5A800


def main() -> None:
    job = json.load(sys.stdin)
    packets = sorted(job["packets"])
    heard: list[tuple[float, int, int, int, str]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer, selectors.DefaultSelector() as ready:
        peer.bind(("127.0.0.1", job["port"]))
        ready.register(peer, selectors.EVENT_READ)
        began = time.monotonic()
        while (now_ms := (time.monotonic() - began) * 1000) < job["until_ms"]:
            while packets and packets[0][0] <= now_ms:
                _, sequence, timestamp, kind, payload = packets.pop(0)
                header = struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, SSRC)
                peer.sendto(header + bytes.fromhex(payload), ("127.0.0.1", job["to"]))
            next_ms = packets[0][0] if packets else job["until_ms"]
            if ready.select(max(0.0, (next_ms - now_ms) / 1000)):
                data = peer.recv(2048)
                _, kind, sequence, timestamp, _ = struct.unpack("!BBHII", data[:12])
                at_ms = (time.monotonic() - began) * 1000
                heard.append((at_ms, sequence, timestamp, kind & 0x7F, data[12:].hex()))
    json.dump(heard, sys.stdout)


main()
