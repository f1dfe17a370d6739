"""How many boards there are at a time, which files they begin with, and who makes what they begin from."""

import fcntl
from pathlib import Path

import pytest
from boards import FIRST, MOST, workers
from saved import Saved


@pytest.mark.parametrize(
    ("environment", "asked", "processors", "boards"),
    [
        ("qemu.yaml", ["/somewhere/board-tests"], 2, 2),
        ("qemu.yaml", ["test_r2.py", "test_ss7.py::test_a_lost_link_is_aligned_again"], 2, 2),
        ("qemu.yaml", ["test_ss7.py::test_a_lost_link_is_aligned_again", "test_ss7.py"], 2, 0),
        ("qemu.yaml", ["test_ss7.py"], 2, 0),
        ("qemu.yaml", ["/somewhere/board-tests"], 1, 0),
        ("qemu.yaml", ["/somewhere/board-tests"], 64, MOST),
        ("bench.yaml", ["/somewhere/board-tests"], 2, 0),
    ],
)
def test_boards_at_a_time(
    monkeypatch: pytest.MonkeyPatch, environment: str, asked: list[str], processors: int, boards: int
) -> None:
    monkeypatch.setenv("LG_ENV", str(Path(__file__).parent / environment))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(processors))
    assert workers(asked) == boards


def test_the_files_to_begin_with_are_there() -> None:
    assert [name for name in FIRST if not (Path(__file__).parent / name).is_file()] == []


def test_a_state_is_there_once_it_is_whole_and_made_by_one_at_a_time(tmp_path: Path) -> None:
    saved = Saved(tmp_path, "product")
    with saved.alone():
        assert not saved
        saved.disk.touch()
        saved.memory.with_suffix(".part").touch()
        assert not saved, "whoever made it was killed"
        with saved.lock.open() as second, pytest.raises(BlockingIOError):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    saved.memory.touch()
    assert saved
    assert not Saved(tmp_path, "board")
    saved.remove()
    assert not saved
