"""A folder's README lists what is in the folder: nothing missing, nothing gone."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(
    path.parent
    for top in ("appliance_agent", "contracts", "hal", "hq", "ledger")
    for path in (ROOT / top).rglob("README.md")
)


def tracked(folder: Path) -> set[str]:
    listed = subprocess.run(["git", "ls-files", "."], cwd=folder, capture_output=True, text=True, check=False)
    names = listed.stdout.split() if listed.returncode == 0 and listed.stdout else []
    names = names or [str(path.relative_to(folder)) for path in folder.rglob("*.py")]
    files = {name for name in names if "/" not in name and name.endswith(".py")} - {"__init__.py"}
    return files | {name.split("/")[0] + "/" for name in names if "/" in name}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_readme_lists_its_folder(folder: Path) -> None:
    said = set(re.findall(r"^\| `([^`]+)` \|", (folder / "README.md").read_text(), re.M))
    assert said == tracked(folder)


def test_there_are_readmes() -> None:
    assert len(FOLDERS) >= 12


def test_a_decision_has_a_number_of_its_own() -> None:
    adrs = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [path.name[:4] for path in adrs] == [f"{number:04}" for number in range(1, len(adrs) + 1)]
    for path in adrs:
        assert path.read_text().startswith(f"# {path.name[:4]} · "), path.name
