"""One process at a time changes a file: `FILE.lock` beside it, held by flock. Blocking: call it in a thread."""

import fcntl
import os
import time
from io import FileIO
from pathlib import Path

from hal.errors import TimedOut

LOOK_S = 0.02
"""flock itself waits without a limit, or not at all."""


def hold(path: Path, limit_s: float) -> FileIO:
    """The lock of `path`, until it is closed (`with hold(…):`); the end of its process lets go, too. Raises TimedOut.

    Whoever may read the folder may hold it: root makes the lock at the first start, the agent takes it later.
    """
    lock = path.with_name(path.name + ".lock")
    held = FileIO(os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
    until = time.monotonic() + limit_s
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return held
        except BlockingIOError:
            if time.monotonic() > until:
                held.close()
                hint = "try again; if it stays so, restart the box"
                raise TimedOut(f"another process has held {lock} for {limit_s:g} s", hint=hint) from None
        time.sleep(LOOK_S)
