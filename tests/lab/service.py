"""One unit in the hands of the supervisor: starts, watches, restarts, stops one main process. No waiting in here."""

import contextlib
import ctypes
import grp
import os
import pwd
import resource
import signal
import sys
import time
import traceback
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.lab.unitfile import Unit

LISTEN_FDS_START = 3
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class State(StrEnum):
    WAITING = "waiting"
    """For what it comes after, or for its restart delay."""
    STARTING = "starting"
    """oneshot runs; notify has not said READY=1."""
    RUNNING = "running"
    DONE = "done"
    """A oneshot that succeeded."""
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class Service:
    def __init__(self, unit: Unit, log: Path, notify: str, listen_fd: int | None) -> None:
        self.unit, self.log = unit, log
        self._notify, self._listen_fd = notify, listen_fd
        self.state = State.WAITING
        self.wanted = True
        self.pid: int | None = None
        self.wake_at: float | None = None
        """Monotonic second at which `on_time` has something to do."""
        self._starts = 0
        self._exit: int | None = None
        self._why = ""
        self._since = time.monotonic()

    @property
    def alive(self) -> bool:
        return self.pid is not None

    @property
    def active(self) -> bool:
        return self.state in {State.RUNNING, State.DONE}

    def status(self) -> dict[str, Any]:
        return {
            "state": self.state.value, "pid": self.pid, "starts": self._starts, "exit": self._exit, "why": self._why,
            "since": self._since,
        }  # fmt: skip

    def _go(self, state: State, wake_at: float | None = None) -> None:
        self.state, self.wake_at, self._since = state, wake_at, time.monotonic()

    def fail(self, why: str) -> None:
        self._why = why
        self._note(why)
        self._go(State.FAILED)

    def want(self) -> None:
        self.wanted = True
        if self.pid is None and self.state is not State.DONE:
            self._go(State.WAITING)

    def start(self, now: float) -> None:
        if self.wake_at is not None and now < self.wake_at:
            return
        self._starts += 1
        self._make_runtime_directories()
        self.pid = os.fork()
        if self.pid == 0:
            self._become()
        if self.unit.type == "simple":
            self._go(State.RUNNING)
        else:
            self._go(State.STARTING, now + self.unit.start_limit_s)

    def on_ready(self) -> None:
        if self.state is State.STARTING and self.unit.type == "notify":
            self._go(State.RUNNING)

    def on_time(self, now: float) -> None:
        """Limits: a start or a stop that takes too long is ended hard."""
        if self.wake_at is None or now < self.wake_at or self.pid is None:
            return
        self._note(f"{self.state} took too long: SIGKILL")
        self.wake_at = None
        self._signal_group(signal.SIGKILL)

    def on_exit(self, code: int, now: float) -> None:
        """`code` as subprocess gives it: negative = signal."""
        self._signal_group(signal.SIGKILL)  # as systemd does: nothing of the unit stays behind
        self._exit, self.pid = code, None
        unit, stopping = self.unit, self.state is State.STOPPING or not self.wanted
        if stopping:
            self._go(State.STOPPED)
        elif code == 0 and unit.type == "oneshot":
            self._go(State.DONE if unit.remain_after_exit else State.STOPPED)
        elif unit.restart == "always" or (unit.restart == "on-failure" and code != 0):
            self._note(f"exit {code}; again in {unit.restart_s:g} s")
            self._go(State.WAITING, now + unit.restart_s)
        elif code == 0:
            self._go(State.STOPPED)
        else:
            self.fail(f"exit {code}")

    def stop(self, now: float) -> None:
        """SIGTERM, SIGCONT (a stopped process must hear it), SIGKILL when the limit is over."""
        self.wanted = False
        if self.pid is None:
            if self.state is State.WAITING:
                self._go(State.STOPPED)
            return
        if self.state is not State.STOPPING:
            self._go(State.STOPPING, now + self.unit.stop_limit_s)
            self.kill(signal.SIGTERM)
            self.kill(signal.SIGCONT)

    def kill(self, number: int) -> int | None:
        """Sends a signal to the main process; returns its pid, or None when there is none."""
        if self.pid is not None:
            os.kill(self.pid, number)
        return self.pid

    def _signal_group(self, number: int) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _note(self, text: str) -> None:
        with self.log.open("a") as file:
            file.write(f"[supervisor] {self.unit.name}: {text}\n")

    def _make_runtime_directories(self) -> None:
        owner = pwd.getpwnam(self.unit.user)
        for name in self.unit.runtime_directory:
            path = Path("/run") / name
            path.mkdir(parents=True, exist_ok=True)
            os.chown(path, owner.pw_uid, self._group_id())
            path.chmod(self.unit.runtime_directory_mode)

    def _group_id(self) -> int:
        group = self.unit.group
        return grp.getgrnam(group).gr_gid if group else pwd.getpwnam(self.unit.user).pw_gid

    def _become(self) -> None:
        """In the child: the unit's surroundings, then its program. Never returns."""
        try:
            os.setsid()
            out = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            null = os.open("/dev/null", os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(out, 1)
            os.dup2(out, 2)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            owner = pwd.getpwnam(self.unit.user)
            environment = {
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": owner.pw_dir,
                "USER": owner.pw_name, "LOGNAME": owner.pw_name, "NOTIFY_SOCKET": self._notify,
            }  # fmt: skip
            if self._listen_fd is not None:
                os.dup2(self._listen_fd, LISTEN_FDS_START)
                os.set_inheritable(LISTEN_FDS_START, True)  # dup2 onto itself leaves close-on-exec
                environment |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": self.unit.name}
            os.closerange(LISTEN_FDS_START + (self._listen_fd is not None), 1024)
            if self.unit.limit_nofile:
                # A container may hold a lower ceiling than the box: as much of the limit as there is.
                most = min(self.unit.limit_nofile, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            os.initgroups(owner.pw_name, self._group_id())
            os.setgid(self._group_id())
            os.setuid(owner.pw_uid)
            if os.getppid() != 1:
                LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # no PID namespace does it: the supervisor's end is ours
            os.umask(self.unit.umask)
            os.chdir(self.unit.working_directory)
            os.execve(self.unit.exec_start[0], self.unit.exec_start, {**environment, **self.unit.environment})
        except BaseException:  # noqa: BLE001 - a forked child must end here, whatever happened
            traceback.print_exc(file=sys.stderr)
            sys.stderr.flush()
        finally:
            os._exit(203)  # systemd's EXIT_EXEC
