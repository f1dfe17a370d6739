"""From a line's facts to the box's alarm about it. Pure."""

from dataclasses import dataclass
from typing import Any

from appliance_agent.system.alarms import Level
from appliance_agent.system.lines.facts import LineFacts, Shown
from hal.model.inventory import PortKind
from hal.protocols.voice import Alarm

SETTLE_S = 15.0
"""Cards that restart and applies that configure a line anew make it go away for some seconds."""

LINE_ALARM, LINE_MISSING, LINE_NOT_READY, LINE_STUCK = "line.alarm", "line.missing", "line.not_ready", "line.stuck"
KEYS = (LINE_ALARM, LINE_MISSING, LINE_NOT_READY, LINE_STUCK)
"""Alarms whose subject is a line's name."""


@dataclass(frozen=True, slots=True)
class Trouble:
    key: str
    level: Level
    detail: dict[str, Any]


def troubles(facts: LineFacts, state: Shown, lasted_s: float) -> list[Trouble]:
    """What is wrong with a line that somebody counts on; lines that nobody configured are nobody's trouble."""
    if facts.wanted is None:
        return []
    found = []
    named = {"name": facts.wanted.label}
    if state is Shown.ALARM:
        found.append(Trouble(LINE_ALARM, _level(facts), {**named, "alarms": sorted(facts.alarms)}))
    if state is Shown.MISSING and lasted_s >= SETTLE_S:
        found.append(Trouble(LINE_MISSING, Level.CRITICAL, named))
    if state is Shown.NOT_READY and lasted_s >= SETTLE_S:
        found.append(Trouble(LINE_NOT_READY, Level.WARNING, named))
    if facts.stuck:
        found.append(Trouble(LINE_STUCK, Level.WARNING, {**named, "timeslots": sorted(facts.stuck)}))
    return found


def _level(facts: LineFacts) -> Level:
    """An E1 in alarm is 30 lines without service; recovering it is on its way back."""
    if facts.kind is PortKind.E1 and facts.alarms != {Alarm.RECOVERING}:
        return Level.CRITICAL
    return Level.WARNING
