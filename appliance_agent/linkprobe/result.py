"""What windows mean: R of each second and step in both directions, what decides it, how many calls are good. Pure.

The way from here to there has no clock of its own: half of the shortest way there and back is taken for the least delay
of each direction, and what a direction's packets took longer than its quickest one is that direction's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import Any

from appliance_agent.linkprobe.plan import PACKET_MS
from appliance_agent.linkprobe.windows import Window
from ledger.emodel import R_BEST, mos, r_factor

GOOD_R = 80.0
"""ITU-T G.109: most or all are satisfied."""
BORDERLINE_R = 70.0
"""Some are dissatisfied."""
HEAVY_LOSS_PCT = 20.0
"""More calls would only take it from others."""
HEAVY_S = 2
"""So long, and the probe ends by itself."""


class Direction(StrEnum):
    OUT = "out"
    """From who asked to who answered."""
    BACK = "back"


class Verdict(StrEnum):
    GOOD = "good"
    BORDERLINE = "borderline"
    BAD = "bad"


class Because(StrEnum):
    """What takes most of R."""

    LOSS = "loss"
    JITTER = "jitter"
    """What came too late to be heard, and what is waited for it."""
    DELAY = "delay"


class Failure(StrEnum):
    """Why there is no result; the page has words for each."""

    ADDRESS = "address"
    """The name has no address."""
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    CALLS = "calls"
    """Calls are up there, and nobody has said that it may be all the same."""
    TOO_MUCH = "too_much"
    SILENT = "silent"
    """The other end answered, then fell silent."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one direction in one second or step."""

    r: float
    mos: float
    loss_pct: float
    made_up_pct: float
    """Sound that the buffer made up: lost, or too late."""
    network_ms: float
    buffer_ms: float
    delay_ms: float
    """From mouth to ear, one way: the packet itself, network and buffer."""
    jitter_ms: float
    late_ms: float
    """The sender's own jitter."""
    latest_ms: float
    missed_pct: float
    """What came and was not read in time: the receiving box was busy."""
    because: Because

    @property
    def verdict(self) -> Verdict:
        if self.r >= GOOD_R:
            return Verdict.GOOD
        return Verdict.BORDERLINE if self.r >= BORDERLINE_R else Verdict.BAD


@dataclass(frozen=True, slots=True)
class Heard:
    """What both ends heard until now."""

    out: Sequence[Window]
    back: Sequence[Window]
    least_rtt_us: int | None
    """The shortest way there and back; None: nothing came back."""

    def of(self, direction: Direction) -> Sequence[Window]:
        return self.out if direction is Direction.OUT else self.back


def heavy(windows: Sequence[Window]) -> bool:
    """Whether the newest of one direction say that the link cannot carry this."""
    last = windows[-HEAVY_S:]
    alike = len(last) == HEAVY_S and len({window.step for window in last}) == 1
    return alike and all(100 * window.lost >= HEAVY_LOSS_PCT * window.expected for window in last)


def view(heard: Heard) -> dict[str, Any]:
    """{seconds: [{direction, step, second, …figures}], steps: [{step, streams, seconds, verdict, worst, out, back}]},
    figures rounded; `out` and `back` are null where nothing was told."""
    seconds = [
        {"direction": direction.value, "step": window.step, "second": window.second, **_told(_figures([window], one))}
        for direction in Direction
        for one in [_Way(heard, direction)]
        for window in heard.of(direction)
    ]
    numbers = sorted({window.step for direction in Direction for window in heard.of(direction)})
    return {"seconds": seconds, "steps": [_step(heard, number) for number in numbers]}


class _Way:
    """How long a packet was in the network, one way."""

    def __init__(self, heard: Heard, direction: Direction) -> None:
        came = [window.least_transit_us for window in heard.of(direction) if window.lost < window.expected]
        self._least_us = min(came, default=0)
        self._half_us = (heard.least_rtt_us or 0) / 2

    def network_ms(self, window: Window) -> float:
        return (self._half_us + max(window.transit_us - self._least_us, 0)) / 1000


def _step(heard: Heard, number: int) -> dict[str, Any]:
    told: dict[str, Any] = {}
    found: dict[Direction, Figures] = {}
    for direction in Direction:
        windows = [window for window in heard.of(direction) if window.step == number]
        if windows:
            told |= {"streams": windows[0].streams, "seconds": len(windows)}
            found[direction] = _figures(windows, _Way(heard, direction))
    worst = min(found, key=lambda direction: found[direction].r)
    return {
        "step": number, **told, "verdict": found[worst].verdict.value, "worst": worst.value,
        "out": _told(found[Direction.OUT]) if Direction.OUT in found else None,
        "back": _told(found[Direction.BACK]) if Direction.BACK in found else None,
    }  # fmt: skip


def _figures(windows: Sequence[Window], way: _Way) -> Figures:
    expected = sum(window.expected for window in windows)
    lost = sum(window.lost for window in windows)
    bursts = sum(window.bursts for window in windows)
    loss_pct = 100 * lost / expected
    made_up_pct = 100 * sum(window.concealed_ms for window in windows) / (expected * PACKET_MS)
    burst_ratio = max(lost / bursts * (1 - lost / expected), 1.0) if bursts else 1.0
    heard = [window for window in windows if window.lost < window.expected]
    network_ms = fmean(map(way.network_ms, heard)) if heard else 0.0
    buffer_ms = sum(window.buffer_ms for window in heard) / max(sum(window.streams for window in heard), 1)
    delay_ms = PACKET_MS + network_ms + buffer_ms
    unheard_pct = min(max(loss_pct, made_up_pct), 100.0)
    r = r_factor(delay_ms, unheard_pct, burst_ratio)
    costs = {
        Because.LOSS: R_BEST - r_factor(0, min(loss_pct, 100), burst_ratio),
        Because.JITTER: r_factor(network_ms, min(loss_pct, 100), burst_ratio)
        - r_factor(network_ms + buffer_ms, unheard_pct, burst_ratio),
        Because.DELAY: R_BEST - r_factor(PACKET_MS + network_ms, 0),
    }  # fmt: skip
    return Figures(
        r=r, mos=mos(r), loss_pct=loss_pct, made_up_pct=made_up_pct, network_ms=network_ms, buffer_ms=buffer_ms,
        delay_ms=delay_ms, jitter_ms=_mean_ms([window.jitter_us for window in heard]),
        late_ms=_mean_ms([window.late_us for window in heard]),
        latest_ms=max(window.latest_us for window in windows) / 1000,
        missed_pct=100 * sum(window.missed for window in windows) / expected,
        because=max(costs, key=lambda one: costs[one]),
    )  # fmt: skip


def _mean_ms(times_us: Sequence[int]) -> float:
    return fmean(times_us) / 1000 if times_us else 0.0


def _told(figures: Figures) -> dict[str, Any]:
    return {
        "r": round(figures.r, 1), "mos": round(figures.mos, 2), "loss_pct": round(figures.loss_pct, 2),
        "made_up_pct": round(figures.made_up_pct, 2), "network_ms": round(figures.network_ms, 1),
        "buffer_ms": round(figures.buffer_ms, 1), "delay_ms": round(figures.delay_ms, 1),
        "jitter_ms": round(figures.jitter_ms, 2), "late_ms": round(figures.late_ms, 2),
        "latest_ms": round(figures.latest_ms, 1), "missed_pct": round(figures.missed_pct, 2),
        "verdict": figures.verdict.value, "because": figures.because.value,
    }  # fmt: skip
