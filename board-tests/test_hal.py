"""Our own suites for DAHDI, run on the board itself: the real driver passes the conformance tests that the simulated
box passes on every machine, and the line engine keeps time on real channels.

Each line of a suite's summary that is not "passed" is a failure here: nothing is skipped.
"""

import re

from board import Board

PYTEST = (
    "cd /usr/lib/suite && PYTHONDONTWRITEBYTECODE=1 SA800_REAL_DAHDI=1 PYTHONPATH=.:site:/usr/lib/sa800 "
    "python3 -m pytest -p pytest_asyncio -p no:cacheprovider -o asyncio_mode=auto "
    "-o asyncio_default_fixture_loop_scope=function -q --color=no --tb=short"
)


def passes(board: Board, suite: str, least: int) -> None:
    said = board.run(f"{PYTEST} tests/hal/{suite} 2>&1 || true", limit_s=900)
    passed = re.fullmatch(r"(\d+) passed in .*", said.splitlines()[-1])
    assert passed, said
    assert int(passed[1]) >= least


def test_the_hardware_layer_passes_its_conformance_tests(board: Board) -> None:
    passes(board, "test_conformance_acts.py", 10)


def test_the_line_engine_keeps_time(board: Board) -> None:
    passes(board, "real_engine.py", 9)


def test_a_channel_is_tapped_beside_whoever_holds_it(board: Board) -> None:
    passes(board, "test_conformance_taps.py", 6)
