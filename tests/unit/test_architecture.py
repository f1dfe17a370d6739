"""ARCHITECTURE.md is checked against the disk: a tree or a step that drifted is an error, not a nuisance."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text()


def tracked() -> set[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return set(listed.stdout.split("\n")) - {""}
    return {str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()}


def section(title: str) -> str:
    start = TEXT.index(f"## {title}\n")
    end = TEXT.find("\n## ", start + 1)
    return TEXT[start : end if end > 0 else None]


def test_the_tree_is_what_is_on_the_disk() -> None:
    tree = section("The tree")
    said = {line.split()[0].rstrip("/") for line in tree.splitlines() if re.match(r"^[a-zA-Z]", line)}
    said -= {"```"}
    there = {name.split("/")[0] for name in tracked() if not name.startswith(".")}
    pages = {name for name in there if name.endswith(".md")}
    assert said == there - pages, f"only said: {said - there}; only there: {there - pages - said}"


def test_every_function_that_the_text_names_exists() -> None:
    named = re.findall(r"`([\w./-]+\.(?:py|ts|vue)):(\w+)`", TEXT)
    assert len(named) >= 12, "the life of one call names file and function per step"
    for path, name in named:
        file = ROOT / path
        assert file.is_file(), f"{path} is named in ARCHITECTURE.md and does not exist"
        pattern = rf"\b(def|class|function|const|async)\s+{name}\b|\b{name}\s*[(=:]"
        assert re.search(pattern, file.read_text()), f"{path} has no {name}"


def test_every_path_that_the_text_names_exists() -> None:
    for path in re.findall(r"`((?:tests|docs|image|web|appliance_agent|ledger|contracts|hal)/[\w./-]+)`", TEXT):
        assert (ROOT / path).exists(), f"{path} is named in ARCHITECTURE.md and does not exist"
