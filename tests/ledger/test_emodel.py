"""R and MOS against the values that G.107 and G.109 print."""

import pytest

from ledger.emodel import mos, r_factor


@pytest.mark.parametrize(
    ("r", "score"), [(93.2, 4.41), (90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58), (0, 1.0), (110, 4.5)]
)
def test_mos_is_the_recommendations(r: float, score: float) -> None:
    """G.109, table 1, and G.107, annex B."""
    assert mos(r) == pytest.approx(score, abs=0.007)


def test_mos_never_falls_while_r_rises_and_is_never_below_one() -> None:
    scores = [mos(r / 10) for r in range(65, 1001)]
    assert scores == sorted(scores)
    assert min(mos(r / 10) for r in range(1001)) == 1.0


@pytest.mark.parametrize(
    ("delay_ms", "loss_pct", "burst_ratio", "r"),
    [
        (0, 0, 1, 93.2),
        (100, 0, 1, 90.8),
        (177.3, 0, 1, 88.94),
        (277.3, 0, 1, 75.54),
        (0, 1, 1, 89.56),
        (0, 3, 1, 83.06),
        (0, 3, 2, 82.49),
        (3000, 100, 1, 0),
    ],
)
def test_r(delay_ms: float, loss_pct: float, burst_ratio: float, r: float) -> None:
    assert r_factor(delay_ms, loss_pct, burst_ratio) == pytest.approx(r, abs=0.01)


@pytest.mark.parametrize(("delay_ms", "loss_pct", "burst_ratio"), [(-1, 0, 1), (0, -1, 1), (0, 101, 1), (0, 0, 0.5)])
def test_what_cannot_be_is_refused(delay_ms: float, loss_pct: float, burst_ratio: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        r_factor(delay_ms, loss_pct, burst_ratio)
