"""Files that are whole or absent, whatever is killed in between. Blocking: call by asyncio.to_thread on the loop."""

import os
from pathlib import Path


def fsync_folder(folder: Path) -> None:
    """Makes renames and new names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, content: bytes, *, mode: int) -> None:
    """Write and fsync a new file; an old one of that name is replaced in place."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def write_atomically(path: Path, content: bytes, *, mode: int) -> None:
    """Readers see the old content or the new, never a part of it."""
    part = path.with_name(path.name + ".part")
    write_durably(part, content, mode=mode)
    part.replace(path)
    fsync_folder(path.parent)
