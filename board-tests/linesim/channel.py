"""One DAHDI channel of our own: hook, events, linear sound. Numbers are those of dahdi/user.h (dahdi-linux 3.4)."""

import errno
import fcntl
import os
import select
import struct
from enum import IntEnum

BLOCK = 160
"""Samples in one of the kernel's buffers: 20 ms."""
BUFFERS = 8
CODE, INT = 0xDA, struct.Struct("i")
PARAMS = struct.Struct("12i40s11iI")
SIGNALLING, FLASH, RX_FLASH = 3, 16, 19
"""Indices in PARAMS of `sigtype`, `flashtime` (of ours) and `rxflashtime` (of theirs), in ms."""
OUR_FLASH_MS = 250
"""As long as a telephone's key makes it; the kernel's own 750 ms is a hang-up to a box that takes 600 for the most."""
OURS_IS_FXS = 1 << 12
"""In a signalling: FXO signalling, as our end of a line into an FXO port has it."""
LAST_EVENT = 500
"""errno ELAST: nothing is read or written while an event waits."""


class Hook(IntEnum):
    ON = 0
    OFF = 1
    FLASH = 3
    RING = 5
    RING_OFF = 6


EVENTS = {1: "onhook", 2: "offhook", 3: "flash", 18: "ring"}
"""What tests wait for; on a telephone's channel `offhook` is the end of a ring."""


def _write(number: int, size: int = INT.size) -> int:
    """The request of an ioctl that takes something."""
    return 1 << 30 | size << 16 | CODE << 8 | number


SPECIFY, LINEAR, HOOK, FLUSH = _write(38), _write(40), _write(7), _write(3)
FLUSH_WRITE = 2
SET_BUFINFO, SET_PARAMS = _write(27, 24), _write(5, PARAMS.size)
GET_EVENT = 2 << 30 | INT.size << 16 | CODE << 8 | 8
GET_PARAMS = 3 << 30 | PARAMS.size << 16 | CODE << 8 | 5


class Channel:
    def __init__(self, number: int, flash_ms: int) -> None:
        """Raises OSError when there is no such channel or another program holds it.

        On a line an on-hook shorter than `flash_ms` is a flash; the kernel tells a longer one when that time is over.
        """
        self.number = number
        self._file = os.open("/dev/dahdi/channel", os.O_RDWR | os.O_NONBLOCK)
        for request, value in ((SPECIFY, number), (LINEAR, 1)):
            self._int(request, value)
        fcntl.ioctl(self._file, SET_BUFINFO, struct.pack("6i", 0, 0, BUFFERS, BLOCK, 0, 0))
        params = list(PARAMS.unpack(fcntl.ioctl(self._file, GET_PARAMS, bytes(PARAMS.size))))
        params[FLASH], params[RX_FLASH] = OUR_FLASH_MS, flash_ms
        self.late_s = flash_ms / 1000 if params[SIGNALLING] & OURS_IS_FXS else 0.0
        """How long ago an on-hook was when it is told."""
        fcntl.ioctl(self._file, SET_PARAMS, PARAMS.pack(*params))
        self._poll = select.poll()

    def _int(self, request: int, value: int) -> None:
        fcntl.ioctl(self._file, request, INT.pack(value))

    def hook(self, state: Hook) -> None:
        try:
            self._int(HOOK, state)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:  # its answer to us, who do not wait; it is under way
                raise

    def flush(self) -> None:
        """What was written and is not on the line yet never will be."""
        self._int(FLUSH, FLUSH_WRITE)

    def wait(self, limit_ms: float, *, room: bool) -> None:
        """Until there is an event, a block to read, or (if asked for) room to write."""
        self._poll.register(self._file, select.POLLPRI | select.POLLIN | (select.POLLOUT if room else 0))
        self._poll.poll(limit_ms)

    def event(self) -> str | None:
        """The next event that is one of EVENTS."""
        while number := INT.unpack(fcntl.ioctl(self._file, GET_EVENT, bytes(INT.size)))[0]:
            if name := EVENTS.get(number):
                return name
        return None

    def read(self) -> bytes:
        """One block of 16-bit samples, or nothing yet."""
        try:
            return os.read(self._file, 2 * BLOCK)
        except OSError as error:
            if error.errno in {errno.EAGAIN, LAST_EVENT}:
                return b""
            raise

    def write(self, block: bytes) -> int:
        """How many bytes of a block were taken; 0 when there is no room, or an event waits."""
        try:
            return os.write(self._file, block)
        except OSError as error:
            if error.errno in {errno.EAGAIN, LAST_EVENT}:
                return 0
            raise
