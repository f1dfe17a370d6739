"""How much isolation this machine permits."""

import os
import subprocess
from enum import StrEnum
from functools import cache
from pathlib import Path

CAP_NET_ADMIN, CAP_SYS_CHROOT, CAP_SYS_ADMIN = 12, 18, 21
TRIAL = """
mount -t tmpfs sa8 /mnt
mkdir /mnt/upper /mnt/work /mnt/merged
mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work sa8 /mnt/merged
"""


class Isolation(StrEnum):
    NAMESPACES = "namespaces"
    """Any number of boxes, each in namespaces of its own."""
    CHROOT = "chroot"
    """One box and the exchange, on loopback, each in a copy of the root."""


class NotPermittedError(RuntimeError):
    """No lab can run here; the message says why in one sentence."""


def _has(capability: int) -> bool:
    status = Path("/proc/self/status").read_text()
    return bool(int(status.split("CapEff:")[1].split()[0], 16) >> capability & 1)


@cache
def isolation() -> Isolation:
    """Tries it out. Raises NotPermittedError."""
    if os.geteuid() != 0:
        raise NotPermittedError("A lab needs root: it starts boxes in namespaces of their own, or at least by chroot.")
    if _has(CAP_SYS_ADMIN) and _has(CAP_NET_ADMIN):
        command = ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "sh", "-ec", TRIAL]
        if subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0:
            return Isolation.NAMESPACES
    if not _has(CAP_SYS_CHROOT):
        raise NotPermittedError("Neither namespaces nor chroot are permitted here, so that no box can be started.")
    return Isolation.CHROOT
