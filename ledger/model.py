"""Types of the ledger. Times are microseconds since the epoch, UTC (`*_us`); durations are milliseconds (`*_ms`)."""

from dataclasses import dataclass, field
from enum import StrEnum


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class Result(StrEnum):
    """How the call ended, from the caller's point of view. Closed set; reports count these."""

    ANSWERED = "answered"
    """A person (extension or outside party) talked with the caller."""
    ABANDONED_MENU = "abandoned_menu"
    """Caller hung up in the menu, or the menu gave up."""
    ABANDONED_QUEUE = "abandoned_queue"
    """Caller hung up while waiting in a queue."""
    QUEUE_TIMEOUT = "queue_timeout"
    QUEUE_UNAVAILABLE = "queue_unavailable"
    """Nobody logged in, or the queue was full."""
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CANCELLED = "cancelled"
    """Caller hung up while one extension or outside number rang."""
    FAILED = "failed"
    UNKNOWN_NUMBER = "unknown_number"
    """The DID is not configured."""
    INTERRUPTED = "interrupted"
    """Asterisk or power died during the call; ended_us is the last event seen (a lower bound)."""


@dataclass(frozen=True, slots=True)
class Event:
    """One journal row, converted at the door by `ledger.journal.parse_line`."""

    seq: int
    """Order in the journal: strictly rising over generations; the tie-breaker where clocks jump."""
    type: str
    """CEL event type, e.g. CHAN_START; for USER_DEFINED the `contracts.journal.UserEvent` value."""
    time_us: int
    uniqueid: str
    linkedid: str
    channel: str
    caller_number: str = ""
    caller_name: str = ""
    exten: str = ""
    context: str = ""
    app: str = ""
    app_data: str = ""
    peer: str = ""
    data: dict[str, str] = field(default_factory=dict)
    """User event: its decoded keys. Others: the decoded eventextra object, flattened to strings (hangupcause,
    hangupsource, dialstatus, bridge_id, channel2_uniqueid, transferee_channel_uniqueid …)."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One channel of the call."""

    uniqueid: str
    channel: str
    role: str
    """caller | callee | consultation"""
    extension: str
    """Extension number, or "" for a trunk leg."""
    trunk: str
    number: str
    """The party's number as known on this leg."""
    started_us: int
    answered_us: int | None
    ended_us: int
    ring_ms: int
    hold_ms: int
    hangup_cause: int
    """Q.850; 0 = unknown."""
    connected: bool
    """Was in a bridge with the customer (or with the calling extension)."""


@dataclass(frozen=True, slots=True)
class QueueVisit:
    queue: str
    joined_us: int
    left_us: int
    wait_ms: int
    outcome: str
    """answered | abandon | timeout | full | joinempty | leaveempty | unavail | interrupted"""
    answered_by: str
    """Extension, or ""."""


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """What happened, for people: shown in the record's detail in order."""

    time_us: int
    kind: str
    """start did menu digit queue_join ring answer hold unhold transfer queue_leave record hangup interrupted"""
    detail: dict[str, str]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call = one record, legs below it."""

    call_id: str
    """linkedid of the call's first channel."""
    direction: Direction
    result: Result
    caller_number: str
    caller_name: str
    called_number: str
    did: str
    trunk: str
    line: str
    """Which line the outside leg was on: a telephone line and its timeslot ("fxo-1", "e1-2:5"), else the channel's
    name."""
    menu_path: tuple[str, ...]
    """"<menu id>:<digit>" for each choice, in order."""
    queue: str
    """The last queue visited, or ""."""
    extension: str
    """The extension that talked last with the customer (inbound), or that called (outbound, internal)."""
    started_us: int
    answered_us: int | None
    """First time a person was connected; the menu's own Answer() does not count."""
    ended_us: int
    menu_ms: int
    wait_ms: int
    """Queue waiting, all visits."""
    ring_ms: int
    talk_ms: int
    """Connected with a person, hold included."""
    hold_ms: int
    transfers: int
    hangup_by: str
    """caller | callee | system | "" """
    hangup_cause: int
    recording: str
    """File name in the recording spool (no folder), or ""."""
    legs: tuple[Leg, ...]
    queue_visits: tuple[QueueVisit, ...]
    timeline: tuple[TimelineItem, ...]
