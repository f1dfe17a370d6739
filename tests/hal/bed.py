"""A umockdev test bed in this process: /sys, /dev and the kernel's uevents as our code sees them come from here.

Needs the preloaded library: `umockdev-wrapper python -m pytest tests/hal` (that is how `make check` calls it).
Everything below `root` is plain files that the test writes; uevents reach real libudev monitors.
"""

import contextlib
import ctypes
import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

Pointer = ctypes.c_void_p


def _library() -> ctypes.CDLL:
    if "libumockdev-preload" not in os.environ.get("LD_PRELOAD", ""):
        raise RuntimeError("run these tests as: umockdev-wrapper python -m pytest tests/hal (see tests/hal/bed.py)")
    library = ctypes.CDLL("libumockdev.so.0")
    library.umockdev_testbed_new.restype = Pointer
    library.umockdev_testbed_get_root_dir.argtypes = [Pointer]
    library.umockdev_testbed_get_root_dir.restype = ctypes.c_char_p
    library.umockdev_testbed_add_from_string.argtypes = [Pointer, ctypes.c_char_p, Pointer]
    library.umockdev_testbed_attach_ioctl.argtypes = [Pointer, ctypes.c_char_p, Pointer, Pointer]
    return library


@contextmanager
def _in_memory() -> Iterator[None]:
    """An E1 card is 130 devices of eight files: in memory that takes 0.1 s, on a busy disk some seconds."""
    before = os.environ.get("TMPDIR")
    if before is None and os.access("/dev/shm", os.W_OK):
        os.environ["TMPDIR"] = "/dev/shm"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("TMPDIR", None)


class Bed:
    """As long as it is open, this process sees nothing but what was put in. One at a time."""

    def __init__(self) -> None:
        self._sent = itertools.count(1)

    def __enter__(self) -> Self:
        self.library = _library()
        with _in_memory():
            self.pointer = Pointer(self.library.umockdev_testbed_new())
        self.root = Path(self.library.umockdev_testbed_get_root_dir(self.pointer).decode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ctypes.CDLL("libgobject-2.0.so.0").g_object_unref(self.pointer)

    @property
    def sys(self) -> Path:
        return self.root / "sys"

    def uevent(self, path: str, action: str) -> None:
        """`path` is below /sys/devices; the properties come from the device's file `uevent`.

        In the kernel's own words (lib/kobject_uevent.c) to each netlink socket that umockdev made a Unix one. Not by
        umockdev_testbed_uevent: Debian 12's aborts the process when a listener is slow or goes meanwhile. Here a
        listener that lets ten wait holds the kernel; it must not be of the same thread.
        """
        folder = self.sys / "devices" / path
        words = [
            f"{action}@/devices/{path}",
            f"ACTION={action}",
            f"DEVPATH=/devices/{path}",
            f"SUBSYSTEM={(folder / 'subsystem').readlink().name}",
            f"SEQNUM={next(self._sent)}",
            *(folder / "uevent").read_text().splitlines(),
        ]
        message = b"".join(f"{word}\0".encode() for word in words)
        for listener in self.root.glob("event*"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(30)
                with contextlib.suppress(ConnectionRefusedError, FileNotFoundError):  # it went meanwhile
                    sender.sendto(message, str(listener))

    def add_node(self, description: str) -> None:
        """A device with a node in /dev, in the words of umockdev-record."""
        if not self.library.umockdev_testbed_add_from_string(self.pointer, description.encode(), None):
            raise ValueError(f"umockdev does not take: {description}")
