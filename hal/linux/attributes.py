"""Writes attributes of /sys and tells what the kernel said. Blocking: call it in a thread."""

import errno
import os
from pathlib import Path

from hal.errors import DeviceFailed, HalError, NotThere, Refused

_GONE = {errno.ENOENT, errno.ENODEV, errno.ENXIO}


def write_text(path: Path, text: str) -> None:
    """One write, as sysfs wants it. NotThere, Refused or DeviceFailed, with the path and the value."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(handle, text.encode())
        finally:
            os.close(handle)
    except OSError as error:
        raise as_hal_error(error, f"writing {text!r} to {path}") from error


def as_hal_error(error: OSError, doing: str) -> HalError:
    words = f"{doing}: {error.strerror or error}"
    if error.errno in _GONE:
        return NotThere(words, hint="probe again: the device is gone")
    if error.errno in {errno.EINVAL, errno.EBUSY}:
        return Refused(words)
    if error.errno in {errno.EACCES, errno.EPERM}:
        return DeviceFailed(words, hint="the program's user may not do this")
    return DeviceFailed(words)
