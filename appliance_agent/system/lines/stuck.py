"""Finds channels that are held for a call that is no more, or whose restart never ends. Pure.

A channel is only called stuck when it was so in every look for a long time, on a line without alarm; it is repaired
a few times an hour at most, and then left to a person.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum

STUCK_S = 120.0
"""All 30 channels of a PRI restart one after the other, each within seconds; no real call is half-made for so long."""
REPAIRS_OF_ONE = 2
REPAIRS_OF_ALL = 10
WITHIN_S = 3600.0


class Why(StrEnum):
    GHOST = "ghost"
    """Held for a channel that Asterisk does not have any more."""
    HELD = "held"
    """The signalling holds a call that no channel of Asterisk's belongs to."""
    RESTARTING = "restarting"
    """Not free, and no call on it: its restart was never answered."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of one channel."""

    owner: str
    """Unique id of Asterisk's channel on it; "" for none."""
    idle: bool = True
    """Free for a call, as the signalling sees it."""
    call: bool = False
    """The signalling holds a call."""
    settled: bool = True
    """Its line has no alarm and its link is up: what is busy now is busy for a reason of its own."""


Key = tuple[str, int]
"""(line, timeslot)"""


def suspicion(look: Look, alive: Set[str]) -> Why | None:
    if not look.settled:
        return None
    if look.owner:
        return Why.GHOST if look.owner not in alive else None
    if look.call:
        return Why.HELD
    return Why.RESTARTING if not look.idle else None


@dataclass(frozen=True, slots=True)
class Suspects:
    since: Mapping[Key, tuple[Why, float]] = field(default_factory=dict)
    """Since when each is suspected, without a break."""
    repaired: tuple[tuple[Key, float], ...] = ()
    """When which was repaired, within the last hour."""

    def stuck(self, now: float) -> Mapping[Key, Why]:
        return {key: why for key, (why, since) in self.since.items() if now - since >= STUCK_S}


def observe(before: Suspects, looks: Mapping[Key, Look], alive: Set[str], now: float) -> Suspects:
    since: dict[Key, tuple[Why, float]] = {}
    for key, look in looks.items():
        if why := suspicion(look, alive):
            was = before.since.get(key)
            since[key] = was if was is not None and was[0] is why else (why, now)
    return Suspects(since, tuple(one for one in before.repaired if now - one[1] < WITHIN_S))


def due(suspects: Suspects, now: float) -> list[Key]:
    """Which may be repaired now."""
    found: list[Key] = []
    for key in sorted(suspects.stuck(now)):
        own = sum(1 for repaired, _ in suspects.repaired if repaired == key)
        if own < REPAIRS_OF_ONE and len(suspects.repaired) + len(found) < REPAIRS_OF_ALL:
            found.append(key)
    return found


def repaired(suspects: Suspects, key: Key, now: float) -> Suspects:
    """A repair was tried: the channel gets the whole time again to show that it helped."""
    since = {other: seen for other, seen in suspects.since.items() if other != key}
    return Suspects(since, (*suspects.repaired, (key, now)))
