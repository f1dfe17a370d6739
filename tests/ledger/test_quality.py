"""Windows and their figures: what is known, what is not, and what R says of it."""

from zoneinfo import ZoneInfo

import pytest

from ledger.quality import DEFINITIONS, Category, Figures, Flow, Sums, Window, category
from ledger.quality_report import QualityReport
from ledger.report import By

GOOD = Window(0, Flow(500, 0, 1.0), Flow(500, 0, 1.0), 20.0)
SHANGHAI = ZoneInfo("Asia/Shanghai")
QUARTER_US = 900_000_000


def test_a_good_window() -> None:
    """20 ms packet, 10 ms half the round trip, 40 ms of the player's buffer: 93.2 - 0.024 · 70."""
    assert GOOD.r_came == pytest.approx(91.52)
    assert GOOD.r_went == pytest.approx(91.52)
    assert GOOD.poor is False


def test_what_nobody_told_is_unknown() -> None:
    nothing = Window(0)
    assert (nothing.r_came, nothing.r_went, nothing.poor) == (None, None, None)
    one_sided = Window(0, Flow(500, 0, 1.0))
    assert one_sided.r_went is None
    assert one_sided.r_came == pytest.approx(91.76), "an unknown round trip counts as none"
    assert Flow().loss is None


@pytest.mark.parametrize(
    ("window", "r"),
    [
        (Window(0, Flow(500, 50, 1.0)), 93.2 - 0.024 * 60 - 95 * 10 / 35.1),
        (Window(0, Flow(500, 10, 1.0), concealed=0.10, buffer_ms=60.0), 93.2 - 0.024 * 80 - 95 * 10 / 35.1),
        (Window(0, Flow(500, 50, 1.0), concealed=0.02, buffer_ms=60.0), 93.2 - 0.024 * 80 - 95 * 10 / 35.1),
        (Window(0, Flow(500, 0, 30.0)), 93.2 - 0.024 * 110),
    ],
    ids=["loss", "late ones made up", "lost ones stretched over", "a jittery network is played later"],
)
def test_r_of_what_came(window: Window, r: float) -> None:
    assert window.r_came == pytest.approx(r)


def test_more_lost_than_sent_is_all() -> None:
    assert Window(0, Flow(10, 12, 0.0)).r_came == pytest.approx(93.2 - 0.024 * 60 - 95 * 100 / 125.1)


@pytest.mark.parametrize(
    ("r", "name"),
    [
        (93.2, "best"), (90, "best"), (89.9, "high"), (80, "high"), (70, "medium"), (69.9, "low"), (60, "low"),
        (59, "poor"), (0, "poor"),
    ],
)  # fmt: skip
def test_categories_are_g109s(r: float, name: str) -> None:
    assert category(r) is Category(name)


def test_sums_are_the_same_whoever_adds_them() -> None:
    bad = Window(1, Flow(400, 100, 9.0), Flow(500, 5, 3.0), 40.0, 0.3, 80.0)
    whole, first, second = Sums(), Sums(), Sums()
    for window in (GOOD, bad, Window(2)):
        whole.add(window)
    first.add(GOOD)
    second.add(bad)
    second.add(Window(2))
    second.merge(first.counts | {"of a newer version": 1.0})
    assert second.counts == whole.counts
    figures = whole.figures()
    assert figures.minutes == 0.5
    assert figures.poor == 0.5, "one of the two that could be judged"
    assert (figures.loss_came, figures.loss_went) == (round(100 / 900, 4), 0.005)
    assert (figures.jitter_came_ms, figures.rtt_ms, figures.concealed) == (5.0, 30.0, 0.3)
    assert figures.r_came is not None
    assert figures.r_went is not None
    assert figures.r_came < 70 < figures.r_went


def test_nothing_gives_no_figures() -> None:
    figures = Sums().figures()
    assert (figures.legs, figures.minutes) == (0, 0.0)
    assert all(getattr(figures, name) is None for name in set(Figures.__slots__) - {"legs", "minutes"})


def test_every_figure_is_defined_in_both_languages() -> None:
    told = set(Figures.__slots__) - {"mos_came", "mos_went"}  # the same as R, on another scale
    assert DEFINITIONS.keys() == told
    assert all(len(texts) == 2 and all(texts) for texts in DEFINITIONS.values())


def test_a_report_by_peer_and_local_hour() -> None:
    start = 1_795_447_800_000_000  # 2026-11-23T23:30+08:00
    good, none = Sums(), Sums()
    good.begin_leg()
    good.add(GOOD)
    none.add(Window(0))
    report = QualityReport(start, start + 7_200_000_000, By.HOUR, SHANGHAI)
    for peer, quarter, sums in (("mobile", 0, good), ("mobile", 1, good), ("mobile", 2, good), ("", 2, none)):
        report.add(peer, start + quarter * QUARTER_US, sums.counts)
    assert [bucket[11:13] for bucket in report.buckets] == ["23", "00", "01"]
    seen = [(cell.peer, cell.bucket[11:13], cell.figures.legs, cell.figures.r_came) for cell in report.cells()]
    assert seen == [("", "00", 0, None), ("mobile", "23", 2, 91.5), ("mobile", "00", 1, 91.5)]
    assert [(row.peer, row.figures.legs) for row in report.peers()] == [("", 0), ("mobile", 3)]
    assert report.total().legs == 3
