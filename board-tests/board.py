"""The board under test as the tests see it: a shell on its serial console, two Asterisks, what they recorded."""

import functools
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ami import Ami
from labgrid import Target
from labgrid.driver import QEMUDriver
from labgrid.exceptions import NoDriverFoundError
from linesim_client import LineSim
from wire import LIMIT_S

Found = TypeVar("Found")
HTTP_PORT = 80
PARTIES = {"dut": (5038, 523.0), "exchange": (5039, 437.0)}
"""Manager port and tone, as in guest/*/etc/<name>/."""
LINESIM_PORT = 5040
EMULATED = {"box": "10.0.2.15", "exchange": "10.0.2.16"}
"""Addresses in the emulator's network; a bench names its own. In kernel tests both parties are at the box's."""
CALLS, NO_CALL = "core show channels count", "0 calls processed"
POLL_S = 0.2
"""Between two looks through the console, which has no events."""


@functools.cache
def reach(target: Target, port: int, who: str = "box") -> tuple[str, int]:
    """Where a port of the box or of the exchange is reached: through the emulator while it is on, or on a bench."""
    try:
        qemu = target.get_driver(QEMUDriver)
    except NoDriverFoundError:
        return target.get_resource("NetworkService", name=who).address, port
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = free.getsockname()[1]
    qemu.add_port_forward("tcp", "127.0.0.1", own, EMULATED[who], port)
    return "127.0.0.1", own


def until(what: str, check: Callable[[], Found | None], limit_s: float) -> Found:
    """The first true answer of `check`. Raises TimeoutError with what was waited for."""
    deadline = time.monotonic() + limit_s
    while not (found := check()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {limit_s:g} s, still not so: {what}")
        time.sleep(POLL_S)
    return found


@dataclass(frozen=True, slots=True)
class Times:
    """The board's own clock and how long its processor had nothing to do, in seconds since it booted."""

    up: float
    idle: float

    def since(self, before: "Times") -> tuple[float, float]:
        """Seconds gone, and the part of them (0..1) in which the processor was idle."""
        seconds = self.up - before.up
        return seconds, (self.idle - before.idle) / seconds if seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Party:
    """One of the two Asterisks on the board."""

    name: str
    ami: Ami
    tone_hz: float
    """What it plays in each call."""

    def wait_says(self, command: str, text: str, limit_s: float = LIMIT_S) -> None:
        """Until the output of a CLI command holds `text`. Raises TimeoutError."""
        until(f"{self.name}: {command} says {text!r}", lambda: text in self.ami.command(command), limit_s)

    def check_unused(self) -> None:
        """A saved state is one before any test. Raises AssertionError."""
        said = self.ami.command(CALLS)
        assert NO_CALL in said, f"{self.name}: the state that was restored is not that of a fresh board: {said}"

    def wait_pri(self, links: int = 1) -> None:
        """Until so many PRI links are up and their channels are free."""

        def up() -> bool:
            return self.ami.command("pri show spans").count("Up, Active") == links

        until(f"{self.name}: {links} PRI links are up", up, LIMIT_S)

        def free() -> bool:
            rows = [line.split() for line in self.ami.command("pri show channels").splitlines()]
            idle = [row[3] for row in rows if len(row) > 3 and row[0].isdigit()]
            return bool(idle) and set(idle) == {"Yes"}

        until(f"{self.name}: all channels of the PRI are idle", free, LIMIT_S)

    def wait_r2(self) -> None:
        """Until no channel of the R2 trunk is blocked: each end blocks its channels until it is there."""

        def free() -> bool:
            rows = [line.split() for line in self.ami.command("mfcr2 show channels").splitlines()]
            states = {state for row in rows if row and row[0].isdigit() for state in row[7:]}
            return states == {"IDLE"}

        until(f"{self.name}: all channels of the R2 trunk are idle", free, LIMIT_S)


class Board:
    """Booted to the bare kernel: nothing runs that a test did not start."""

    heard_at = "box"
    """Who gives away what was recorded, by HTTP."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._shell = target.get_driver("ShellDriver")
        self._http = reach(target, HTTP_PORT, self.heard_at)

    def run(self, command: str, limit_s: float = LIMIT_S) -> str:
        """What a command says on the board's shell. Raises labgrid's ExecutionError when it fails."""
        return "\n".join(self._shell.run_check(command, timeout=limit_s))

    def log(self) -> str:
        """The last lines that both Asterisks and the kernel wrote; never raises for a board that is down."""
        try:
            return self.run(
                "tail -n 25 /var/log/exchange/messages /var/log/dut/messages /tmp/linesim.log 2>&1; dmesg | tail -n 10"
            )
        except Exception as error:  # noqa: BLE001 - evidence about a failure must not hide it
            return f"no log: {error}"

    def times(self) -> Times:
        up, idle = self.run("cat /proc/uptime").split()
        return Times(float(up), float(idle))

    def start(self, *names: str, libraries: str = "") -> list[Party]:
        """Starts Asterisks, side by side; they live until they are stopped or the board is off.

        `libraries`: a folder of the board whose libraries they take before the system's.
        """
        for name in names:
            self.run(f"/etc/board/party start {name} {libraries}")
        return self.parties(*names)

    def parties(self, *names: str) -> list[Party]:
        """Those that were started."""
        return [Party(name, Ami(reach(self.target, port)), hz) for name in names for port, hz in [PARTIES[name]]]

    def simulate_lines(self, channels: range, flash_ms: int) -> LineSim:
        """The line simulator takes these channels; it lives until the board is off."""
        self.run(f"/etc/board/linesim {LINESIM_PORT} {flash_ms} {' '.join(map(str, channels))}")
        return LineSim(reach(self.target, LINESIM_PORT))

    def kill(self, party: Party) -> None:
        """Its line is dead from one moment to the next: no release, no disconnect."""
        self.run(f"/etc/board/party kill {party.name}")

    def fetch(self, path: str, limit_s: float = LIMIT_S) -> bytes:
        """A file under /srv, once it is there. Raises TimeoutError."""
        address, port = self._http

        def content() -> bytes | None:
            try:
                with urllib.request.urlopen(f"http://{address}:{port}/{path}", timeout=limit_s) as answer:
                    return answer.read() or b"-"
            except urllib.error.HTTPError as error:
                error.close()
                if error.code == 404:
                    return None
                raise

        return until(f"{path} is on the board", content, limit_s)
