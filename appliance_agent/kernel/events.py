"""Events on the bus: what one part tells the others without knowing them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class AsteriskUp:
    """AMI and ARI answer (again) and their state was read anew."""

    restarted: bool
    """Asterisk itself is a new process since last seen: seats and dynamic objects must be replayed."""
    startup_time: str


@dataclass(frozen=True, slots=True)
class AsteriskDown:
    reason: str


@dataclass(frozen=True, slots=True)
class LinesReported:
    """Telephone lines were brought up anew, or are there no more: another report of them lies on the disk."""


@dataclass(frozen=True, slots=True)
class VersionApplied:
    """A configuration version runs now; `ConfigHolder` already has it."""

    version: int


@dataclass(frozen=True, slots=True)
class JobChanged:
    job: dict[str, Any]
    """As in GET /config/jobs/{id}."""


@dataclass(frozen=True, slots=True)
class LineTestChanged:
    """A line test began, went on by a second, or ended."""

    test: dict[str, Any]
    """As in GET /lines/{name}/tests."""


@dataclass(frozen=True, slots=True)
class LinkProbeChanged:
    """A probe of a link began, went on by a second, or ended."""

    probe: dict[str, Any]
    """As in GET /link-probes/{id}."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Log-out, expiry, or an administrator's act."""

    session_id: str
    user_id: str
    reason: str
    last_of_user: bool


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """A session was opened or took another extension."""

    session_id: str
    user_id: str
    extension: str | None


@dataclass(frozen=True, slots=True)
class RecordWritten:
    call_id: str
    result: str


@dataclass(frozen=True, slots=True)
class LiveChanged:
    """Something on the live board changed. `kind`: queues | seats | calls | alarms | lines; `object` None = gone."""

    kind: str
    id: str
    object: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pop:
    """A seat is being rung: to the pages of the user at `extension` only. `body` as in docs/api.md."""

    extension: str
    body: dict[str, Any]
