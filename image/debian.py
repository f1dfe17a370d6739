"""Debian trees by mmdebstrap: pinned by a lock, checked against it, kept in the cache; a drifted mirror is told."""

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from image import cache, localdeb, lock, mirror

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
    """A tree could not be built; the message holds the last lines of the tool that failed."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides what is in a tree, but for the versions: those are the lock's."""

    name: str
    """Prefix in the cache; the built thing is `<name>-<key>/`."""
    title: str
    """For people, with how long it takes."""
    packages: tuple[str, ...]
    lock_file: Path
    hooks: tuple[str, ...]
    """mmdebstrap's options; SA800_BUILD is the build's folder, SA800_HOOKS that of `hooks_home`.

    A customize hook leaves what is installed as `status` and apt's stanzas of it as `index` in SA800_BUILD.
    """
    hooks_home: Path
    key_parts: tuple[bytes | str, ...]
    stand_ins: tuple[str, ...] = ()
    """Control texts of empty packages of ours that are installed too (`localdeb`)."""
    own_packages: tuple[Callable[[], Path], ...] = ()
    """Each builds a .deb of ours in place of Debian's, when the tree is built; what goes in stands in key_parts."""
    refine: Callable[[Path], None] = lambda _work: None
    """After the build: what of root/ is kept, and how."""

    def key(self, locked: Iterable[lock.Package]) -> str:
        return cache.key_of(
            [lock.text_of(locked), *self.packages, "", *OPTIONS, SUITE, *self.stand_ins, *self.key_parts]
        )


def listed(path: Path) -> tuple[str, ...]:
    """A file of package names, one a line."""
    return tuple(line for line in path.read_text().splitlines() if line and not line.startswith("#"))


def _mounts_of_its_own() -> list[str]:
    """Whatever happens, no mount of the build stays on the host. Where that is not permitted, it mounts nothing."""
    alone = ["unshare", "--mount"]
    done = subprocess.run([*alone, "true"], capture_output=True, check=False, timeout=10)
    return alone if done.returncode == 0 else []


def _command(recipe: Recipe, work: Path) -> list[str]:
    names = [*recipe.packages, *map(localdeb.name_of, recipe.stand_ins)]
    repository = str(work / "repository").replace(" ", "%20")
    return [
        *_mounts_of_its_own(), "mmdebstrap", *OPTIONS,
        *(f"--aptopt={option}" for option in mirror.apt_options()),
        f"--include={','.join(names)}",
        '--setup-hook=cp "$SA800_BUILD/pins" "$1/etc/apt/preferences.d/sa800"',
        *recipe.hooks,
        SUITE, str(work / "root"),
        f"deb {mirror.find_mirror()} {SUITE} main",
        f"deb [trusted=yes] copy://{repository} ./",
    ]  # fmt: skip


def _run(recipe: Recipe, work: Path) -> None:
    environment = dict(os.environ, SA800_BUILD=str(work), SA800_HOOKS=str(recipe.hooks_home), LC_ALL="C.UTF-8")
    last: deque[str] = deque(maxlen=40)
    with subprocess.Popen(
        _command(recipe, work), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
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


def build(recipe: Recipe, work: Path, locked: Iterable[lock.Package]) -> tuple[lock.Package, ...]:
    """Fills `work` and returns what was installed. Raises BuildError, NoMirrorError, ValueError."""
    if os.geteuid() != 0:
        raise BuildError(f"building {recipe.name} needs root")
    localdeb.build(work / "repository", recipe.stand_ins, [ensure_package() for ensure_package in recipe.own_packages])
    (work / "pins").write_text(lock.pins(locked))
    cache.say(f"{recipe.title} …")
    _run(recipe, work)
    installed = lock.read_installed((work / "status").read_text(), (work / "index").read_text())
    (work / "packages.lock").write_text(lock.text_of(installed))
    for path in set(work.iterdir()) - {work / "root", work / "packages.lock"}:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    recipe.refine(work)
    return installed


def _drifted(pointer: Path) -> Path | None:
    """The tree that was built when locked versions had gone, if it is still there."""
    target = cache.folder() / pointer.read_text().strip() if pointer.is_file() else None
    return target if target is not None and target.is_dir() else None


def ensure(recipe: Recipe) -> Path:
    """The built folder, from the cache when it is there (no network then). Raises BuildError and what it names."""
    locked = lock.read(recipe.lock_file)
    if not locked:
        raise BuildError(f"{recipe.lock_file} is missing or empty: `make lock` writes it")
    name = f"{recipe.name}-{recipe.key(locked)}"
    target, pointer = cache.folder() / name, cache.folder() / f"{name}.drift"
    with cache.locked(recipe.name):
        found = target if target.is_dir() else _drifted(pointer)
        if found is None:
            with cache.workshop(recipe.name) as work:
                actual = build(recipe, work, locked)
                drift = lock.difference(locked, actual)
                if drift:
                    (work / "drift").write_text("\n".join(drift) + "\n")
                found = cache.folder() / (f"{recipe.name}-{recipe.key(actual)}" if drift else name)
                if not found.is_dir():  # the same drifted set may be there from another lock
                    cache.publish(work, found.name)
                if drift:
                    pointer.write_text(found.name)
        cache.forget_old(f"{recipe.name}-*[0-9a-f]", keep=2, days=30, in_use=[found])
    if not target.is_dir():
        cache.say(f"{recipe.name}: lock drifted: the mirror no longer has every locked version; what differs:")
        for line in lock.difference(locked, lock.read(found / "packages.lock")):
            cache.say(f"  {line}")
    return cache.used(found)


def relock(recipe: Recipe) -> None:
    """Resolves anew and rewrites the lock; the tree just built is the one the new lock names."""
    with cache.locked(recipe.name), cache.workshop(recipe.name) as work:
        actual = build(recipe, work, ())
        before = lock.read(recipe.lock_file)
        for line in lock.difference(before, actual) if before else ():
            cache.say(f"  {line}")
        recipe.lock_file.write_text(lock.text_of(actual))
        name = f"{recipe.name}-{recipe.key(actual)}"
        if not (cache.folder() / name).is_dir():
            cache.publish(work, name)
    cache.say(f"{recipe.lock_file.name}: {len(actual)} packages")
