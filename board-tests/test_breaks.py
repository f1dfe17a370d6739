"""Each named break still fits what it breaks. Needs no board; that tests see them is `make board-mutate`."""

from pathlib import Path

import pytest
from breaks import BREAKS, BreakError, apply

HERE = Path(__file__).resolve().parent


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Where the breaks look, as links would be written through: a copy of the few files that they name."""
    for made in BREAKS.values():
        places = [*(HERE / "guest").glob(f"*/{made.file}"), *HERE.parent.glob(made.file)]
        assert len(places) == 1, f"{made.file}: {places}"
        copy = tmp_path / "over" / made.file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(places[0].read_text())
    return tmp_path


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_changes_one_file(tree: Path, name: str) -> None:
    file = tree / "over" / BREAKS[name].file
    compiled = file.parent / f"__pycache__/{file.stem}.cpython-314.pyc"
    compiled.parent.mkdir()
    compiled.touch()
    before = file.read_text()
    apply(tree, name)
    assert file.read_text() != before
    assert not compiled.exists()


def test_all_breaks_fit_together(tree: Path) -> None:
    for name, made in BREAKS.items():
        apply(tree, name)
        assert made.new in (tree / "over" / made.file).read_text()
    assert len({made.test for made in BREAKS.values()}) == len(BREAKS), "each has a test of its own"


def test_a_break_that_fits_no_more_is_an_error(tree: Path) -> None:
    (tree / "over" / BREAKS["flash"].file).write_text("[channels]\n")
    with pytest.raises(BreakError, match="mend"):
        apply(tree, "flash")
