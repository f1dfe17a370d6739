"""pytest fixtures of everything that needs a lab; a folder's conftest says `from tests.lab.fixtures import *`."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.lab import records
from tests.lab.box import LabError
from tests.lab.lab import Lab
from tests.lab.report import pytest_runtest_makereport

__all__ = ["lab", "nothing_left", "pytest_runtest_makereport"]


def _others() -> tuple[set[str], set[str], set[str]]:
    """Namespaces, links and nft tables of labs that other living processes own: somebody works on the same machine."""
    foreign = [record for record in records.running() if record.owner_pid != os.getpid()]
    return (
        {name for record in foreign for name in record.namespaces},
        {name for record in foreign for name in record.links},
        {name for record in foreign for name in record.tables},
    )


def _tables() -> set[str]:
    """Of labs; none where nft is not permitted."""
    done = subprocess.run(["nft", "list", "tables", "ip"], capture_output=True, text=True, check=False, timeout=10)
    return {word for word in done.stdout.split() if word.startswith("sa8-")}


def leavings() -> dict[str, set[str]]:
    """Everything of labs that is there now, but for other people's: it must not grow over a test module."""
    other_namespaces, other_links, other_tables = _others()
    namespaces = {path.name for path in Path("/run/netns").glob("sa8-*")} - other_namespaces
    mounts = {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines() if "sa8" in line}
    processes = {
        f"{child.pid} {' '.join(child.cmdline())[:120]}"
        for child in psutil.Process().children(recursive=True)
        if child.status() != psutil.STATUS_ZOMBIE
    }
    for name in namespaces:
        processes |= {f"{pid} in {name}" for pid in records.in_namespace(name)}
    return {
        "namespaces": namespaces,
        "links": {path.name for path in Path("/sys/class/net").glob("sa8-*")} - other_links,
        "mounts": {mount for mount in mounts if Path(mount).name not in other_namespaces},
        "processes": processes,
        "tables": _tables() - other_tables,
        "records": {path.name for path in records.HOME.glob("[0-9]*")}
        - {str(record.number) for record in records.running() if record.owner_pid != os.getpid()},
    }


@pytest.fixture(scope="module", autouse=True)
def nothing_left() -> Iterator[None]:
    """After each test module: the same namespaces, mounts, links, nft tables, processes and records as before."""
    before = leavings()
    yield
    after = leavings()
    left = {kind: sorted(after[kind] - before[kind]) for kind in after if after[kind] - before[kind]}
    assert not left, f"left behind: {left}"


@pytest.fixture(scope="module")
def lab(nothing_left: None) -> Iterator[Lab]:
    """One box with the sample configuration and its exchange, ready for calls; one a test module."""
    if os.geteuid() != 0:
        raise LabError("labs need root")
    with Lab() as opened:
        yield opened
