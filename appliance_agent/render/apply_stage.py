"""Rendered versions on the disk: <versions>/<n>/<file>, and the symlink that says which one Asterisk reads.

Blocking: call by asyncio.to_thread on the event loop. Every step can be repeated, and a kill in between leaves
either nothing visible or the whole.
"""

import os
import re
import shutil
from pathlib import Path

from appliance_agent.kernel.files import fsync_folder, write_durably
from contracts.paths import BoxPaths

VERSIONS_KEPT = 10
FILE_NAME = re.compile(r"^[a-z0-9_]+(\.[a-z0-9_]+)*(\.d/[a-z0-9_]+(\.[a-z0-9_]+)*)?$")
"""Names of ours only: pjsip.conf, or one level down below a .d folder."""

FOLDER_MODE, FILE_MODE = 0o2750, 0o640
"""Asterisk reads by its group, which the set-group-id bit hands down; nobody else reads secrets."""


class RenderedVersions:
    def __init__(self, paths: BoxPaths) -> None:
        self._versions = paths.asterisk_versions
        self._current = paths.asterisk_current

    def stage(self, version: int, files: dict[str, str], *, asterisk_is_off: bool = False) -> None:
        """Writes version `version` durably; one that is there already (a resumed job) is replaced.

        The version that runs is refused (ValueError) unless `asterisk_is_off`, which only init may say.
        Raises OSError: disk full or not writable; the running version is untouched then.
        """
        part = self._versions / f"{version}.part"
        final = self._versions / str(version)
        if self.current() == version and not asterisk_is_off:
            raise ValueError(f"version {version} runs: its files are never written again")
        for leftover in (part, final):
            if leftover.exists():
                shutil.rmtree(leftover)
        _make_folder(part)
        for name, text in sorted(files.items()):
            if not FILE_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a name for a rendered file")
            target = part / name
            if not target.parent.exists():
                _make_folder(target.parent)
            write_durably(target, text.encode("utf-8"), mode=FILE_MODE)
        for folder in {(part / name).parent for name in files} | {part}:
            fsync_folder(folder)
        part.rename(final)
        fsync_folder(self._versions)

    def staged(self, version: int) -> bool:
        return (self._versions / str(version)).is_dir()

    def swap(self, version: int) -> None:
        """Makes `version` the one that Asterisk reads at its next reload or start. Atomic and durable."""
        if not self.staged(version):
            raise FileNotFoundError(f"version {version} is not staged")
        part = self._current.with_name(self._current.name + ".part")
        part.unlink(missing_ok=True)
        part.symlink_to(os.path.relpath(self._versions / str(version), self._current.parent))
        part.replace(self._current)
        fsync_folder(self._current.parent)

    def current(self) -> int | None:
        """The version that the symlink names, or None before the first."""
        try:
            name = self._current.readlink().name
        except FileNotFoundError:
            return None
        return int(name)

    def read(self, version: int) -> dict[str, str]:
        """{file: text} of a staged version; empty when it is not there."""
        folder = self._versions / str(version)
        return {
            str(file.relative_to(folder)): file.read_text("utf-8")
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }

    def prune(self, keep: set[int]) -> None:
        """Removes old versions: the newest ten, the current one and `keep` stay, and half-made ones go."""
        numbers = sorted(int(entry.name) for entry in self._versions.iterdir() if entry.name.isdigit())
        stay = set(numbers[-VERSIONS_KEPT:]) | keep | {self.current()}
        for entry in self._versions.iterdir():
            if not (entry.name.isdigit() and int(entry.name) in stay):
                shutil.rmtree(entry)


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(FOLDER_MODE)
