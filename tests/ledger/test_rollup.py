"""Figures from the sums of quarters are the figures from the records, in any zone and over any clock change."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.report import By, CallsReport, bucket_of
from ledger.rollup import QUARTER_US, TARGETS_S, RollupReport, Sums, rollup, segments

ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")]
HOUR_US = 4 * QUARTER_US


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000_000)


@dataclass(frozen=True)
class Row:
    started_us: int
    answered_us: int | None
    wait_ms: int
    talk_ms: int
    queue: str
    direction: str


# Around clock changes of all these zones: 2026-03-08, 04-05, 10-04, 11-01.
DAYS = [us(f"2026-{day}T00:00:00+00:00") for day in ("03-07", "04-04", "10-03", "10-31", "06-01")]
starts = st.builds(lambda day, into: day + into, st.sampled_from(DAYS), st.integers(0, 72 * HOUR_US))
waits = st.sampled_from([0, 1, *(s * 1000 + d for s in TARGETS_S for d in (-1, 0, 1))]) | st.integers(0, 10**6)
rows = st.builds(
    Row, starts, st.none() | st.just(1), waits, st.integers(0, 10**6), st.sampled_from(["", "sales", "fast"]),
    st.sampled_from(["inbound", "outbound"]),
)  # fmt: skip


spans = st.builds(
    lambda day, first, count: (day + first * QUARTER_US, day + (first + count) * QUARTER_US),
    st.sampled_from(DAYS), st.integers(0, 80), st.integers(1, 72 * 4),
)  # fmt: skip


@given(st.lists(rows, max_size=30), spans, st.sampled_from(ZONES), st.sampled_from(By), st.data())
def test_the_same_figures(calls: list[Row], span: tuple[int, int], zone: ZoneInfo, by: By, data: st.DataObject) -> None:
    from_us, to_us = span
    queue, target_s = data.draw(st.sampled_from(["", "sales"])), data.draw(st.sampled_from(TARGETS_S))
    by_records = CallsReport(from_us, to_us, by, zone, queue=queue, targets_ms={"fast": target_s * 1000})
    by_records.add(calls)
    by_sums = RollupReport(from_us, to_us, by, zone, queue=queue, targets_ms={"fast": target_s * 1000})
    for key, sums in rollup(calls).items():
        by_sums.add(key, sums)
    assert by_sums.rows() == by_records.rows()
    assert by_sums.total() == by_records.total()


@given(st.lists(rows, max_size=20), st.lists(rows, max_size=20))
def test_sums_add_up(some: list[Row], others: list[Row]) -> None:
    added = rollup(some)
    for key, sums in rollup(others).items():
        added.setdefault(key, Sums()).merge(sums)
    assert added == rollup([*some, *others])


@given(st.sampled_from(DAYS), st.integers(1, 300), st.sampled_from(ZONES), st.sampled_from(By))
def test_segments_are_the_buckets_of_every_moment(day: int, count: int, zone: ZoneInfo, by: By) -> None:
    found = segments(day, day + count * QUARTER_US, by, zone)
    assert [one.at_us for one in found] == sorted({one.at_us for one in found})
    for at_us in range(day, day + count * QUARTER_US, QUARTER_US):
        bucket = [one.bucket for one in found if one.at_us <= at_us][-1]
        assert bucket == bucket_of(at_us, by, zone) == bucket_of(at_us + QUARTER_US - 1, by, zone)


@pytest.mark.parametrize("target_s", TARGETS_S)
@pytest.mark.parametrize(("late_ms", "in_time"), [(-1, 1), (0, 1), (1, 0)])
def test_the_target_itself_is_in_time(target_s: int, late_ms: int, in_time: int) -> None:
    [sums] = rollup([Row(DAYS[0], 1, target_s * 1000 + late_ms, 0, "sales", "inbound")]).values()
    assert sums.within[TARGETS_S.index(target_s)] == in_time


def test_what_sums_cannot_tell_is_refused() -> None:
    with pytest.raises(ValueError, match="whole quarters"):
        RollupReport(1, QUARTER_US, By.DAY, ZONES[0], targets_ms={})
    with pytest.raises(ValueError, match=r"7000.*5, 10, 15"):
        RollupReport(0, QUARTER_US, By.DAY, ZONES[0], targets_ms={"sales": 7000})
