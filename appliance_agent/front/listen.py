"""Where the front listens: sockets handed over by systemd (or the lab's supervisor), else an address of its own."""

import os
import socket
from collections.abc import Mapping

FIRST_FD = 3
BACKLOG = 512


def inherited(environment: Mapping[str, str]) -> list[socket.socket]:
    """sd_listen_fds(3): connections wait in these sockets while the front is restarted. Empty when there are none."""
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(environment.get("LISTEN_FDS", "0"))
    sockets = [socket.socket(fileno=fd) for fd in range(FIRST_FD, FIRST_FD + count)]
    for sock in sockets:
        sock.setblocking(False)
    return sockets


def bound(host: str, port: int) -> socket.socket:
    """Raises OSError when the address is not ours or the port is taken."""
    sock = socket.create_server((host, port), backlog=BACKLOG)
    sock.setblocking(False)
    return sock


def is_loopback(sock: socket.socket) -> bool:
    """Only there is plain HTTP allowed: browsers give the microphone to https and to loopback addresses alone."""
    host = str(sock.getsockname()[0])
    return host.startswith("127.") or host == "::1"
