"""A packet of a stream: RTP as a call has it, G.711 of 20 ms; where its sound would be stand times and a code. Pure.

With the time at which it was sent comes the last time that was received from there, so that each end learns how long a
packet is on its way there and back, and each that the other one hears it.
"""

import hmac
import struct
from dataclasses import dataclass
from random import Random

from appliance_agent.linkprobe.plan import SECONDS, SOUND_BYTES
from appliance_agent.linkprobe.wire import CODE_BYTES, End, code

ALAW = 8
_RTP = struct.Struct("!BBHII")
_TIMES = struct.Struct("!QIQI")
_FILL = Random(8000).randbytes(SOUND_BYTES - _TIMES.size - CODE_BYTES)
"""A line that compresses gains as little from it as from voices."""
BYTES = _RTP.size + SOUND_BYTES
LATEST_US = SECONDS * 1_000_000
"""Who is later than that has none of the probe left."""
CLOCK_US = 1 << 53
"""285 years: no clock of a box stands there."""


@dataclass(frozen=True, slots=True)
class Packet:
    step: int
    stream: int
    sequence: int
    """From 0, of this stream in this step."""
    sent_us: int
    """By the sender's clock."""
    late_us: int
    """So much after its time."""
    echo_us: int
    """`sent_us` of the last packet received on this stream; 0: none came yet."""
    held_us: int
    """How long ago that was."""


def packed(packet: Packet, key: bytes, end: End) -> bytes:
    source = packet.step << 8 | packet.stream
    data = (
        _RTP.pack(0x80, ALAW, packet.sequence, packet.sequence * SOUND_BYTES, source)
        + _TIMES.pack(packet.sent_us, min(packet.late_us, LATEST_US), packet.echo_us, min(packet.held_us, 0xFFFFFFFF))
        + _FILL
    )
    return data + code(key, end, data)


def parsed(datagram: bytes, key: bytes, end: End) -> Packet | None:
    """What `end` sent; None for anything else, and for times that cannot be."""
    if len(datagram) != BYTES or datagram[0] != 0x80:
        return None
    if not hmac.compare_digest(datagram[-CODE_BYTES:], code(key, end, datagram[:-CODE_BYTES])):
        return None
    _, _, sequence, _, source = _RTP.unpack_from(datagram)
    packet = Packet(source >> 8, source & 0xFF, sequence, *_TIMES.unpack_from(datagram, _RTP.size))
    return packet if packet.sent_us < CLOCK_US and packet.late_us <= LATEST_US else None
