"""Figures that are told at the end of the run, by file: this machine's seconds, how many of them the emulator computed
(the same beside whatever else the machine does), then what its tests told.

With several boards (boards.py) tests run in other processes; what they tell travels with their reports.
"""

import resource
from collections.abc import Callable, Generator, Iterator
from itertools import groupby
from typing import Any

import pytest
from board import Board

TOLD = pytest.StashKey[list[str]]()
COMPUTED = pytest.StashKey[float]()
"""Seconds of processor that were told already."""
TOLD_IN, COMPUTED_IN = "told", "computed_s"
"""Names of properties of a report."""


@pytest.fixture(scope="session")
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """For what belongs to a file."""
    return pytestconfig.stash.setdefault(TOLD, []).append


@pytest.fixture
def say(request: pytest.FixtureRequest, tell: Callable[[str], None]) -> Callable[[str], None]:
    """For figures of one test."""
    return lambda line: tell(f"{request.node.name}: {line}")


@pytest.fixture(autouse=True)
def told(request: pytest.FixtureRequest, say: Callable[[str], None]) -> Iterator[None]:
    """Seconds and idle share of each test, on the board's own clock."""
    board = _board_of(request)
    if board is None:
        yield
        return
    before = board.times()
    yield
    seconds, idle = board.times().since(before)
    say(f"{seconds:.1f} s, guest {idle:.0%} idle")


def _board_of(request: pytest.FixtureRequest) -> Board | None:
    for name in ("board", "product"):
        if name in request.fixturenames:
            board: Board = request.getfixturevalue(name)
            return board
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "teardown":
        told = item.config.stash.setdefault(TOLD, [])
        report.user_properties += [(COMPUTED_IN, _computed_s(item.config)), *((TOLD_IN, line) for line in told)]
        told.clear()
    return report


def _computed_s(config: pytest.Config) -> float:
    """Of programs that have ended since it was last asked: the emulator, after the last test of a file."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    before, config.stash[COMPUTED] = config.stash.get(COMPUTED, 0.0), used.ru_utime + used.ru_stime
    return config.stash[COMPUTED] - before


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [one for kind in terminalreporter.stats.values() for one in kind if isinstance(one, pytest.TestReport)]
    for file, of_file in groupby(sorted(reports, key=lambda one: (_file(one), one.start)), _file):
        own = list(of_file)
        seconds, computed_s = sum(one.duration for one in own), sum(sum(_told(one, COMPUTED_IN)) for one in own)
        terminalreporter.write_line(f"{file}: {seconds:.0f} s, of them {computed_s:.0f} s computed")
        for line in (value for one in own for value in _told(one, TOLD_IN)):
            terminalreporter.write_line(f"  {line}")


def _told(report: pytest.TestReport, name: str) -> list[Any]:
    return [value for key, value in report.user_properties if key == name]


def _file(report: pytest.TestReport) -> str:
    return report.nodeid.partition("::")[0]
