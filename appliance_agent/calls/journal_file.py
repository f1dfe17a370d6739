"""The journal's files on disk: read on from a position, across rotation; append a row of ours; rotate.

Blocking: call by asyncio.to_thread. Only the tailer rotates. Asterisk opens the file anew for each row, so a rename
is safe; a row that was under way then lands in the renamed file, which is why the old file is read on for a while.
"""

import os
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from ledger.journal import MAX_LINE_BYTES

READ_BYTES = 262_144
"""One bite: at most this much is read and committed at a time."""
ROTATE_BYTES = 16_777_216
KEPT_FILES = 8
LINGER_S = 1.0
"""A renamed file is left for the new one when nothing came for this long."""
_FILE_MODE = 0o664
"""Asterisk (user) and the agent (group) both append."""


class JournalFault(StrEnum):
    TRUNCATED = "truncated"
    """The file became shorter than what was read of it."""
    REPLACED = "replaced"
    """The file read so far is gone, and nobody but us may rotate."""


@dataclass(frozen=True, slots=True)
class Position:
    generation: int
    """Counts files; the file of generation n is renamed to journal.<n>.jsonl."""
    inode: int
    """0: no file was seen yet."""
    offset: int
    """Bytes read and committed."""
    next_seq: int


START = Position(generation=1, inode=0, offset=0, next_seq=1)


@dataclass(frozen=True, slots=True)
class Bite:
    """What lies behind a position."""

    lines: tuple[bytes, ...]
    after: Position
    """Where to go on; its next_seq is not counted up yet."""
    fault: JournalFault | None = None


class JournalFiles:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._lingering = (0, 0, 0.0)
        """Inode and size of the renamed file, and since when they are so."""

    def rotated(self, generation: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.{generation}{self.path.suffix}")

    def read(self, at: Position) -> Bite:
        """The next whole lines, at most READ_BYTES of them. Raises OSError other than a missing file."""
        current = _stat(self.path)
        if current is not None and current.st_ino == at.inode:
            return self._read(self.path, at, current.st_size, last=False)
        old = _stat(self.rotated(at.generation))
        if at.inode and old is not None and old.st_ino == at.inode:
            quiet = self._quiet(old)
            bite = self._read(self.rotated(at.generation), at, old.st_size, last=quiet)
            if bite.lines or not quiet or current is None:
                return bite
            return Bite((), replace(at, generation=at.generation + 1, inode=current.st_ino, offset=0))
        if current is None:
            return Bite((), at)
        if at.inode == 0:
            return Bite((), replace(at, inode=current.st_ino, offset=0))
        fresh = replace(at, generation=at.generation + 1, inode=current.st_ino, offset=0)
        return Bite((), fresh, JournalFault.REPLACED)

    def _quiet(self, old: os.stat_result) -> bool:
        """Whether a renamed file has not grown for LINGER_S, by our own monotonic clock."""
        if (old.st_ino, old.st_size) != self._lingering[:2]:
            self._lingering = (old.st_ino, old.st_size, time.monotonic())
        return time.monotonic() - self._lingering[2] > LINGER_S

    def _read(self, path: Path, at: Position, size: int, *, last: bool) -> Bite:
        if size < at.offset:
            return Bite((), replace(at, offset=0), JournalFault.TRUNCATED)
        if size == at.offset:
            return Bite((), at)
        with path.open("rb") as file:
            file.seek(at.offset)
            data = file.read(READ_BYTES)
        end = data.rfind(b"\n") + 1
        if not end and (last or len(data) > MAX_LINE_BYTES):
            end = len(data)  # the torn end of an old file, or garbage without an end
        lines = tuple(line for line in data[:end].split(b"\n") if line)
        return Bite(lines, replace(at, offset=at.offset + end))

    def rotation_due(self, at: Position) -> bool:
        """Only while the current file is the one being read: one renamed file at a time is unread."""
        current = _stat(self.path)
        return current is not None and current.st_ino == at.inode and current.st_size >= ROTATE_BYTES

    def rotate(self, at: Position) -> None:
        """Rename the current file to its generation's name and drop the oldest files."""
        self.path.rename(self.rotated(at.generation))
        for generation in range(at.generation - KEPT_FILES, 0, -1):
            old = self.rotated(generation)
            if not old.exists():
                break
            old.unlink()

    def append(self, row: bytes) -> None:
        """One whole row (with its newline) by one write. Raises OSError; a short write is one."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
        try:
            status = os.fstat(descriptor)
            if status.st_size == 0 and status.st_uid == os.geteuid():
                os.fchmod(descriptor, _FILE_MODE)  # made by us just now: the umask must not keep Asterisk out
            if os.write(descriptor, row) != len(row):
                raise OSError(f"{self.path}: short write")
        finally:
            os.close(descriptor)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
