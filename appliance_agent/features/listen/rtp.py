"""RTP as Asterisk sends it to us: one packet's bytes → what the jitter buffer asks for. Pure."""

from dataclasses import dataclass

ALAW = 8
"""Its payload type (RFC 3551)."""
HEADER_BYTES = 12


@dataclass(frozen=True, slots=True)
class Packet:
    sequence: int
    timestamp: int
    payload: bytes


def parse(data: bytes) -> Packet | None:
    """None for what is no A-law in RTP version 2, or cut short."""
    if len(data) < HEADER_BYTES or data[0] >> 6 != 2 or data[1] & 0x7F != ALAW:
        return None
    start = HEADER_BYTES + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:  # an extension: its length in words stands behind its first two bytes
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    # Padded: the last byte says by how much.
    end = len(data) - (data[-1] if data[0] & 0x20 else 0)
    if start >= end:
        return None
    return Packet(int.from_bytes(data[2:4], "big"), int.from_bytes(data[4:8], "big"), data[start:end])
