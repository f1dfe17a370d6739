"""How a leg of a call sounded, in windows of 10 s: loss, jitter, round trip, concealment, and R by the E-model. Pure.

Both directions are seen from the box: `came` is what the leg's party sent and the box received, `went` what the box
sent and the party says it received. Asterisk hands gaps on: what was lost on its way to the box is missing in `went` of
the leg that hears it, too, as it is to who listens there. What nobody told is None, never 0.
"""

from dataclasses import dataclass
from enum import StrEnum

from ledger.emodel import mos, r_factor

WINDOW_S = 10
POOR_R = 70.0
"""Below it "many users are dissatisfied" (ITU-T G.109)."""
PACKET_MS = 20.0
"""A sender has to hear a packet's sound before it can send it."""
LEAST_BUFFER_MS = 40.0
JITTERS_HELD = 3.0
"""A player whose buffer nobody tells us of (a phone, a browser, a trunk's other end) is taken to hold back three times
the jitter, 40 ms at least: what such players do."""


class Category(StrEnum):
    """ITU-T G.109, table 1: how satisfied people are with an R."""

    BEST = "best"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    POOR = "poor"


_FROM = ((90.0, Category.BEST), (80.0, Category.HIGH), (POOR_R, Category.MEDIUM), (60.0, Category.LOW))


def category(r: float) -> Category:
    return next((name for least, name in _FROM if r >= least), Category.POOR)


@dataclass(frozen=True, slots=True)
class Flow:
    """What travelled in one direction."""

    expected: int = 0
    """Packets sent; 0: none, or nobody told."""
    lost: int = 0
    """Of these. Late ones that arrived at all are none, duplicates make up for some (RFC 3550)."""
    jitter_ms: float | None = None
    """RFC 3550's, as it was reported last in the window."""

    @property
    def loss(self) -> float | None:
        """0..1."""
        return min(self.lost / self.expected, 1.0) if self.expected else None


@dataclass(frozen=True, slots=True)
class Window:
    """One leg, 10 s."""

    slot: int
    """Which 10 s: seconds since the epoch by WINDOW_S."""
    came: Flow = Flow()
    went: Flow = Flow()
    rtt_ms: float | None = None
    """Between the box and the party, as the party's reports let us reckon it."""
    concealed: float | None = None
    """0..1 of what our jitter buffer gave was made up by it; None: the leg does not pass it."""
    buffer_ms: float | None = None
    """How long our jitter buffer held sound back."""

    @property
    def r_came(self) -> float | None:
        """R of what came from the party. None: nothing came, or nobody told.

        What our buffer made up stands for what was lost or late: the larger share counts. An unknown round trip counts
        as none: then R is the best that it may have been.
        """
        loss = self.came.loss
        if loss is None:
            return None
        return r_factor(self._delay_ms(self.came, self.buffer_ms), 100 * max(loss, self.concealed or 0.0))

    @property
    def r_went(self) -> float | None:
        """R of what the party heard, by its own reports. None: it sent none."""
        loss = self.went.loss
        return None if loss is None else r_factor(self._delay_ms(self.went, None), 100 * loss)

    @property
    def poor(self) -> bool | None:
        """Whether many would be dissatisfied with either direction; None: neither is known."""
        known = [r for r in (self.r_came, self.r_went) if r is not None]
        return min(known) < POOR_R if known else None

    def _delay_ms(self, flow: Flow, buffer_ms: float | None) -> float:
        """From mouth to ear: packet, half the round trip, and the buffer of who plays it."""
        held = max(LEAST_BUFFER_MS, JITTERS_HELD * (flow.jitter_ms or 0.0)) if buffer_ms is None else buffer_ms
        return PACKET_MS + (self.rtt_ms or 0.0) / 2 + held


@dataclass(frozen=True, slots=True)
class Figures:
    """Of many windows. None: nothing was known that could be averaged."""

    legs: int
    """Legs of calls that began."""
    minutes: float
    r_came: float | None
    r_went: float | None
    mos_came: float | None
    mos_went: float | None
    poor: float | None
    """0..1 of the windows with R < 70 in either direction."""
    loss_came: float | None
    loss_went: float | None
    jitter_came_ms: float | None
    jitter_went_ms: float | None
    rtt_ms: float | None
    concealed: float | None


