"""Hears what comes in on a DAHDI channel, whoever holds it: a pseudo channel that monitors it. Nobody notices."""

import asyncio
import contextlib
import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterator

from hal.errors import DeviceFailed, NotThere

PSEUDO = "/dev/dahdi/pseudo"
BLOCK_SAMPLES = 800
"""100 ms: what is handed over at a time."""
BUFFERS = 8
"""When nobody reads for so many blocks, the kernel drops what is oldest."""
MONITOR_RX = 1
# dahdi/user.h of dahdi-linux 3.4
_SET_LINEAR, _SET_BUFFERS = 0x4004DA28, 0x4018DA1B
_GET_CONFERENCE, _SET_CONFERENCE = 0xC00CDA0C, 0xC00CDA0D
_CONFERENCE = struct.Struct("3i")
"""struct dahdi_confinfo: channel (0: this one), the channel listened to, mode."""
_EVENT_WAITS = 500


@contextlib.contextmanager
def listening(channel: int, take: Callable[[bytes], None]) -> Iterator[Callable[[], bool]]:
    """While it lasts the running event loop calls `take` with what came: blocks of 16-bit samples at 8000 Hz.

    Answers a function that tells whether the channel is still listened to: when its card is pulled the kernel lets go
    without a word. Raises NotThere when there is no such channel, or no DAHDI.
    """
    handle = _open(channel)
    loop = asyncio.get_running_loop()

    def there() -> bool:
        _, number, mode = _CONFERENCE.unpack(fcntl.ioctl(handle, _GET_CONFERENCE, _CONFERENCE.pack(0, 0, 0)))
        return bool(number == channel and mode == MONITOR_RX)

    def ready() -> None:
        try:
            take(os.read(handle, 2 * BLOCK_SAMPLES))
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno != _EVENT_WAITS:
                loop.remove_reader(handle)

    loop.add_reader(handle, ready)
    try:
        yield there
    finally:
        loop.remove_reader(handle)
        os.close(handle)


def _open(channel: int) -> int:
    try:
        handle = os.open(PSEUDO, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        raise NotThere(f"{PSEUDO}: {error.strerror}", hint="is the dahdi module loaded?") from error
    try:
        fcntl.ioctl(handle, _SET_LINEAR, struct.pack("i", 1))
        fcntl.ioctl(handle, _SET_BUFFERS, struct.pack("6i", 0, 0, BUFFERS, BLOCK_SAMPLES, 0, 0))
        fcntl.ioctl(handle, _SET_CONFERENCE, _CONFERENCE.pack(0, channel, MONITOR_RX))
    except OSError as error:
        os.close(handle)
        if error.errno in {errno.EINVAL, errno.ENXIO, errno.ENODEV}:
            raise NotThere(f"there is no DAHDI channel {channel} to listen to", hint="is its card there?") from error
        raise DeviceFailed(f"listening to channel {channel}: {error}") from error
    return handle
