"""What DAHDI refused: which request, on what, why, and what to do."""

import errno
import os

READ_OR_WRITE_EVENT = 500
"""ELAST of DAHDI: an event waits and must be taken first."""

_HINTS = {
    errno.ENOENT: "DAHDI's modules are not loaded",
    errno.ENODEV: "the card was pulled: probe again",
    errno.ENXIO: "it is not configured, or not there: configure it, or probe again",
    errno.EBUSY: "a program has it open, or it is doing something else: take it out of service first",
    errno.EACCES: "the user is not in the group of the device files",
    errno.EPERM: "the user is not in the group of the device files",
    errno.EINVAL: "there is no such channel or span, or it cannot be that",
    errno.ENOSYS: "its driver cannot do that",
    errno.ENOTTY: "its driver cannot do that",
    errno.ENODATA: "no tone zone is loaded: run dahdi_cfg with loadzone",
    errno.ETIMEDOUT: "nothing came within the time",
    READ_OR_WRITE_EVENT: "an event waits: take it first",
}


class DahdiError(OSError):
    """`errno`, the request by DAHDI's name, and where: "channel 5", "span 2", "the control file"."""

    def __init__(self, number: int, request: str, where: str) -> None:
        self.request, self.where, self.hint = request, where, _HINTS.get(number, "")
        reason = "an event waits" if number == READ_OR_WRITE_EVENT else os.strerror(number)
        super().__init__(number, f"{request} on {where}: {reason}" + (f" ({self.hint})" if self.hint else ""))


def done(result: int, request: str, where: str) -> int:
    """The core's answer; -errno becomes a DahdiError."""
    if result < 0:
        raise DahdiError(-result, request, where)
    return result
