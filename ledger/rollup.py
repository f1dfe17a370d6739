"""Calls summed by the quarter of an hour (UTC): from these sums come the same figures as from the records. Pure.

A quarter, because offsets of time zones are not whole hours. Sums are only added to; where a record is replaced or
goes, its quarter is summed anew from its records, because a maximum cannot be taken back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.model import Direction
from ledger.report import DEFAULT_TARGET_MS, By, CallLike, Figures, Sum, bucket_of, buckets

QUARTER_US = 900_000_000
TARGETS_S = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)
"""Service levels that the sums can tell: headquarters compares branches by one of these."""


class Key(NamedTuple):
    at_us: int
    """When the quarter began."""
    direction: str
    queue: str


@dataclass(slots=True)
class Sums:
    offered: int = 0
    answered: int = 0
    queued: int = 0
    wait_ms: int = 0
    max_wait_ms: int = 0
    talk_ms: int = 0
    within: list[int] = field(default_factory=lambda: [0] * len(TARGETS_S))
    """Answered after waiting no longer than the target: one count for each of TARGETS_S."""

    def add(self, call: CallLike) -> None:
        answered = call.answered_us is not None
        self.offered += 1
        self.answered += answered
        if answered:
            self.talk_ms += call.talk_ms
        if not call.queue:
            return
        self.queued += 1
        self.wait_ms += call.wait_ms
        self.max_wait_ms = max(self.max_wait_ms, call.wait_ms)
        if answered:
            for index, target_s in enumerate(TARGETS_S):
                self.within[index] += call.wait_ms <= target_s * 1000

    def merge(self, other: "Sums") -> None:
        self.offered += other.offered
        self.answered += other.answered
        self.queued += other.queued
        self.wait_ms += other.wait_ms
        self.max_wait_ms = max(self.max_wait_ms, other.max_wait_ms)
        self.talk_ms += other.talk_ms
        self.within = [mine + theirs for mine, theirs in zip(self.within, other.within, strict=True)]


def quarter_of(time_us: int) -> int:
    return time_us - time_us % QUARTER_US


def key_of(call: CallLike) -> Key:
    return Key(quarter_of(call.started_us), str(call.direction), call.queue)


def rollup(calls: Iterable[CallLike]) -> dict[Key, Sums]:
    sums: dict[Key, Sums] = {}
    for call in calls:
        key = key_of(call)
        if key not in sums:
            sums[key] = Sums()
        sums[key].add(call)
    return sums


class Segment(NamedTuple):
    """From here to the next segment, every moment is in this bucket."""

    at_us: int
    bucket: str


def segments(from_us: int, to_us: int, by: By, zone: ZoneInfo) -> list[Segment]:
    """In order. `from_us` is the start of a quarter; zones change their offset at one."""
    found: list[Segment] = []
    for at_us in range(from_us, to_us, QUARTER_US):
        bucket = bucket_of(at_us, by, zone)
        if not found or found[-1].bucket != bucket:
            found.append(Segment(at_us, bucket))
    return found


class RollupReport:
    """`ledger.report.CallsReport` over sums: inbound calls of [from_us, to_us), both at starts of quarters."""

    def __init__(
        self, from_us: int, to_us: int, by: By, zone: ZoneInfo, *, queue: str = "", targets_ms: dict[str, int]
    ) -> None:
        """Raises ValueError: a span that cuts a quarter, a target that is not one of TARGETS_S."""
        if from_us % QUARTER_US or to_us % QUARTER_US:
            raise ValueError("from and to must be whole quarters of an hour")
        if unknown := sorted(set(targets_ms.values()) - {target_s * 1000 for target_s in TARGETS_S}):
            raise ValueError(f"targets of {unknown} ms; sums know {', '.join(map(str, TARGETS_S))} s")
        self._queue, self._targets_ms = queue, targets_ms
        self._from_us, self._to_us, self._by, self._zone = from_us, to_us, by, zone
        self._sums = {bucket: Sum() for bucket in buckets(from_us, to_us, by, zone)}
        self._total = Sum()

    def add(self, key: Key, sums: Sums) -> None:
        """Of one quarter."""
        if self._from_us <= key.at_us < self._to_us:
            self.add_bucket(bucket_of(key.at_us, self._by, self._zone), key.direction, key.queue, sums)

    def add_bucket(self, bucket: str, direction: str, queue: str, sums: Sums) -> None:
        """Sums of any quarters of this bucket, added up by the database."""
        if direction != Direction.INBOUND or (self._queue and queue != self._queue):
            return
        index = TARGETS_S.index(self._targets_ms.get(queue, DEFAULT_TARGET_MS) // 1000)
        for total in (self._sums[bucket], self._total):
            total.merge(
                Sum(
                    offered=sums.offered,
                    answered=sums.answered,
                    queued=sums.queued,
                    in_time=sums.within[index],
                    wait_ms=sums.wait_ms,
                    talk_ms=sums.talk_ms,
                    max_wait_ms=sums.max_wait_ms,
                )
            )

    def rows(self) -> list[Figures]:
        return [total.figures(bucket) for bucket, total in self._sums.items()]

    def total(self) -> Figures:
        return self._total.figures("")
