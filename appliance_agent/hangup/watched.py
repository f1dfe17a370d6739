"""Which ports are listened to: the rendered file, parsed once."""

import json
from dataclasses import dataclass
from typing import Any

from appliance_agent.kernel.errors import Fault, FaultKind


@dataclass(frozen=True, slots=True)
class LearnedTone:
    """The busy tone of a foreign exchange, in addition to the Chinese ones."""

    hz: tuple[float, ...]
    """One or two frequencies."""
    cadence_ms: tuple[int, ...]
    """On, off, …"""


@dataclass(frozen=True, slots=True)
class Watched:
    line: str
    """hal's name, for the log."""
    channel: int
    """DAHDI's number."""
    learned: LearnedTone | None = None


def from_json(text: str, where: str) -> tuple[Watched, ...]:
    """[{"line": "fxo-1", "channel": 17, "learned": null | {"hz": [425], "cadence_ms": [500, 250]}}]. Raises Fault."""
    try:
        return tuple(_port(one) for one in json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise Fault(
            FaultKind.INVALID, "hangup.file", f"{where} cannot be understood: {error!r}",
            hint="Apply the configuration again; it renders this file.",
        ) from error  # fmt: skip


def _port(one: dict[str, Any]) -> Watched:
    learned = one["learned"]
    tone = LearnedTone(tuple(map(float, learned["hz"])), tuple(map(int, learned["cadence_ms"]))) if learned else None
    return Watched(str(one["line"]), int(one["channel"]), tone)
