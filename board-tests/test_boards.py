"""How many boards there are at a time."""

from pathlib import Path

import pytest
from boards import MOST, workers


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
