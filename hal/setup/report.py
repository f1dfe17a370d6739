"""What came of bringing the lines up: for the box agent, which cannot ask root. Pure."""

import json
from dataclasses import asdict, dataclass
from typing import Any

VERSION = 1


class NoReport(ValueError):
    """The text is no report of this release; says why."""


@dataclass(frozen=True, slots=True)
class LineReport:
    """A line that is there."""

    name: str
    span: int
    """DAHDI's number."""
    channel: int
    """First DAHDI channel."""
    channels: int
    configured: bool = False
    """Read back as planned; False also for a line without a plan."""
    trouble: str = ""
    """Why it is not as planned; such a line must not reach Asterisk's files."""
    unverified: tuple[str, ...] = ()
    """What was set and could not be read back."""


@dataclass(frozen=True, slots=True)
class Report:
    lines: tuple[LineReport, ...] = ()
    missing: tuple[str, ...] = ()
    """Planned, and not there."""
    troubles: tuple[str, ...] = ()
    """What concerns no single line: a span without a number, a card that is not served."""


def to_json(report: Report) -> str:
    return json.dumps({"version": VERSION, **asdict(report)}, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> Report:
    """Raises NoReport."""
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            raise NoReport(f"version {document['version']}, this release reads {VERSION}")
        return Report(
            tuple(_line(line) for line in document["lines"]), tuple(document["missing"]), tuple(document["troubles"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise NoReport(f"no report of lines: {error}") from error


def _line(told: dict[str, Any]) -> LineReport:
    return LineReport(**{**told, "unverified": tuple(told["unverified"])})
