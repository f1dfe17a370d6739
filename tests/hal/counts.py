"""Counts what a look costs the kernel: files opened, attributes read."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock


@dataclass
class Counts:
    opened: int = 0
    read: int = 0


@contextlib.contextmanager
def counted() -> Iterator[Counts]:
    """Of this process, by os.open and os.pread."""
    counts, real_open, real_read = Counts(), os.open, os.pread

    def count_open(*args: Any, **named: Any) -> int:
        counts.opened += 1
        return real_open(*args, **named)

    def count_read(*args: Any) -> bytes:
        counts.read += 1
        return real_read(*args)

    with mock.patch.object(os, "open", count_open), mock.patch.object(os, "pread", count_read):
        yield counts
