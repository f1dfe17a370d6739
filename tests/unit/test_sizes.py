"""Small files, one idea each: no file over 500 lines, no function over 60."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES, MOST_FUNCTION_LINES = 500, 60
EXCEPTIONS: dict[str, str] = {}
"""path → why it may be longer."""


def sources(*suffixes: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = listed.stdout.split("\n") if listed.returncode == 0 and listed.stdout else []
    paths = [ROOT / name for name in names] or list(ROOT.rglob("*"))
    return sorted(path for path in paths if path.suffix in suffixes and path.is_file())


def too_long(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MOST_FUNCTION_LINES:
                found.append(f"{node.name} has {length} lines")
    return found


def test_no_file_is_too_long() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in sources(".py", ".c", ".h", ".ts", ".vue", ".js")
        if (count := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert not (long.keys() - EXCEPTIONS.keys()), f"split by what they know: {long}"


def test_no_function_is_too_long() -> None:
    found = {str(path.relative_to(ROOT)): long for path in sources(".py") if (long := too_long(path.read_text()))}
    assert not found, found


def test_exceptions_are_still_needed() -> None:
    for name in EXCEPTIONS:
        assert len((ROOT / name).read_text().splitlines()) > MOST_LINES, f"{name} is short now: remove its exception"


@pytest.mark.parametrize("lines", [MOST_FUNCTION_LINES, MOST_FUNCTION_LINES + 1])
def test_the_check_can_fail(lines: int) -> None:
    source = "def f():\n" + "    pass\n" * (lines - 1)
    assert bool(too_long(source)) == (lines > MOST_FUNCTION_LINES)