DEFINITIONS: dict[str, tuple[str, str]] = {
    "legs": (
        "通话段数：在该时段内开始、经 IP 网络的通话段（一个中继或一部话机的一次参与）。",
        "Legs of calls over IP that began in this period: one part of one trunk or phone in one call.",
    ),
    "minutes": (
        "时长：测得质量的分钟数，按 10 秒一段统计。",
        "Minutes whose quality was measured, in windows of 10 s.",
    ),
    "r_came": (
        "收听 R 值：本机收到的声音的平均 R 值（ITU-T G.107），由丢包、抖动、往返时延和抖动缓冲计算，最高约 92。",
        "Mean R (ITU-T G.107) of what the box received, by loss, jitter, delay and jitter buffer; at best about 92.",
    ),
    "r_went": (
        "送出 R 值：对方收到的声音的平均 R 值，依据对方的 RTCP 报告，包括来路上已丢失的部分；对方不发报告则未知。",
        "Mean R of what the far side received, by its RTCP reports, with what was lost before the box; unknown where "
        "it sends none.",
    ),
    "poor": (
        "差时段占比：任一方向 R 值低于 70（G.109：许多用户不满意）的 10 秒段所占比例。",
        "Share of the 10 s windows with R below 70 in either direction (G.109: many users are dissatisfied).",
    ),
    "loss_came": ("收听丢包率：本机应收而未收到的包的比例。", "Share of packets to the box that did not arrive."),
    "loss_went": (
        "送出丢包率：对方报告未收到的包的比例，包括在另一通话段上已丢失的。",
        "Share of packets that the far side says it did not receive, those lost on the other leg included.",
    ),
    "jitter_came_ms": ("收听抖动：RFC 3550 到达间隔抖动的平均值。", "Mean interarrival jitter (RFC 3550) at the box."),
    "jitter_went_ms": ("送出抖动：对方报告的抖动平均值。", "Mean jitter as the far side reports it."),
    "rtt_ms": ("往返时延：本机与对方之间的平均往返时间。", "Mean round trip between the box and the far side."),
    "concealed": (
        "补偿比例：抖动缓冲补出来的声音所占比例；只有经过抖动缓冲的通话段才有。",
        "Share of sound that the jitter buffer made up; of legs that pass it only.",
    ),
}
"""Figure → (Chinese, English)."""


class Sums:
    """Adds windows up; as plain numbers (`counts`) it is kept in a database and added to others."""

    NAMES = (
        "legs", "windows", "judged", "poor", "r_came", "r_came_n", "r_went", "r_went_n", "expected_came", "lost_came",
        "expected_went", "lost_went", "jitter_came", "jitter_came_n", "jitter_went", "jitter_went_n", "rtt", "rtt_n",
        "concealed", "concealed_n",
    )  # fmt: skip
    """`x` and `x_n`: a sum and of how many."""

    def __init__(self, counts: dict[str, float] | None = None) -> None:
        self.counts = dict.fromkeys(self.NAMES, 0.0)
        self.merge(counts or {})

    def merge(self, counts: dict[str, float]) -> None:
        """Names that are not known here are left out: a newer version wrote them."""
        for name in self.counts.keys() & counts.keys():
            self.counts[name] += counts[name]

    def begin_leg(self) -> None:
        self.counts["legs"] += 1

    def add(self, window: Window) -> None:
        counts, poor = self.counts, window.poor
        counts["windows"] += 1
        counts["judged"] += poor is not None
        counts["poor"] += poor is True
        counts["expected_came"] += window.came.expected
        counts["lost_came"] += window.came.lost
        counts["expected_went"] += window.went.expected
        counts["lost_went"] += window.went.lost
        for name, value in (
            ("r_came", window.r_came), ("r_went", window.r_went), ("jitter_came", window.came.jitter_ms),
            ("jitter_went", window.went.jitter_ms), ("rtt", window.rtt_ms), ("concealed", window.concealed),
        ):  # fmt: skip
            if value is not None:
                counts[name] += value
                counts[name + "_n"] += 1

    def figures(self) -> Figures:
        r_came, r_went = self._mean("r_came", 1), self._mean("r_went", 1)
        return Figures(
            legs=round(self.counts["legs"]),
            minutes=round(self.counts["windows"] * WINDOW_S / 60, 1),
            r_came=r_came,
            r_went=r_went,
            mos_came=None if r_came is None else round(mos(r_came), 2),
            mos_went=None if r_went is None else round(mos(r_went), 2),
            poor=self._share("poor", "judged"),
            loss_came=self._share("lost_came", "expected_came"),
            loss_went=self._share("lost_went", "expected_went"),
            jitter_came_ms=self._mean("jitter_came", 1),
            jitter_went_ms=self._mean("jitter_went", 1),
            rtt_ms=self._mean("rtt", 1),
            concealed=self._mean("concealed", 4),
        )

    def _mean(self, name: str, digits: int) -> float | None:
        count = self.counts[name + "_n"]
        return round(self.counts[name] / count, digits) if count else None

    def _share(self, part: str, whole: str) -> float | None:
        return round(min(self.counts[part] / self.counts[whole], 1.0), 4) if self.counts[whole] else None
