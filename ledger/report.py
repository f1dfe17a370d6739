"""Figures of the calls report: inbound calls by hour, day or hour of the day, in the site's time zone. Pure.

Every figure has its definition beside it, in Chinese and English; the panel shows these texts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from ledger.model import Direction


class By(StrEnum):
    HOUR = "hour"
    DAY = "day"
    HOUR_OF_DAY = "hour_of_day"


class CallLike(Protocol):
    """What the figures need of a record: CallRecord has it, a database row with these columns too."""

    @property
    def direction(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def started_us(self) -> int: ...
    @property
    def answered_us(self) -> int | None: ...
    @property
    def wait_ms(self) -> int: ...
    @property
    def talk_ms(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Figures:
    """None: nothing was counted that could be averaged."""

    bucket: str
    """Hour: its start, 2026-11-22T08:00:00+08:00; day: 2026-11-22; hour of day: 08; total: ""."""
    offered: int
    answered: int
    lost: int
    lost_rate: float | None
    avg_wait_ms: int | None
    max_wait_ms: int | None
    avg_talk_ms: int | None
    service_level: float | None


DEFINITIONS: dict[str, tuple[str, str]] = {
    "offered": (
        "呼入电话数：开始时间落在该时段内的全部呼入通话，包括只听了语音菜单的和打错号码的。",
        "Calls from outside that began in this period, all of them: also those that only heard the menu or dialled a "
        "number that is not configured.",
    ),
    "answered": (
        "接听数：有人（坐席、分机或转接到的外线）与来电者通过话的呼入电话数。",
        "Offered calls in which a person talked with the caller.",
    ),
    "lost": ("呼损数：呼入电话数减去接听数。", "Offered calls minus answered calls."),
    "lost_rate": ("呼损率：呼损数除以呼入电话数。", "Lost calls divided by offered calls."),
    "avg_wait_ms": (
        "平均排队时长：进入过队列的通话的排队时长（全部排队之和）平均值，无论最后是否接听。",
        "Mean time spent waiting in queues (all visits of a call together), over the calls that were in a queue, "
        "answered or not.",
    ),
    "max_wait_ms": (
        "最长排队时长：进入过队列的通话中最长的排队时长。",
        "Longest time that a call of this period waited in queues.",
    ),
    "avg_talk_ms": (
        "平均通话时长：接听的通话中与人通话的时长（含保持）平均值。",
        "Mean time talked with a person, hold included, over the answered calls.",
    ),
    "service_level": (
        "服务水平：排队时长不超过规定秒数而接听的通话，占进入过队列的通话的比例。",
        "Of the calls that were in a queue, the share answered after waiting no longer than the queue's target.",
    ),
}
"""Figure → (Chinese, English)."""

DEFAULT_TARGET_MS = 20_000


@dataclass(slots=True)
class Sum:
    """What the figures of a bucket are made of."""

    offered: int = 0
    answered: int = 0
    queued: int = 0
    in_time: int = 0
    wait_ms: int = 0
    talk_ms: int = 0
    max_wait_ms: int = 0

    def add(self, call: CallLike, target_ms: int) -> None:
        self.offered += 1
        if call.answered_us is not None:
            self.answered += 1
            self.talk_ms += call.talk_ms
        if call.queue:
            self.queued += 1
            self.wait_ms += call.wait_ms
            self.max_wait_ms = max(self.max_wait_ms, call.wait_ms)
            self.in_time += call.answered_us is not None and call.wait_ms <= target_ms

    def merge(self, other: "Sum") -> None:
        self.offered += other.offered
        self.answered += other.answered
        self.queued += other.queued
        self.in_time += other.in_time
        self.wait_ms += other.wait_ms
        self.talk_ms += other.talk_ms
        self.max_wait_ms = max(self.max_wait_ms, other.max_wait_ms)

    def figures(self, bucket: str) -> Figures:
        lost = self.offered - self.answered
        return Figures(
            bucket=bucket,
            offered=self.offered,
            answered=self.answered,
            lost=lost,
            lost_rate=round(lost / self.offered, 4) if self.offered else None,
            avg_wait_ms=round(self.wait_ms / self.queued) if self.queued else None,
            max_wait_ms=self.max_wait_ms if self.queued else None,
            avg_talk_ms=round(self.talk_ms / self.answered) if self.answered else None,
            service_level=round(self.in_time / self.queued, 4) if self.queued else None,
        )


class CallsReport:
    """Add calls one after the other (memory: one sum a bucket), then read the figures."""

    def __init__(
        self, from_us: int, to_us: int, by: By, zone: ZoneInfo, *, queue: str = "", targets_ms: dict[str, int]
    ) -> None:
        """[from_us, to_us): starts outside are left out. `queue` "": all calls. `targets_ms`: queue → service level."""
        self._from_us, self._to_us, self._by, self._zone = from_us, to_us, by, zone
        self._queue, self._targets_ms = queue, targets_ms
        self._sums = {bucket: Sum() for bucket in buckets(from_us, to_us, by, zone)}
        self._total = Sum()

    def add(self, calls: Iterable[CallLike]) -> None:
        for call in calls:
            if call.direction != Direction.INBOUND or not self._from_us <= call.started_us < self._to_us:
                continue
            if self._queue and call.queue != self._queue:
                continue
            target_ms = self._targets_ms.get(call.queue, DEFAULT_TARGET_MS)
            self._sums[bucket_of(call.started_us, self._by, self._zone)].add(call, target_ms)
            self._total.add(call, target_ms)

    def rows(self) -> list[Figures]:
        return [total.figures(bucket) for bucket, total in self._sums.items()]

    def total(self) -> Figures:
        return self._total.figures("")


def bucket_of(time_us: int, by: By, zone: ZoneInfo) -> str:
    local = datetime.fromtimestamp(time_us // 1_000_000, UTC).astimezone(zone)
    match by:
        case By.HOUR:
            # With the offset: where the clock is set back, one local hour happens twice and is two buckets.
            return local.replace(minute=0, second=0, microsecond=0).isoformat()
        case By.DAY:
            return local.date().isoformat()
        case By.HOUR_OF_DAY:
            return f"{local.hour:02d}"


def buckets(from_us: int, to_us: int, by: By, zone: ZoneInfo) -> list[str]:
    """Every bucket of [from_us, to_us) in order, the empty ones too; no local hour that the clock skips."""
    if by is By.HOUR_OF_DAY:
        return [f"{hour:02d}" for hour in range(24)]
    if to_us <= from_us:
        return []
    if by is By.DAY:
        first, last = _local_day(from_us, zone), _local_day(to_us - 1, zone)
        return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
    # Quarter-hour steps find every local hour also where offsets are not whole hours.
    step = 900_000_000
    moments = [*range(from_us, to_us, step), to_us - 1]
    return list(dict.fromkeys(bucket_of(moment, by, zone) for moment in moments))


def _local_day(time_us: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).astimezone(zone).date()
