"""Where namespaces and mounts are not permitted (an ordinary container): one box on loopback, by chroot alone."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

from image import cache
from tests.lab.records import Record

BOX_ADDRESS = "127.0.0.1"
EXCHANGE_ADDRESS = "127.0.0.2"
EXCHANGE_PORT = 5062
"""Not 5060: there the box listens on all addresses."""
PORTS = ((BOX_ADDRESS, 5038), (BOX_ADDRESS, 8088), (EXCHANGE_ADDRESS, 5038))


def taken_port() -> str | None:
    """A port that the box or the exchange needs and that another program has."""
    for address, port in PORTS:
        try:
            socket.create_server((address, port)).close()
        except OSError:
            return f"{address}:{port}"
    return None


def make_tree(record: Record, name: str, root: Path, layers: list[Path]) -> Path:
    """A root of its own: hard links to the cached one, whose files belong to root: a box's users cannot write them."""
    tree = cache.folder() / f".lab-{record.number}-{name}"
    record.folders.append(str(tree))
    record.write()
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["cp", "-a", "--link", str(root), str(tree)], check=True, timeout=300)
    for layer in layers:
        # A new file in the place of a link: the cache's own file is never written.
        subprocess.run(["cp", "-a", "--remove-destination", f"{layer}/.", str(tree)], check=True, timeout=300)
    with (tree / "etc/hosts").open("a") as file:
        file.write(f"{BOX_ADDRESS} {os.uname().nodename}\n")  # or start-up waits for the resolver
    for device in ("null", "zero", "full", "random", "urandom", "tty"):
        if not (tree / "dev" / device).exists():
            raise PermissionError(f"{tree}/dev/{device} is not there and cannot be made: mknod is not permitted")
    return tree


def supervisor_command(tree: Path) -> list[str]:
    return [
        "chroot", str(tree), "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
        "PYTHONPATH=/usr/lib/sa800-lab", "/usr/bin/python3", "-B", "-m", "tests.lab.supervisor",
    ]  # fmt: skip
