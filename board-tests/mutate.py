"""make board-mutate [BREAKS="law flash"]: each named break must turn its test red, for its reason. 0 when all did.

Those of the board are made together, so that tests share their boots.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

from breaks import BREAKS, Where, apply

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
LIMIT_S = 3600


def on_board(names: list[str], report: Path) -> str:
    """What pytest wrote; its report is in the file."""
    environment = {**os.environ, "BOARD_BREAKS": " ".join(names)}
    return _pytest([HERE / "run", "test"], names, report, HERE, environment)


def of_render(names: list[str], report: Path) -> str:
    """The same, in a copy of what git knows."""
    python = Path(subprocess.check_output([REPOSITORY / "image/host/venv"], text=True).strip()) / "bin/python"
    listed = subprocess.check_output(["git", "-C", REPOSITORY, "ls-files", "-z"], text=True)
    with tempfile.TemporaryDirectory(prefix="sa800-mutate-") as folder:
        copy = Path(folder)
        for file in listed.rstrip("\0").split("\0"):
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / file, copy / file, follow_symlinks=False)
        for name in names:
            apply(copy, name)
        return _pytest([python, "-m", "pytest"], names, report, copy, dict(os.environ))


def _pytest(
    command: list[Path | str], names: list[str], report: Path, folder: Path, environment: dict[str, str]
) -> str:
    done = subprocess.run(
        [*command, "-q", f"--junitxml={report}", *(BREAKS[name].test for name in names)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return done.stdout


RUNS = {Where.BOARD: on_board, Where.RENDER: of_render}


def verdicts(where: Where, names: list[str]) -> dict[str, str]:
    """By break: `caught`, or what happened instead."""
    with tempfile.TemporaryDirectory(prefix="sa800-mutate-") as folder:
        report = Path(folder) / "report.xml"
        output = RUNS[where](names, report)
        if not report.exists():
            return dict.fromkeys(names, f"no test ran:\n{output[-2000:]}")
        cases = {case.get("name"): case for case in ElementTree.parse(report).iter("testcase")}
    return {name: _verdict(name, cases.get(BREAKS[name].test.partition("::")[2]), output) for name in names}


def _verdict(name: str, case: ElementTree.Element | None, output: str) -> str:
    if case is None or case.find("error") is not None:
        return f"an error, not a red test:\n{output[-2000:]}"
    failure = case.find("failure")
    if failure is None:
        return "NOT CAUGHT: the test stayed green"
    said = f"{failure.get('message')}\n{failure.text}"
    return "caught" if BREAKS[name].says in said else f"red for another reason than {BREAKS[name].says!r}:\n{said}"


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in BREAKS]:
        print(f"unknown breaks {unknown}; there are {list(BREAKS)}", file=sys.stderr)
        return 2
    missed = 0
    for where in Where:
        begun = time.monotonic()
        if made := [name for name in names or BREAKS if BREAKS[name].where is where]:
            for name, verdict in verdicts(where, made).items():
                missed += verdict != "caught"
                print(f"{name:8} {BREAKS[name].what:52} {BREAKS[name].test:66} {verdict}")
            print(f"{where.value}: {time.monotonic() - begun:.0f} s", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
