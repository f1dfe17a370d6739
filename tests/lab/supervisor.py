"""PID 1 of a box in the lab: plays systemd for the same unit files. Runs on the root's Python, standard library only.

One thread, one selector: children, notifications (READY=1), a control socket for tests, timers. SIGTERM stops all.
Usage: python3 -m tests.lab.supervisor UNIT_FOLDER UNIT… [--listen UNIT=FD]
"""

import argparse
import contextlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any

from tests.lab.service import Service, State
from tests.lab.unitfile import Unit, UnitError, load

HOME = Path("/run/sa800-lab")
LOGS = Path("/var/log/sa800")
LOG_LIMIT_BYTES = 64 * 1024 * 1024
TICK_S = 1.0
CREDENTIALS = struct.Struct("3i")


class Supervisor:
    def __init__(self, units: list[Unit], listening: dict[str, int]) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        HOME.mkdir(parents=True, exist_ok=True)
        self.services = {
            unit.name: Service(unit, LOGS / f"{unit.name}.log", str(HOME / "notify"), listening.get(unit.name))
            for unit in units
        }
        self.ending = False
        self._selector = selectors.DefaultSelector()
        self._open_signals()
        self._open_sockets()

    def _open_signals(self) -> None:
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        os.set_blocking(reader, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self._selector.register(reader, selectors.EVENT_READ, self._on_signal)
        self._signals = reader

    def _open_sockets(self) -> None:
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        for one, name, mode in ((self._notify, "notify", 0o777), (self._control, "control", 0o600)):
            (HOME / name).unlink(missing_ok=True)
            one.bind(str(HOME / name))
            (HOME / name).chmod(mode)
        self._control.listen(16)
        self._selector.register(self._notify, selectors.EVENT_READ, self._on_notify)
        self._selector.register(self._control, selectors.EVENT_READ, self._on_control)

    def run(self) -> None:
        while not (self.ending and all(not service.alive for service in self.services.values())):
            now = time.monotonic()
            self._advance(now)
            limits = [service.wake_at for service in self.services.values() if service.wake_at is not None]
            wait = max(0.0, min([TICK_S, *(at - now for at in limits)]))
            for key, _ in self._selector.select(wait):
                key.data()
            self._trim_logs()

    def _advance(self, now: float) -> None:
        for service in self.services.values():
            service.on_time(now)
            if service.state is not State.WAITING or not service.wanted or self.ending:
                continue
            others = [self.services[name] for name in service.unit.requires if name in self.services]
            if failed := [other for other in others if other.state is State.FAILED]:
                service.fail(f"needs {failed[0].unit.name}, which failed")
            elif all(self.services[name].active for name in service.unit.after if name in self.services) and all(
                other.active for other in others
            ):
                service.start(now)

    def _on_signal(self) -> None:
        with contextlib.suppress(BlockingIOError):
            if {signal.SIGTERM, signal.SIGINT}.intersection(os.read(self._signals, 4096)):
                self.ending = True
                for service in self.services.values():
                    service.stop(time.monotonic())
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for service in self.services.values():
                if service.pid == pid:
                    service.on_exit(os.waitstatus_to_exitcode(status), time.monotonic())

    def _on_notify(self) -> None:
        data, ancillary, _, _ = self._notify.recvmsg(4096, socket.CMSG_SPACE(CREDENTIALS.size))
        for _, kind, body in ancillary:
            if kind == socket.SCM_CREDENTIALS:
                pid = CREDENTIALS.unpack(body[: CREDENTIALS.size])[0]
                for service in self.services.values():
                    if service.pid == pid and b"READY=1" in data.split(b"\n"):
                        service.on_ready()

    def _on_control(self) -> None:
        connection, _ = self._control.accept()
        with connection:
            connection.settimeout(1.0)
            with contextlib.suppress(OSError):
                line = connection.makefile("rb").readline(4096)
                connection.sendall(json.dumps(self._answer(line.decode().split())).encode() + b"\n")

    def _answer(self, words: list[str]) -> dict[str, Any]:
        now = time.monotonic()
        match words:
            case ["status"]:
                return {"units": {name: service.status() for name, service in self.services.items()}}
            case ["kill", name, number] if name in self.services and number.isdigit():
                return {"pid": self.services[name].kill(int(number))}
            case ["stop", name] if name in self.services:
                self.services[name].stop(now)
            case ["start", name] if name in self.services:
                self.services[name].want()
            case _:
                return {"error": f"expected: status | kill UNIT NUMBER | stop UNIT | start UNIT; got {words}"}
        return {"ok": True}

    def _trim_logs(self) -> None:
        for service in self.services.values():
            with contextlib.suppress(FileNotFoundError):
                if service.log.stat().st_size > LOG_LIMIT_BYTES:
                    os.truncate(service.log, 0)  # written with O_APPEND: goes on from the start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("units", nargs="+")
    parser.add_argument("--listen", action="append", default=[], metavar="UNIT=FD")
    arguments = parser.parse_args()
    listening = {name: int(fd) for name, _, fd in (word.partition("=") for word in arguments.listen)}
    try:
        units = load(arguments.folder, arguments.units)
    except (UnitError, OSError) as error:
        sys.exit(f"supervisor: {error}")
    Supervisor(units, listening).run()


if __name__ == "__main__":
    main()
