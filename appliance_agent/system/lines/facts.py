"""Everything known of one line at one moment, and what is shown of it. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance_agent.kernel.clock import rfc3339
from appliance_agent.system.lines.wanted import Wanted
from hal.model.inventory import PortKind
from hal.protocols.voice import Alarm, PortState, SpanState


class Shown(StrEnum):
    """One word for a line, the first that holds."""

    REFUSED = "refused"
    """The edition does not serve it."""
    MISSING = "missing"
    """Configured or named, and its card is not there."""
    NOT_CONFIGURED = "not_configured"
    NOT_READY = "not_ready"
    """Configured, and DAHDI has not (yet) taken it."""
    ALARM = "alarm"
    BLOCKED = "blocked"
    """All of it was taken out of service by a person."""
    TESTING = "testing"
    """A person's test is on it, and no other call."""
    IN_CALL = "in_call"
    IN_SERVICE = "in_service"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the hardware said of a line."""

    port: PortState
    span: SpanState | None = None
    """E1 only."""

    @property
    def alarms(self) -> frozenset[Alarm]:
        return self.span.alarms if self.span is not None else self.port.alarms


@dataclass(frozen=True, slots=True)
class LineFacts:
    name: str
    kind: PortKind
    order: int
    present: bool
    served: bool
    wanted: Wanted | None
    reading: Reading | None
    """None: missing, or the hardware has not said anything yet."""
    timeslots: int = 1
    calls: frozenset[int] = frozenset()
    """Timeslots in a call; an analog line has timeslot 1 only."""
    blocked: frozenset[int] = frozenset()
    stuck: frozenset[int] = frozenset()
    testing: frozenset[int] = frozenset()

    @property
    def alarms(self) -> frozenset[Alarm]:
        return self.reading.alarms if self.reading is not None else frozenset()

    @property
    def bearers(self) -> frozenset[int]:
        """Timeslots that carry talk."""
        link = self.wanted.data_link if self.wanted is not None else 0
        return frozenset(range(1, self.timeslots + 1)) - {link}


def shown(facts: LineFacts) -> Shown:
    ready = facts.reading is not None and facts.reading.port.signalling is not None
    first = {
        Shown.REFUSED: facts.present and not facts.served,
        Shown.MISSING: not facts.present,
        Shown.NOT_CONFIGURED: facts.wanted is None,
        Shown.NOT_READY: not ready,
        Shown.ALARM: bool(facts.alarms),
        Shown.BLOCKED: facts.bearers <= facts.blocked,
        Shown.TESTING: bool(facts.testing) and facts.calls <= facts.testing,
        Shown.IN_CALL: bool(facts.calls),
    }
    return next((state for state, holds in first.items() if holds), Shown.IN_SERVICE)


def live_object(facts: LineFacts, state: Shown, since_us: int) -> dict[str, Any]:
    """As in docs/api.md, "Live objects". `since_us`: since when the state is the present one."""
    wanted = facts.wanted
    return {
        "id": facts.name,
        "kind": facts.kind.value,
        "order": facts.order,
        "state": state.value,
        "since": rfc3339(since_us),
        "alarms": sorted(facts.alarms),
        "label": wanted.label if wanted else "",
        "signalling": wanted.signalling if wanted else "",
        "number": wanted.number if wanted else "",
        "timeslots": facts.timeslots,
        "calls": sorted(facts.calls),
        "blocked": sorted(facts.blocked),
        "stuck": sorted(facts.stuck),
    }
