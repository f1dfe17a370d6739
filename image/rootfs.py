"""Builds the root file system by mmdebstrap, checks it against the lock, keeps it in the cache."""

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from image import cache, localdeb, lock, mirror

HERE = Path(__file__).resolve().parent
LOCK = HERE / "locks/debian.lock"
PACKAGES = HERE / "packages.list"
SUITE = "forky"
OPTIONS = (
    "--variant=minbase",
    "--mode=root",
    "--format=directory",
    # A mirror's Release file may be past its date; hashes and signature still hold.
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=APT::Install-Recommends "false"',
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)
BUILD_LIMIT_S = 1800


class BuildError(Exception):
    """The root could not be built; the message holds the last lines of mmdebstrap."""


def packages() -> list[str]:
    return [line for line in PACKAGES.read_text().splitlines() if line and not line.startswith("#")]


def key(locked: Iterable[lock.Package]) -> str:
    """Everything that decides what is in the root."""
    hooks = [path.read_bytes() for path in sorted((HERE / "hooks").iterdir())]
    return cache.key_of([lock.text_of(locked), *packages(), "", *OPTIONS, SUITE, localdeb.CONTROL, *hooks])


def _mounts_of_its_own() -> list[str]:
    """Whatever happens, no mount of the build stays on the host. Where that is not permitted, it mounts nothing."""
    alone = ["unshare", "--mount"]
    done = subprocess.run([*alone, "true"], capture_output=True, check=False, timeout=10)
    return alone if done.returncode == 0 else []


def _command(work: Path, pins: Path) -> list[str]:
    repository = str(work / "repository").replace(" ", "%20")
    return [
        *_mounts_of_its_own(), "mmdebstrap", *OPTIONS,
        *(f"--aptopt={option}" for option in mirror.apt_options()),
        f"--include={','.join([*packages(), 'sa800-dahdi-modules'])}",
        f'--setup-hook=cp "$SA800_BUILD/{pins.name}" "$1/etc/apt/preferences.d/sa800"',
        '--essential-hook="$SA800_HOOKS/accounts" "$1"',
        '--customize-hook="$SA800_HOOKS/finish" "$1"',
        SUITE, str(work / "root"),
        f"deb {mirror.find_mirror()} {SUITE} main",
        f"deb [trusted=yes] copy://{repository} ./",
    ]  # fmt: skip


def _run(work: Path, pins: Path) -> None:
    environment = dict(os.environ, SA800_BUILD=str(work), SA800_HOOKS=str(HERE / "hooks"), LC_ALL="C.UTF-8")
    last: deque[str] = deque(maxlen=40)
    with subprocess.Popen(
        _command(work, pins), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last.append(line.rstrip())
                if line.startswith(("I:", "W:", "E:")):
                    cache.say(f"  {line[3:].strip()}")
            code = process.wait(BUILD_LIMIT_S)
        except BaseException:
            process.terminate()
            process.wait(60)
            raise
    if code:
        raise BuildError("\n".join(["mmdebstrap failed; its last lines:", *last]))


def build(work: Path, locked: Iterable[lock.Package]) -> tuple[lock.Package, ...]:
    """Fills `work` with root/ and returns what is in it. Raises BuildError, NoMirrorError, ValueError."""
    if os.geteuid() != 0:
        raise BuildError("building the root file system needs root")
    (work / "repository").mkdir()
    localdeb.build(work / "repository")
    (work / "pins").write_text(lock.pins(locked))
    cache.say("Root file system: Debian forky with Asterisk, about a minute …")
    _run(work, work / "pins")
    installed = lock.read_installed((work / "status").read_text(), (work / "index").read_text())
    (work / "packages.lock").write_text(lock.text_of(installed))
    for name in ("repository", "pins", "status", "names", "index"):
        path = work / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return installed


def _drifted(pointer: Path) -> Path | None:
    """The root that was built when locked versions had gone, if it is still there."""
    target = cache.folder() / pointer.read_text().strip() if pointer.is_file() else None
    return target if target is not None and target.is_dir() else None


def ensure() -> Path:
    """The root's folder, from the cache when it is there (no network then). Raises BuildError and what it names."""
    locked = lock.read(LOCK)
    if not locked:
        raise BuildError(f"{LOCK} is missing or empty: `make lock` writes it")
    name = f"root-{key(locked)}"
    target, pointer = cache.folder() / name, cache.folder() / f"{name}.drift"
    with cache.locked("root"):
        found = target if target.is_dir() else _drifted(pointer)
        if found is None:
            with cache.workshop("root") as work:
                actual = build(work, locked)
                drift = lock.difference(locked, actual)
                if drift:
                    (work / "drift").write_text("\n".join(drift) + "\n")
                found = cache.folder() / (f"root-{key(actual)}" if drift else name)
                if not found.is_dir():  # the same drifted set may be there from another lock
                    cache.publish(work, found.name)
                if drift:
                    pointer.write_text(found.name)
        cache.forget_old("root-*[0-9a-f]", keep=2, days=30, in_use=[found])
    if not target.is_dir():
        cache.say("lock drifted: the mirror no longer has every locked version; what differs:")
        for line in lock.difference(locked, lock.read(found / "packages.lock")):
            cache.say(f"  {line}")
    return cache.used(found) / "root"


def relock() -> None:
    """Resolves anew and rewrites the lock; the root just built is the one the new lock names."""
    with cache.locked("root"), cache.workshop("root") as work:
        actual = build(work, ())
        before = lock.read(LOCK)
        for line in lock.difference(before, actual) if before else ():
            cache.say(f"  {line}")
        LOCK.write_text(lock.text_of(actual))
        name = f"root-{key(actual)}"
        if not (cache.folder() / name).is_dir():
            cache.publish(work, name)
    cache.say(f"lock: {len(actual)} packages")
