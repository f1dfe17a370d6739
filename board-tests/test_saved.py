"""A state that was saved is what boards begin with, as often as they like; one that is not whole is an error."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from board import Board
from labgrid import Environment
from labgrid.strategy import StrategyError
from saved import Saved
from strategy import BoardStrategy

MARK, STATE, CUT = "/srv/mark", "marked", "cut"


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(os.environ["LG_PARTS"])


@pytest.fixture(scope="module")
def saved(board: Board, power: BoardStrategy, folder: Path) -> Iterator[Saved]:
    made = power.begin(STATE, "kernel", lambda: mark(board, "saved"), anew=False, again=True)
    assert made
    saved = Saved(folder, STATE)
    yield saved
    saved.remove()


def mark(board: Board, text: str) -> None:
    board.run(f"echo {text} >{MARK}; sync")


def never() -> None:
    pytest.fail("it was made again")


def test_each_begins_where_it_was_saved(board: Board, power: BoardStrategy, saved: Saved) -> None:
    assert saved
    mark(board, "after it was saved")
    for text in ("of one that was restored", "of another one"):
        assert not power.begin(STATE, "kernel", never, anew=False, again=True)
        board.run("echo 3 >/proc/sys/vm/drop_caches")
        assert board.run(f"cat {MARK}") == "saved"
        board.run(f"echo {text} >/srv/mark")
        assert board.fetch("mark").decode() == f"{text}\n", "the ports that were forwarded before lead there again"
        mark(board, text)


def test_who_wants_it_anew_does_not_get_it(power: BoardStrategy, saved: Saved) -> None:
    asked = []
    assert power.begin(STATE, "kernel", lambda: asked.append("make"), anew=True, again=True)
    assert asked == ["make"]


def test_one_that_is_not_whole_is_refused(saved: Saved, folder: Path) -> None:
    cut = Saved(folder, CUT)
    shutil.copy(saved.disk, cut.disk)
    with saved.memory.open("rb") as whole:
        cut.memory.write_bytes(whole.read(1_000_000))
    target = Environment(os.environ["LG_ENV"]).get_target()
    try:
        with pytest.raises(StrategyError, match="is in broken state") as raised:
            target.get_driver("BoardStrategy").begin(CUT, "kernel", never, anew=False, again=True)
        assert "QEMU does not take this saved state" in str(raised.value.__cause__)
    finally:
        cut.remove()
        target.cleanup()
