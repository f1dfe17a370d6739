"""UDP sockets that tell when the kernel had a packet, whatever the processor was busy with then."""

import select
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from appliance_agent.linkprobe.door import Source

SO_TIMESTAMPNS = 35
SO_RXQ_OVFL = 40
"""Of asm-generic/socket.h; Python has no names for them."""
RECEIVE_BYTES = 1 << 21
"""Asked for, so that nothing is lost while calls have the processor; the kernel gives what it allows."""
MOST_DATAGRAM = 2048
OLDEST_US = 5_000_000
"""A stamp older than that was made by a clock that has been set since."""
_TIMESPEC = struct.Struct("@qq")


@dataclass(frozen=True, slots=True)
class Arrival:
    datagram: bytes
    source: Source
    socket: socket.socket
    at_us: int
    """Of `now_us`' clock."""
    missed: int
    """Datagrams of this socket, so far, for which it had no room, because nobody read."""


def now_us() -> int:
    return time.monotonic_ns() // 1000


def open_socket() -> socket.socket:
    """On a port of the kernel's choice."""
    return prepared(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))


def prepared(made: socket.socket) -> socket.socket:
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    for option in (SO_TIMESTAMPNS, SO_RXQ_OVFL):
        made.setsockopt(socket.SOL_SOCKET, option, 1)
    return made


def wait(sockets: Sequence[socket.socket], limit_us: int, *others: int) -> list[Any]:
    """Those that have something, at most so much later. `others`: file descriptors."""
    asked: list[Any] = [*sockets, *others]
    readable, _, _ = select.select(asked, [], [], max(limit_us, 0) / 1_000_000)
    return readable


def read(readable: socket.socket, most: int) -> Iterator[Arrival]:
    """What has come, at most so many. A word that something sent did not arrive (nobody has the port, or a firewall
    refuses it) is nothing that came."""
    for _ in range(most):
        try:
            datagram, ancillary, _, source = readable.recvmsg(MOST_DATAGRAM, 128)
        except OSError:  # nothing more, or such a word
            return
        told = {kind: data for level, kind, data in ancillary if level == socket.SOL_SOCKET}
        missed = int.from_bytes(told.get(SO_RXQ_OVFL, b""), sys.byteorder)
        yield Arrival(datagram, source, readable, _arrival_us(told.get(SO_TIMESTAMPNS)), missed)


def _arrival_us(stamp: bytes | None) -> int:
    if stamp is None:
        return now_us()
    seconds, nanoseconds = _TIMESPEC.unpack(stamp)
    age_us = time.time_ns() // 1000 - (seconds * 1_000_000 + nanoseconds // 1000)
    return now_us() - (age_us if 0 <= age_us <= OLDEST_US else 0)
