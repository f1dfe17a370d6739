"""Clocks that wait for nobody: who keeps time goes before all other programs of this machine."""

import os
from pathlib import Path

FIRST = os.sched_param(1)


def urgently() -> None:
    """This thread: a telephone's clock. It computes next to nothing."""
    os.sched_setscheduler(0, os.SCHED_RR, FIRST)


def put_first(pid: int) -> None:
    """A running program, with its threads: where it belongs it has a processor to itself."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setscheduler(int(thread.name), os.SCHED_RR, FIRST)
