"""Bounded waiting for something that gives no event of its own (a file, a process, a socket of another program)."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


class TooLate(AssertionError):
    """What was waited for did not come within its limit."""


def until(what: str, check: Callable[[], Found | None], *, limit_s: float, every_s: float = 0.02) -> Found:
    """Calls `check` until it returns something true, and returns that. Raises TooLate with what was waited for."""
    end = time.monotonic() + limit_s
    while True:
        if found := check():
            return found
        if time.monotonic() > end:
            raise TooLate(f"waited {limit_s:g} s, still not so: {what}")
        time.sleep(every_s)
