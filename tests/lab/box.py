"""One machine of the lab (a box, or the exchange): its namespaces, its processes, its files, and how it ends."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import chroot
from tests.lab.permitted import Isolation
from tests.lab.records import Record, start_time
from tests.lab.waiting import TooLate, until

HERE = Path(__file__).resolve().parent
UNITS = "/usr/lib/systemd/system"
STOP_LIMIT_S = 15.0
SUPERVISOR = ("__init__.py", "unitfile.py", "service.py", "supervisor.py")


class LabError(RuntimeError):
    """The lab, or a box in it, cannot do what was asked; the message says why."""


@dataclass(slots=True)
class Plan:
    """What a machine is made of."""

    name: str
    namespace: str
    address: str
    root: Path
    app: Path
    units: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    """Path on the machine → text, laid over everything else."""
    data: Path | None = None
    """Host folder to keep /var/lib/sa800 in; None = gone with the lab."""
    share: Path | None = None
    """Host folder seen as /srv/lab."""
    listen: dict[str, int] = field(default_factory=dict)
    """Unit → file descriptor of a listening socket made on the host."""


class Machine:
    def __init__(self, plan: Plan, record: Record) -> None:
        self.plan, self.record = plan, record
        self.name, self.address = plan.name, plan.address
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = record.folder / plan.name

    # ── life ───────────────────────────────────────────────────────────────────────────────────────
    def start(self) -> None:
        """Returns once PID 1 answers; the units come up by themselves. Raises LabError."""
        self._lay_seed()
        listen = [word for unit, fd in self.plan.listen.items() for word in ("--listen", f"{unit}={fd}")]
        before = self._namespaces_command() if self.isolated else self._chroot_command()
        command = [*before, UNITS, *self.plan.units, *listen]
        with (self._folder / "boot.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=tuple(self.plan.listen.values()), start_new_session=True,
            )  # fmt: skip
        started = start_time(self._process.pid)
        if started is not None:
            self.record.processes.append((self._process.pid, started))
            self.record.write()
        try:
            until(f"{self.name} answers", self._answers, limit_s=20)
        except TooLate as error:
            raise LabError(f"{self.name} does not start: {self._boot_log()}") from error

    @property
    def isolated(self) -> bool:
        return Isolation(self.record.facts["isolation"]) is Isolation.NAMESPACES

    def _environment(self) -> dict[str, str]:
        plan = self.plan
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SA8_NAME": plan.name, "SA8_STAGE": str(self._folder / "stage"),
            "SA8_SEED": str(self._folder / "seed"), "SA8_APP": str(plan.app), "SA8_ROOT": str(plan.root),
            "SA8_DATA": str(plan.data or ""), "SA8_SHARE": str(plan.share or ""),
        }  # fmt: skip

    def _namespaces_command(self) -> list[str]:
        return [
            "nsenter", f"--net=/run/netns/{self.plan.namespace}", "unshare", "--mount", "--pid", "--uts", "--ipc",
            "--fork", "--kill-child=SIGKILL", "/bin/sh", str(HERE / "boot.sh"),
        ]  # fmt: skip

    def _chroot_command(self) -> list[str]:
        if self.plan.data is not None:
            raise LabError("data cannot be kept here: it needs mounts, which are not permitted")
        tree = chroot.make_tree(self.record, self.name, self.plan.root, [self.plan.app, self._folder / "seed"])
        if self.plan.share is not None:
            # Not shutil.move: /run may be another file system, and it would leave the copy to root.
            subprocess.run(["mv", "-T", self.plan.share, tree / "srv/lab"], check=True, timeout=60)
            self.plan.share.symlink_to(tree / "srv/lab")
        return chroot.supervisor_command(tree)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise LabError(f"{self.name} does not start: {self._boot_log()}")
        with contextlib.suppress(OSError, LabError):
            return bool(self.control("status"))
        return False

    def _boot_log(self) -> str:
        return (self._folder / "boot.log").read_text(errors="replace")[-2000:].strip() or "no message"

    def _lay_seed(self) -> None:
        seed = self._folder / "seed"
        for folder in (seed, self._folder / "stage"):
            folder.mkdir(parents=True, exist_ok=True)
        files = {
            "etc/hosts": f"127.0.0.1 localhost\n{self.address} {self.name}\n",
            "etc/hostname": f"{self.name}\n",
            "etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
            **self.plan.files,
        }
        for name, text in files.items():
            path = seed / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        code = seed / "usr/lib/sa800-lab/tests/lab"
        code.mkdir(parents=True)
        for name in SUPERVISOR:
            shutil.copyfile(HERE / name, code / name)
        for path in [seed, *seed.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)

    def ask_to_stop(self) -> None:
        """SIGTERM to PID 1; does not wait."""
        with contextlib.suppress(LabError, ProcessLookupError):
            os.kill(self.init_pid, signal.SIGTERM)

    def stop(self) -> None:
        """Ends the machine: asks, waits within a limit, then kills. Safe to call again."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_LIMIT_S)
        self.record.processes = [pair for pair in self.record.processes if pair[0] != self._process.pid]
        self._process = None

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────
    @property
    def init_pid(self) -> int:
        """The host's pid of the machine's PID 1. Raises LabError while there is none."""
        outer = self._process.pid if self._process is not None else self._recorded_pid()
        if not self.isolated:
            return outer
        try:
            children = Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            children = []
        if not children:
            raise LabError(f"{self.name} is not running")
        return int(children[0])

    def _recorded_pid(self) -> int:
        pid = self.record.facts.get("outer_pids", {}).get(self.name)
        if pid is None:
            raise LabError(f"{self.name} is not running")
        return int(pid)

    @property
    def outer_pid(self) -> int:
        """The host's pid of the process that holds the namespaces."""
        if self._process is None:
            raise LabError(f"{self.name} is not running")
        return self._process.pid

    def path(self, inside: str | Path) -> Path:
        """A file of the machine as the host can open it, through the merged file system."""
        return Path(f"/proc/{self.init_pid}/root") / str(inside).lstrip("/")

    def command(self, *words: str, limit_s: float = 30.0, user: str | None = None) -> str:
        """Runs a program inside; returns what it printed. Raises LabError with its output when it fails."""
        switch = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        enter = ["nsenter", f"--target={self.init_pid}", "--all"] if self.isolated else ["chroot", str(self.path(""))]
        done = subprocess.run(
            [*enter, *switch, *words],
            capture_output=True, text=True, errors="replace", timeout=limit_s, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode:
            raise LabError(f"{self.name}: {' '.join(words)}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    # ── units ──────────────────────────────────────────────────────────────────────────────────────
    def control(self, *words: str) -> dict[str, Any]:
        """One request to the supervisor. Raises LabError for a refusal, OSError while nobody answers."""
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(5)
            one.connect(str(self.path("/run/sa800-lab/control")))
            one.sendall((" ".join(words) + "\n").encode())
            answer = json.loads(one.makefile("rb").readline() or b"{}")
        if "error" in answer:
            raise LabError(f"{self.name}: {answer['error']}")
        return dict(answer)

    def units(self) -> dict[str, dict[str, Any]]:
        return dict(self.control("status")["units"])

    def pid(self, unit: str) -> int | None:
        """The host's pid of a unit's main process; None while it has none."""
        inside = self.units()[unit]["pid"]
        return self._host_pid(inside) if inside is not None else None

    def pids(self) -> dict[str, int | None]:
        return {unit: self.pid(unit) for unit in self.plan.units}

    def _host_pid(self, inside: int) -> int | None:
        if not self.isolated:
            return inside
        init = self.init_pid
        for child in Path(f"/proc/{init}/task/{init}/children").read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                status = Path(f"/proc/{child}/status").read_text()
                if int(status.split("NSpid:")[1].split("\n")[0].split()[-1]) == inside:
                    return int(child)
        return None

    def kill(self, unit: str, number: int = signal.SIGKILL) -> None:
        """A signal to a unit's main process; the supervisor then does what the unit file says."""
        if self.control("kill", unit, str(int(number)))["pid"] is None:
            raise LabError(f"{self.name}: {unit} has no process to signal")

    def stop_unit(self, unit: str) -> None:
        self.control("stop", unit)
        until(f"{unit} stopped", lambda: self.units()[unit]["pid"] is None, limit_s=20)

    def start_unit(self, unit: str) -> None:
        self.control("start", unit)
        self.wait_unit(unit)

    def log(self, unit: str) -> str:
        return self.path(f"/var/log/sa800/{unit}.log").read_text(errors="replace")

    def wait_unit(self, unit: str, limit_s: float = 30.0, starts: int = 1) -> None:
        """Until the unit runs (for at least the `starts`-th time). Raises LabError with its log when it failed."""

        def runs() -> bool:
            state = self.units()[unit]
            if state["state"] == "failed":
                raise LabError(f"{self.name}: {unit}: {state['why']}; its log ends:\n{self.log(unit)[-2000:]}")
            return state["state"] in {"running", "done"} and state["starts"] >= starts

        try:
            until(f"{unit} of {self.name} runs", runs, limit_s=limit_s)
        except TooLate as error:
            raise LabError(f"{error}; its log ends:\n{self.log(unit)[-2000:]}") from error
