"""/dev/watchdog0 in the test bed: ioctls and writes of the driver reach this, by umockdev's ioctl sockets.

The kernel disarms on close after the magic byte; umockdev shows writes and ioctls only, so it is done on the write.
"""

import ctypes
from collections.abc import Callable

from tests.hal.bed import Bed, Pointer

KEEPALIVE, SETTIMEOUT, GETTIMEOUT = 5, 6, 7
EINVAL = 22
Handler = ctypes.CFUNCTYPE(ctypes.c_int, Pointer, Pointer, Pointer)


class WatchdogDevice:
    def __init__(self, bed: Bed, *, options: int = 0x8180, nowayout: int = 0, own_s: int = 60) -> None:
        self.timeout_s, self.feeds, self.running = own_s, 0, False
        self.broken = False
        """Every ioctl fails with EIO."""
        self._bed, self._library = bed, bed.library
        facts = {
            "identity": "Software Watchdog",
            "state": "inactive",
            "timeout": str(own_s),
            "min_timeout": "1",
            "max_timeout": "600",
            "bootstatus": "0",
            "nowayout": str(nowayout),
            "options": f"{options:#x}",
        }
        text = "".join(f"A: {name}={value}\n" for name, value in facts.items())
        bed.add_node(
            "P: /devices/virtual/watchdog/watchdog0\nN: watchdog0\nE: DEVNAME=/dev/watchdog0\n"
            f"E: SUBSYSTEM=watchdog\nE: MAJOR=249\nE: MINOR=0\n{text}"
        )
        self._facts = bed.sys / "devices/virtual/watchdog/watchdog0"
        self._attach()

    def fact(self, name: str, value: str) -> None:
        (self._facts / name).write_text(f"{value}\n")

    def _attach(self) -> None:
        library, gobject = self._library, ctypes.CDLL("libgobject-2.0.so.0")
        library.umockdev_ioctl_base_new.restype = Pointer
        library.umockdev_ioctl_client_get_request.argtypes = [Pointer]
        library.umockdev_ioctl_client_get_request.restype = ctypes.c_ulong
        library.umockdev_ioctl_client_get_arg.argtypes = [Pointer]
        library.umockdev_ioctl_client_get_arg.restype = Pointer
        library.umockdev_ioctl_data_resolve.argtypes = [Pointer, ctypes.c_size_t, ctypes.c_size_t, Pointer]
        library.umockdev_ioctl_data_resolve.restype = Pointer
        library.umockdev_ioctl_data_retrieve.argtypes = [Pointer, Pointer, Pointer]
        library.umockdev_ioctl_data_update.argtypes = [
            Pointer,
            ctypes.c_size_t,
            ctypes.c_char_p,
            ctypes.c_int,
            Pointer,
        ]
        library.umockdev_ioctl_client_complete.argtypes = [Pointer, ctypes.c_long, ctypes.c_int]
        gobject.g_signal_connect_data.argtypes = [Pointer, ctypes.c_char_p, Handler, Pointer, Pointer, ctypes.c_int]
        base = library.umockdev_ioctl_base_new()
        # Kept: C calls them as long as the test bed lives.
        self._handlers = [self._handler(self._ioctl), self._handler(self._write)]
        gobject.g_signal_connect_data(base, b"handle-ioctl", self._handlers[0], None, None, 0)
        gobject.g_signal_connect_data(base, b"handle-write", self._handlers[1], None, None, 0)
        library.umockdev_testbed_attach_ioctl(self._bed.pointer, b"/dev/watchdog0", base, None)

    @staticmethod
    def _handler(function: Callable[[int], int]) -> object:
        return Handler(lambda base, client, data: function(client))

    def _data(self, holder: int) -> bytes:
        data, length = Pointer(), ctypes.c_int()
        self._library.umockdev_ioctl_data_retrieve(holder, ctypes.byref(data), ctypes.byref(length))
        return ctypes.string_at(data.value, length.value) if data.value else b""

    def _ioctl(self, client: int) -> int:
        number = self._library.umockdev_ioctl_client_get_request(client) & 0xFF
        argument = self._library.umockdev_ioctl_client_get_arg(client)
        memory = self._library.umockdev_ioctl_data_resolve(argument, 0, 4, None)
        value = int.from_bytes(self._data(memory), "little")
        self._running(True)
        if self.broken:
            self._library.umockdev_ioctl_client_complete(client, -1, 5)
            return 1
        if number == KEEPALIVE:
            self.feeds += 1
        elif number == SETTIMEOUT:
            self.timeout_s = value
            self.fact("timeout", str(value))
        if number in {SETTIMEOUT, GETTIMEOUT}:
            now = self.timeout_s.to_bytes(4, "little")
            self._library.umockdev_ioctl_data_update(memory, 0, now, 4, None)
        self._library.umockdev_ioctl_client_complete(client, 0, 0)
        return 1

    def _write(self, client: int) -> int:
        if b"V" in self._data(self._library.umockdev_ioctl_client_get_arg(client)):
            self._running(False)
        return 0

    def _running(self, running: bool) -> None:
        self.running = running
        self.fact("state", "active" if running else "inactive")
