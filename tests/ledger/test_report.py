"""Figures in a zone, clock changes included."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.report import DEFINITIONS, By, CallsReport, Figures, bucket_of, buckets

SHANGHAI, NEW_YORK, LORD_HOWE = (
    ZoneInfo(name) for name in ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe")
)


@dataclass(frozen=True)
class Row:
    started_us: int
    answered_us: int | None = None
    wait_ms: int = 0
    talk_ms: int = 0
    queue: str = "sales"
    direction: str = "inbound"


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000_000)


def report(rows: list[Row], start: str, end: str, by: By, zone: ZoneInfo = SHANGHAI, *, queue: str = "") -> CallsReport:
    made = CallsReport(us(start), us(end), by, zone, queue=queue, targets_ms={"sales": 20_000, "fast": 5_000})
    made.add(rows)
    return made


DAY = ("2026-11-22T00:00:00+08:00", "2026-11-23T00:00:00+08:00")


def at(text: str, wait_s: float = 0, talk_s: float | None = None, **more: str) -> Row:
    start = us(f"2026-11-22T{text}+08:00")
    answered = None if talk_s is None else start + int(wait_s * 1e6)
    return Row(start, answered, int(wait_s * 1000), int((talk_s or 0) * 1000), **more)


def test_figures_by_hand() -> None:
    rows = [
        at("09:00:00", 10, 60),
        at("09:59:59.999", 30, 120),
        at("09:30:00", 50),
        at("09:30:00", 0, 15, queue=""),
        at("10:00:00", 8, 1, queue="fast"),
        at("09:10:00", 5, 5, direction="outbound"),
    ]
    made = report(rows, *DAY, By.HOUR)
    by_bucket = {row.bucket: row for row in made.rows()}
    assert len(by_bucket) == 24
    assert by_bucket["2026-11-22T09:00:00+08:00"] == Figures(
        "2026-11-22T09:00:00+08:00", offered=4, answered=3, lost=1, lost_rate=0.25, avg_wait_ms=30_000,
        max_wait_ms=50_000, avg_talk_ms=65_000, service_level=0.3333,
    )  # fmt: skip
    assert by_bucket["2026-11-22T10:00:00+08:00"].service_level == 0.0, "its queue promises 5 s"
    empty = by_bucket["2026-11-22T11:00:00+08:00"]
    assert empty == Figures("2026-11-22T11:00:00+08:00", 0, 0, 0, None, None, None, None, None)
    assert made.total() == Figures("", 5, 4, 1, 0.2, 24_500, 50_000, 49_000, 0.25)


def test_ends_are_half_open_and_the_queue_filters() -> None:
    rows = [at("00:00:00"), at("23:59:59.999999"), Row(us(DAY[1])), Row(us(DAY[0]) - 1), at("12:00:00", queue="fast")]
    assert report(rows, *DAY, By.DAY).total().offered == 3
    assert report(rows, *DAY, By.DAY, queue="fast").total().offered == 1
    assert [row.bucket for row in report(rows, *DAY, By.DAY).rows()] == ["2026-11-22"]


def test_the_hour_that_happens_twice_is_two_buckets() -> None:
    first, second = Row(us("2026-11-01T01:30:00-04:00")), Row(us("2026-11-01T01:30:00-05:00"))
    made = report([first, second], "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00", By.HOUR, NEW_YORK)
    assert len(made.rows()) == 25
    assert [row.bucket for row in made.rows() if row.offered] == [
        "2026-11-01T01:00:00-04:00",
        "2026-11-01T01:00:00-05:00",
    ]
    together = report(
        [first, second], "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00", By.HOUR_OF_DAY, NEW_YORK
    )
    assert {row.bucket: row.offered for row in together.rows() if row.offered} == {"01": 2}


def test_the_hour_that_is_skipped_is_none() -> None:
    names = buckets(us("2026-03-08T00:00:00-05:00"), us("2026-03-09T00:00:00-04:00"), By.HOUR, NEW_YORK)
    assert len(names) == 23
    assert not [name for name in names if "T02:" in name]


def test_a_day_is_the_zone_s_day() -> None:
    moment = us("2026-11-22T23:30:00+00:00")
    assert bucket_of(moment, By.DAY, SHANGHAI) == "2026-11-23"
    assert bucket_of(moment, By.DAY, NEW_YORK) == "2026-11-22"


@given(
    st.integers(us("2026-01-01T00:00:00Z"), us("2026-12-01T00:00:00Z")), st.integers(1, 40 * 24 * 3600),
    st.sampled_from([SHANGHAI, NEW_YORK, LORD_HOWE]), st.sampled_from(By),
    st.lists(st.floats(0, 1, exclude_max=True), max_size=20),
)  # fmt: skip
def test_every_call_falls_into_one_bucket(
    from_us: int, seconds: int, zone: ZoneInfo, by: By, places: list[float]
) -> None:
    """The sum over the buckets is the total, in any zone and over any clock change."""
    to_us = from_us + seconds * 1_000_000
    made = CallsReport(from_us, to_us, by, zone, targets_ms={})
    made.add([Row(from_us + int((to_us - from_us) * place)) for place in places])
    assert made.total().offered == len(places) == sum(row.offered for row in made.rows())
    names = [row.bucket for row in made.rows()]
    assert len(names) == len(set(names))


def test_every_figure_has_its_definition_in_both_languages() -> None:
    figures = set(Figures.__dataclass_fields__) - {"bucket"}
    assert set(DEFINITIONS) == figures
    for chinese, english in DEFINITIONS.values():
        assert any("\u4e00" <= char <= "\u9fff" for char in chinese)
        assert english.isascii()


def test_an_empty_span_is_no_bucket() -> None:
    assert buckets(5, 5, By.HOUR, SHANGHAI) == []
    assert pytest.approx(0) == report([], *DAY, By.DAY).total().offered
