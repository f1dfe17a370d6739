"""The state of an emulated board that was switched on once, for the other files of the same run (docs/adr/0023).

Disk and memory are in files of the run's folder, which goes with the run. The disk's holds only what was written since
the image; boards that begin there write somewhere else again (`snapshot=on`), so that they share it.
"""

import fcntl
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from board import until
from labgrid.driver import QEMUDriver
from wire import LIMIT_S

NO_LIMIT = 1 << 40
"""Bytes a second: QEMU saves memory as if it went to another machine, and spares the network."""


class SavedError(Exception):
    """QEMU could not save a state; it says why."""


class Saved:
    def __init__(self, folder: Path, name: str) -> None:
        self.disk = folder / f"{name}.qcow2"
        self.memory = folder / f"{name}.memory"
        self.lock = folder / f"{name}.lock"

    def __bool__(self) -> bool:
        """It is there, and whole."""
        return self.memory.exists()

    def remove(self) -> None:
        for file in (self.memory, self.disk, self.lock):
            file.unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time makes it; the others wait meanwhile."""
        with self.lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def save(self, qemu: QEMUDriver, image: Path) -> None:
        """What runs from `image` now; it goes on then. Raises SavedError."""
        qemu.monitor_command("stop")
        _save_disk(qemu, image, self.disk)
        # Renamed when it is whole: whoever is killed in between leaves no state.
        begun = self.memory.with_suffix(".part")
        qemu.monitor_command("migrate-set-parameters", {"max-bandwidth": NO_LIMIT})
        qemu.monitor_command("migrate", {"uri": f"exec:cat >{shlex.quote(str(begun))}"})
        _moved(qemu)
        begun.rename(self.memory)
        qemu.monitor_command("cont")

    def load(self, qemu: QEMUDriver) -> None:
        """Into an emulator that waits for it (`-incoming defer`) and has the disk. It runs then.

        Raises labgrid's QMPError or OSError when QEMU cannot read it; it has told why and is over then.
        """
        qemu.monitor_command("migrate-incoming", {"uri": f"exec:cat {shlex.quote(str(self.memory))}"})
        until("the saved state is loaded", lambda: _status(qemu) != "inmigrate", LIMIT_S)
        qemu.monitor_command("cont")  # it was saved standing still


def _save_disk(qemu: QEMUDriver, image: Path, file: Path) -> None:
    """What was written since `image`. Not by `drive-backup`, which with snapshot=on unlinks the image (QEMU 7.2)."""
    _job(qemu, "blockdev-create", options={"driver": "file", "filename": str(file), "size": 0})
    qemu.monitor_command("blockdev-add", {"driver": "file", "node-name": "file", "filename": str(file)})
    layout = {"driver": "qcow2", "file": "file", "size": image.stat().st_size}
    _job(qemu, "blockdev-create", options={**layout, "backing-file": str(image), "backing-fmt": "raw"})
    qemu.monitor_command("blockdev-add", {"driver": "qcow2", "node-name": "saved", "file": "file", "backing": None})
    (disk,) = [one["device"] for one in qemu.monitor_command("query-block") if "inserted" in one]
    _job(qemu, "blockdev-backup", device=disk, target="saved", sync="top")
    for node in ("saved", "file"):
        qemu.monitor_command("blockdev-del", {"node-name": node})


def _job(qemu: QEMUDriver, command: str, **arguments: object) -> None:
    qemu.monitor_command(command, {"job-id": "save", **arguments, **_STAYS.get(command, {})})

    def concluded() -> dict[str, Any] | None:
        (job,) = qemu.monitor_command("query-jobs")
        return job if job["status"] == "concluded" else None

    job = until(f"QEMU's {command} is done", concluded, LIMIT_S)
    qemu.monitor_command("job-dismiss", {"id": "save"})
    if "error" in job:
        raise SavedError(f"{command}: {job['error']}")


_STAYS = {"blockdev-backup": {"auto-dismiss": False}}
"""Until it is dismissed, so that its error is not lost; those of `blockdev-create` do so anyway."""


def _moved(qemu: QEMUDriver) -> None:
    def ended() -> dict[str, Any] | None:
        now: dict[str, Any] = qemu.monitor_command("query-migrate")
        return now if now["status"] in {"completed", "failed", "cancelled"} else None

    now = until("the memory is saved", ended, LIMIT_S)
    if now["status"] != "completed":
        raise SavedError(f"migrate: {now['status']}, {now.get('error-desc', 'no reason told')}")


def _status(qemu: QEMUDriver) -> str:
    status: str = qemu.monitor_command("query-status")["status"]
    return status
