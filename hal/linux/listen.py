"""Hears a DAHDI channel in three places, whoever holds it: pseudo channels that monitor it. Nobody notices."""

import asyncio
import contextlib
import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from enum import IntEnum

from hal.errors import DeviceFailed, NotThere

PSEUDO = "/dev/dahdi/pseudo"
BLOCK_SAMPLES = 800
"""100 ms: what is handed over at a time."""
BUFFERS = 8
"""When nobody reads for so many blocks, the kernel drops what is oldest."""
# dahdi/user.h of dahdi-linux 3.4
_SET_LINEAR, _SET_BUFFERS = 0x4004DA28, 0x4018DA1B
_GET_CONFERENCE, _SET_CONFERENCE = 0xC00CDA0C, 0xC00CDA0D
_CONFERENCE = struct.Struct("3i")
"""struct dahdi_confinfo: channel (0: this one), the channel listened to, mode."""
_EVENT_WAITS = 500


class Place(IntEnum):
    """Where one listens: modes of struct dahdi_confinfo."""

    HEARD = 1
    """What the channel's owner hears."""
    SAID = 2
    """What its owner says."""
    LINE = 10
    """What the line brings, before the kernel's echo canceller has changed it. While none is at work: silence, or one
    and the same millisecond over and over. Last, because to listen anywhere else takes it away (see `listening`)."""


Take = Callable[[Place, bytes], None]


@contextlib.contextmanager
def listening(channel: int, take: Take) -> Iterator[Callable[[], bool]]:
    """While it lasts the running event loop calls `take` with what came: blocks of 16-bit samples at 8000 Hz.

    Answers a function to be called about once a second. It tells whether the channel is still listened to: when its
    card is pulled the kernel lets go without a word. And it asks for the line anew: the kernel forgets that when the
    channel's owner closes it, or anybody monitors it elsewhere. Both raise NotThere when there is no such channel, or
    no DAHDI.
    """
    with contextlib.ExitStack() as opened:
        ears = {place: opened.enter_context(_ear(channel, place, take)) for place in Place}

        def there() -> bool:
            if any(_monitored(ear) != (channel, place) for place, ear in ears.items()):
                return False
            _monitor(ears[Place.LINE], channel, Place.LINE)
            return True

        yield there


@contextlib.contextmanager
def _ear(channel: int, place: Place, take: Take) -> Iterator[int]:
    """Its file."""
    try:
        handle = os.open(PSEUDO, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        raise NotThere(f"{PSEUDO}: {error.strerror}", hint="is the dahdi module loaded?") from error
    loop = asyncio.get_running_loop()

    def ready() -> None:
        try:
            take(place, os.read(handle, 2 * BLOCK_SAMPLES))
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno != _EVENT_WAITS:
                loop.remove_reader(handle)

    try:
        fcntl.ioctl(handle, _SET_LINEAR, struct.pack("i", 1))
        fcntl.ioctl(handle, _SET_BUFFERS, struct.pack("6i", 0, 0, BUFFERS, BLOCK_SAMPLES, 0, 0))
        _monitor(handle, channel, place)
        loop.add_reader(handle, ready)
        yield handle
    finally:
        loop.remove_reader(handle)
        os.close(handle)


def _monitored(ear: int) -> tuple[int, int]:
    """The channel, and the place."""
    _, number, mode = _CONFERENCE.unpack(fcntl.ioctl(ear, _GET_CONFERENCE, _CONFERENCE.pack(0, 0, 0)))
    return number, mode


def _monitor(ear: int, channel: int, place: Place) -> None:
    try:
        fcntl.ioctl(ear, _SET_CONFERENCE, _CONFERENCE.pack(0, channel, place))
    except OSError as error:
        if error.errno in {errno.EINVAL, errno.ENXIO, errno.ENODEV}:
            raise NotThere(f"there is no DAHDI channel {channel} to listen to", hint="is its card there?") from error
        raise DeviceFailed(f"listening to channel {channel}: {error}") from error
