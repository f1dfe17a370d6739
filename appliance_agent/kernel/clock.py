"""Time as a dependency: policy gets `now` passed in, drivers get a Clock."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now_us(self) -> int:
        """Microseconds since the epoch, UTC. May jump."""
        ...

    def monotonic(self) -> float:
        """Seconds; never goes back. For durations and time-outs."""
        ...


class SystemClock:
    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()


def rfc3339(time_us: int) -> str:
    """UTC with milliseconds, as the API writes times: 2026-11-22T08:00:00.000Z."""
    moment = datetime.fromtimestamp(time_us // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_us // 1000 % 1000:03d}Z"


def parse_rfc3339(text: str) -> int:
    """RFC 3339 with any offset → microseconds. Raises ValueError; a time without an offset is one."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; add Z or +08:00")
    delta = moment - datetime.fromtimestamp(0, UTC)
    return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds
