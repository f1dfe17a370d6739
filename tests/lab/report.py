"""What a failed test of a lab shows beside its traceback: how the boxes' and the exchange's own logs end.

Star-imported by tests.lab.fixtures, so that each folder with labs has the hook."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.lab import Lab

__all__ = ["pytest_runtest_makereport"]

LOG_CHARS = 4000
JOURNAL_CHARS = 12_000
"""Some 30 rows: a call or two."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report: Any = yield
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.failed and isinstance(lab, Lab) and not any("log of" in title for title, _ in report.sections):
        report.sections.extend(sections(lab))
    return report


def sections(lab: Lab) -> list[tuple[str, str]]:
    """(title, end of the log) for each log that is there."""
    found: list[tuple[str, str]] = []
    for box in lab.boxes:
        logs = sorted(box.path("/var/log/sa800").glob("*.log"))
        found += [(f"log of {box.name}: {log.name}", _end(log, LOG_CHARS)) for log in logs]
        found.append((f"log of {box.name}: journal", _end(box.journal, JOURNAL_CHARS)))
    return found


def _end(path: Path, chars: int) -> str:
    try:
        return path.read_text(errors="replace")[-chars:]
    except OSError as error:
        return f"cannot be read: {error.strerror}"
