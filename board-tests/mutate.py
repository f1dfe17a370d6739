"""make board-mutate [BREAKS="law flash"]: each named break must turn its test red. A table; 0 when all were caught."""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

from breaks import BREAKS, TO_COME

HERE = Path(__file__).resolve().parent
LIMIT_S = 1800
ONE_WAIT_S = "180"
"""Of this machine's clock (ami.LIMIT_S): who waits for what was broken need not wait as long as else."""


def verdict(name: str) -> str:
    """`caught`, or what happened instead."""
    with tempfile.TemporaryDirectory(prefix="sa800-mutate-") as folder:
        told = Path(folder) / "told.xml"
        environment = {**os.environ, "BOARD_BREAK": name, "BOARD_LIMIT_S": ONE_WAIT_S}
        command = [str(HERE / "run"), "test", "-q", f"--junitxml={told}", *shlex.split(BREAKS[name].test)]
        done = subprocess.run(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        if not told.exists():
            return f"no test ran:\n{done.stdout[-2000:]}"
        (suite,) = ElementTree.parse(told).iter("testsuite")
        if suite.get("errors") != "0":
            return f"an error, not a red test:\n{done.stdout[-2000:]}"
        return "caught" if suite.get("failures") != "0" else "NOT CAUGHT: the test stayed green"


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in BREAKS]:
        print(f"unknown breaks {unknown}; there are {list(BREAKS)}", file=sys.stderr)
        return 2
    missed = 0
    for name in names or BREAKS:
        began = time.monotonic()
        said = verdict(name)
        missed += said != "caught"
        print(
            f"{name:8} {BREAKS[name].what:55} {BREAKS[name].test:50} {time.monotonic() - began:4.0f} s  {said}",
            flush=True,
        )
    for name, why in TO_COME.items():
        print(f"{name:8} to come: {why}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
