"""The cache outside the checkout: built once, keyed by what went in, published by rename under a lock file."""

import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

DAY_S = 86400.0


def folder() -> Path:
    """$SA800_CACHE, made when missing."""
    path = Path(os.environ.get("SA800_CACHE") or "/var/cache/sa800").absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def key_of(parts: Iterable[bytes | str]) -> str:
    """A short name for a list of contents; the lengths go in, so that no two lists run together."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


def say(text: str) -> None:
    """Progress for people; standard output stays for the answer."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """One builder at a time; a second one waits (and says so) and then finds the result there."""
    with (folder() / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{name}: another build is running; waiting for it …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def workshop(name: str) -> Iterator[Path]:
    """A folder to build in. Gone afterwards, whatever happened; what a kill -9 left goes first.

    Call it with `locked(name)` held: then every folder of this kind is a dead builder's.
    """
    for left in folder().glob(f".build-{name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    path = folder() / f".build-{name}-{os.getpid()}"
    path.mkdir(mode=0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def publish(built: Path, name: str) -> Path:
    """Makes `built` visible under its final name at once, or not at all."""
    target = folder() / name
    os.sync()
    built.rename(target)
    return target


def used(path: Path) -> Path:
    """Marks a cached thing as used now, so that `forget_old` keeps it."""
    os.utime(path)
    return path


def forget_old(pattern: str, *, keep: int, days: float, in_use: Iterable[Path] = ()) -> None:
    """Removes what nobody used for `days`, but never the `keep` newest nor what is `in_use`."""
    found = sorted(folder().glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    busy = set(in_use)
    for path in found[keep:]:
        if path not in busy and time.time() - path.stat().st_mtime > days * DAY_S:
            shutil.rmtree(path, ignore_errors=True)
