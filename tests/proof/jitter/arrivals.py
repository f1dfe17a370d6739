"""RTP in a pcap, and the log of arrivals that two of them make: what was sent, and what of it came when."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

IP = b"\x08\x00"
MEDIA = range(10000, 11000)
"""UDP ports of the box's media; RTP is at the even ones."""
PACKET_MS = 20
HEADER = struct.Struct("!BBHII")
FILE_HEADER, RECORD_HEADER = 24, 16
MICROSECONDS = b"\xd4\xc3\xb2\xa1"


@dataclass(frozen=True, slots=True)
class Rtp:
    at_s: float
    ssrc: int
    sequence: int
    timestamp: int
    payload: bytes


def is_rtp(frame: bytes) -> bool:
    """An Ethernet frame with media for the box."""
    if frame[12:14] != IP or len(frame) < 42 or frame[23] != 17:
        return False
    port = struct.unpack_from("!H", frame, 14 + (frame[14] & 15) * 4 + 2)[0]
    return port in MEDIA and port % 2 == 0


def rtp(data: bytes, at_s: float) -> Rtp | None:
    """What a datagram holds; None: it is no RTP of G.711."""
    if len(data) <= HEADER.size or data[0] != 0x80 or data[1] & 127 not in (0, 8):
        return None
    _, _, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    return Rtp(at_s, ssrc, sequence, timestamp, data[HEADER.size :])


def read(path: Path) -> Iterator[Rtp]:
    """Media for the box, as tcpdump wrote it."""
    raw = path.read_bytes()
    if raw[:4] != MICROSECONDS:
        raise ValueError(f"{path}: no pcap of microseconds, as tcpdump writes it here")
    at = FILE_HEADER
    while at + RECORD_HEADER <= len(raw):
        seconds, micros, length, _ = struct.unpack_from("<IIII", raw, at)
        frame = raw[at + RECORD_HEADER : at + RECORD_HEADER + length]
        at += RECORD_HEADER + length
        if is_rtp(frame) and (one := rtp(frame[14 + (frame[14] & 15) * 4 + 8 :], seconds + micros / 1e6)):
            yield one


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Packet by packet, in the order of sending: a log as `jitter file` reads it."""

    sent_ms: list[float]
    arrived_ms: list[float | None]
    """None: lost."""

    def write(self, path: Path) -> None:
        both = zip(self.sent_ms, self.arrived_ms, strict=True)
        path.write_text("".join(f"{sent:g} {'lost' if came is None else format(came, '.2f')}\n" for sent, came in both))

    @classmethod
    def read(cls, path: Path) -> "Arrivals":
        words = [line.split() for line in path.read_text().splitlines()]
        return cls([float(sent) for sent, _ in words], [None if came == "lost" else float(came) for _, came in words])

    @property
    def lost_pct(self) -> float:
        return 100 * sum(came is None for came in self.arrived_ms) / len(self.arrived_ms)


def longest_stream(path: Path) -> list[Rtp]:
    streams: dict[int, list[Rtp]] = {}
    for one in read(path):
        streams.setdefault(one.ssrc, []).append(one)
    if not streams:
        raise ValueError(f"{path}: no RTP to UDP {MEDIA.start}-{MEDIA.stop - 1}")
    return max(streams.values(), key=len)


def _places(stream: list[Rtp]) -> list[int]:
    """Which packet of the call each is."""
    return [((one.timestamp - stream[0].timestamp) % 2**32) // (8 * PACKET_MS) for one in stream]


def arrivals(stream: list[Rtp], came: Path) -> Arrivals:
    """What was sent, packet by packet, as it came: as if each had been sent when it was spoken, every 20 ms.

    What the exchange's program was late is left out: a machine that is busy with other things is no network.
    """
    there: dict[int, float] = {}
    for one in read(came):
        if one.ssrc == stream[0].ssrc:
            there.setdefault(one.sequence, one.at_s)
    spoken_ms = [float(place * PACKET_MS) for place in _places(stream)]
    way_ms = [(at - one.at_s) * 1000 if (at := there.get(one.sequence)) is not None else None for one in stream]
    return Arrivals(
        spoken_ms, [None if way is None else spoken + way for spoken, way in zip(spoken_ms, way_ms, strict=True)]
    )
