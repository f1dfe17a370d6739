"""What windows mean: R of both directions, what decides it, when it is too much."""

from dataclasses import replace
from typing import Any

import pytest

from appliance_agent.linkprobe.result import Heard, heavy, view
from appliance_agent.linkprobe.windows import Window
from ledger.emodel import r_factor

RTT_US = 60_000
CLOCKS_US = 7_000_000_000
"""Between the clocks of the two ends."""


def window(second: int = 0, **other: Any) -> Window:
    """Ten calls as they are on a good link."""
    good = Window(
        0, second, 10, 500, lost=0, bursts=0, concealed_ms=0, buffer_ms=200, transit_us=CLOCKS_US + 1000,
        least_transit_us=CLOCKS_US, jitter_us=300, late_us=100, latest_us=900, missed=0,
    )  # fmt: skip
    return replace(good, **other)


def told(out: list[Window], back: list[Window], rtt_us: int | None = RTT_US) -> dict[str, Any]:
    return view(Heard(out, back, rtt_us))


def test_a_good_link() -> None:
    found = told([window(0), window(1)], [window(0), window(1)])
    (step,) = found["steps"]
    assert (step["streams"], step["seconds"], step["verdict"]) == (10, 2, "good")
    # 20 ms of packet, half of 60 ms and a millisecond more of network, 20 ms of buffer.
    assert (step["out"]["network_ms"], step["out"]["buffer_ms"], step["out"]["delay_ms"]) == (31.0, 20.0, 71.0)
    assert step["out"]["r"] == round(r_factor(71, 0), 1)
    assert [(one["direction"], one["second"]) for one in found["seconds"]] == [
        ("out", 0), ("out", 1), ("back", 0), ("back", 1),
    ]  # fmt: skip


def test_a_queue_belongs_to_its_direction() -> None:
    queued = window(1, transit_us=CLOCKS_US + 150_000, least_transit_us=CLOCKS_US + 120_000)
    (step,) = told([window(0), queued], [window(0), window(1)])["steps"]
    assert step["back"]["network_ms"] == 31.0
    assert step["out"]["network_ms"] == (31 + 180) / 2


@pytest.mark.parametrize(
    ("changed", "verdict", "because"),
    [
        ({}, "good", "delay"),
        ({"lost": 15, "bursts": 15, "concealed_ms": 300}, "good", "loss"),
        ({"lost": 35, "bursts": 35, "concealed_ms": 700}, "borderline", "loss"),
        ({"lost": 75, "bursts": 75, "concealed_ms": 1500}, "bad", "loss"),
        ({"concealed_ms": 1500}, "bad", "jitter"),
        ({"buffer_ms": 2400}, "borderline", "jitter"),
        ({"transit_us": CLOCKS_US + 300_000}, "bad", "delay"),
    ],
)
def test_what_decides(changed: dict[str, Any], verdict: str, because: str) -> None:
    (step,) = told(
        [window(0), window(1, **changed)] if "transit_us" in changed else [window(0, **changed)], [window(0)]
    )["steps"]
    worse = told([window(0), window(1, **changed)], [window(0), window(1)])["seconds"][1]
    assert (worse["verdict"], worse["because"]) == (verdict, because), worse
    assert step["worst"] == "out"


def test_loss_in_bursts_is_worse() -> None:
    single = told([window(0, lost=25, bursts=25, concealed_ms=500)], [window(0)])["steps"][0]["out"]["r"]
    burst = told([window(0, lost=25, bursts=5, concealed_ms=500)], [window(0)])["steps"][0]["out"]["r"]
    assert burst < single - 2


def test_nothing_came_back() -> None:
    dead = window(0, lost=500, bursts=10, concealed_ms=10_000, transit_us=0, least_transit_us=0, buffer_ms=0)
    (step,) = told([window(0)], [dead], None)["steps"]
    assert (step["back"]["loss_pct"], step["worst"], step["verdict"]) == (100, "back", "bad")
    assert step["back"]["r"] < 20


def test_a_second_in_which_nothing_came_has_no_jitter() -> None:
    dead = window(1, lost=500, bursts=10, concealed_ms=10_000, transit_us=0, least_transit_us=0, jitter_us=0, late_us=0)
    (step,) = told([window(0), dead], [window(0)])["steps"]
    assert (step["out"]["jitter_ms"], step["out"]["late_ms"]) == (0.3, 0.1)


def test_one_direction_is_not_reported_yet() -> None:
    (step,) = told([], [window(0)])["steps"]
    assert (step["out"], step["worst"], step["seconds"]) == (None, "back", 1)
    assert told([], []) == {"seconds": [], "steps": []}


def test_steps_apart() -> None:
    out = [window(0), replace(window(0, lost=400, bursts=100, concealed_ms=8000), step=1, streams=30, expected=1500)]
    one, two = told(out, [window(0)])["steps"]
    assert (one["verdict"], two["verdict"], two["streams"], two["back"]) == ("good", "bad", 30, None)


@pytest.mark.parametrize(
    ("lost", "steps", "stops"),
    [
        ([150, 150], [0, 0], True),
        ([0, 150, 150], [0, 0, 0], True),
        ([150], [0], False),
        ([150, 90], [0, 0], False),
        ([150, 150], [0, 1], False),
        ([150, 150, 0], [0, 0, 0], False),
    ],
)
def test_heavy_loss_is_two_seconds_of_a_fifth(lost: list[int], steps: list[int], *, stops: bool) -> None:
    windows = [window(n, lost=count, step=step) for n, (count, step) in enumerate(zip(lost, steps, strict=True))]
    assert heavy(windows) is stops
