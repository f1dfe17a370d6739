"""Errors of the hardware layer. Each says what happened, to which device, and what to do."""


class HalError(Exception):
    """The root: something about the hardware did not go as asked."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message if not hint else f"{message}: {hint}")
        self.message = message
        self.hint = hint
        """What a person can do about it."""


class NotSupported(HalError):
    """This backend declares that it cannot do this; asking again will not help."""


class NotThere(HalError):
    """The device was pulled, or never was there."""


class DeviceFailed(HalError):
    """The device is there and answered with an error of the operating system."""


class Refused(HalError):
    """The value asked for is outside what the device takes, or does not fit the state it is in."""


class TimedOut(HalError):
    """The bounded wait ended before what was awaited."""


class NamesDamaged(HalError):
    """The file with the names of the lines cannot be read; it was left as it is."""


class NamesTooNew(HalError):
    """The file with the names of the lines was written by a newer release; it was left as it is."""
