"""What each lab made, on disk before it is made, so that the next start can sweep what a kill -9 left.

/run/sa800-lab/<number>/lab.json: owner (pid and start time), names of namespaces, links and nft tables, processes.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

from tests.lab.waiting import until

HOME = Path("/run/sa800-lab")
MOST_LABS = 512  # /24 networks in 198.18.0.0/15, the range for benchmarks between networks (RFC 2544)


WRITING = threading.Lock()
"""Machines of one lab are started side by side."""


def start_time(pid: int) -> int | None:
    """The kernel's start tick of a process: with the pid it names one process for ever. None: there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    words = text.rpartition(")")[2].split()
    return None if words[0] == "Z" else int(words[19])


@dataclass(slots=True)
class Record:
    number: int
    owner_pid: int
    owner_start: int | None
    checkout: str = ""
    namespaces: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    processes: list[tuple[int, int]] = field(default_factory=list)
    """(pid, start time) of each box's outermost process."""
    folders: list[str] = field(default_factory=list)
    """Trees outside of the lab's own folder."""
    tables: list[str] = field(default_factory=list)
    """nft tables of family ip."""
    settings: list[tuple[str, str]] = field(default_factory=list)
    """(file below /proc/sys, what stood there before)."""
    facts: dict[str, Any] = field(default_factory=dict)
    """For other processes that want to use the lab: addresses, ports, secrets (the folder is root's only)."""

    @property
    def folder(self) -> Path:
        return HOME / str(self.number)

    @property
    def owned(self) -> bool:
        return self.owner_start is not None and start_time(self.owner_pid) == self.owner_start

    def write(self) -> None:
        with WRITING:
            part = self.folder / "lab.json.part"
            part.write_text(json.dumps(asdict(self)))
            part.rename(self.folder / "lab.json")


@contextmanager
def _locked() -> Iterator[None]:
    HOME.mkdir(mode=0o711, parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read(folder: Path) -> Record | None:
    try:
        values = json.loads((folder / "lab.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    for name in ("processes", "settings"):
        values[name] = [tuple(pair) for pair in values.get(name, [])]
    known = {each.name for each in fields(Record)}  # a lab of another checkout may write down more, or less
    return Record(**{key: value for key, value in values.items() if key in known})


def _folders() -> list[Path]:
    return sorted((path for path in HOME.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


def running() -> list[Record]:
    """Labs whose owner lives, oldest number first."""
    if not HOME.is_dir():
        return []
    records = [_read(folder) for folder in _folders()]
    return [record for record in records if record is not None and record.owned]


def bridge_name(number: int) -> str:
    return f"sa8-{number}"


def reserve(checkout: Path) -> Record:
    """Sweeps dead labs, then takes the lowest free number for this process: one without a record here, and without a
    bridge, which may belong to a lab in a container that has a /run of its own and shares this network."""
    with _locked():
        for folder in _folders():
            record = _read(folder)
            if record is None:
                shutil.rmtree(folder)  # killed between mkdir and the first write: nothing else was made yet
            elif not record.owned:
                print(f"lab {record.number}: its owner is dead; removing what it left", file=sys.stderr)
                remove(record)
        taken = {int(folder.name) for folder in _folders()}
        free = (number for number in range(MOST_LABS) if number not in taken)
        number = next(number for number in free if not Path("/sys/class/net", bridge_name(number)).exists())
        (HOME / str(number)).mkdir(mode=0o700)
        record = Record(number, os.getpid(), start_time(os.getpid()), str(checkout))
        record.write()
        return record


def in_namespace(name: str) -> list[int]:
    done = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False, timeout=10)
    return [int(word) for word in done.stdout.split()]


def _is_empty(name: str) -> bool:
    return not in_namespace(name)


def remove(record: Record) -> None:
    """Ends the recorded processes, then settings, nft tables, links, namespaces and the folder. Safe to call again."""
    for pid, started in record.processes:
        if start_time(pid) == started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # unshare --kill-child takes the box's PID 1 along, and that all else
    for path, before in record.settings:
        with contextlib.suppress(FileNotFoundError):  # the interface went
            Path(path).write_text(before)
    for table in record.tables:
        words = f"add table ip {table}; delete table ip {table}"  # nft's way to say: if there is one
        subprocess.run(["nft", words], check=True, timeout=10)
    for link in record.links:
        # A cable goes with either end, also by itself a moment after its namespace went.
        done = subprocess.run(["ip", "link", "del", link], capture_output=True, text=True, check=False, timeout=10)
        if done.returncode and Path("/sys/class/net", link).exists():
            raise RuntimeError(f"link {link} stays: {done.stderr.strip()}")
    for name in record.namespaces:
        if not Path("/run/netns", name).exists():
            continue
        for pid in in_namespace(name):  # killed before its pid was written down
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(f"the processes of {name} are gone", partial(_is_empty, name), limit_s=10)
        subprocess.run(["ip", "netns", "del", name], check=True, timeout=10)
    for folder in [*map(Path, record.folders), record.folder]:
        shutil.rmtree(folder, ignore_errors=True)
