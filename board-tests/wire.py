"""A connection to a program on the board: greeted first, then messages that all end alike."""

import socket
import time

LIMIT_S = 300.0
"""Of this machine's clock, on which the board may be much slower than on its own."""
CONNECT_S = 5.0
AGAIN_S = 0.2
"""Between connections that are refused: nothing tells when the program listens."""


class WireError(Exception):
    """The program is not there, or closed the connection."""


class Wire:
    """Reads only when asked to; nothing is lost meanwhile, the socket keeps it."""

    def __init__(self, address: tuple[str, int], who: str, *, greeting: bytes, end: bytes, limit_s: float) -> None:
        """Raises WireError when `who` does not greet in time."""
        self._who, self._end, self._data = who, end, b""
        self._socket = self._greeted(address, greeting, time.monotonic() + limit_s)

    def _greeted(self, address: tuple[str, int], greeting: bytes, deadline: float) -> socket.socket:
        """The emulator's port accepts at once, and closes again while nobody is behind it; a bench's refuses."""
        while time.monotonic() < deadline:
            try:
                connection = socket.create_connection(address, timeout=CONNECT_S)
            except OSError:
                time.sleep(AGAIN_S)
                continue
            try:
                if greeting in connection.recv(1024):
                    return connection
            except OSError:
                pass
            connection.close()
        raise WireError(f"{address[0]}:{address[1]}: {self._who} does not answer")

    def send(self, data: bytes) -> None:
        self._socket.settimeout(LIMIT_S)
        self._socket.sendall(data)

    def read(self, deadline: float) -> bytes | None:
        """The next message without its end; None when `deadline` (monotonic) passed before. Raises WireError."""
        while self._end not in self._data:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                return None
            if not data:
                raise WireError(f"{self._who} closed the connection")
            self._data += data
        message, _, self._data = self._data.partition(self._end)
        return message
