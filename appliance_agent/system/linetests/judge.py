"""What a measurement says about a line: figures with their limits, and one word. Pure.

Limits follow ITU-T G.712 and Q.552 (noise, loss of a two-wire port), G.122 (echo) and G.821 (bit errors), widened to
what subscriber lines in use show: "borderline" is heard by people, "bad" is complained about.
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance_agent.system.linetests.kinds import Kind
from hal.protocols.linetest import Measured


class Verdict(StrEnum):
    GOOD = "good"
    BORDERLINE = "borderline"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Limits:
    """A figure within `good` is good, within `bad` borderline. Each is (least, most)."""

    good: tuple[float, float]
    bad: tuple[float, float]

    def judge(self, value: float) -> Verdict:
        if self.good[0] <= value <= self.good[1]:
            return Verdict.GOOD
        return Verdict.BORDERLINE if self.bad[0] <= value <= self.bad[1] else Verdict.BAD


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    """noise, level, loss, hz, rest, return_loss, delay, bits, errors, losses."""
    value: float | None
    """None: nothing was found."""
    unit: str
    verdict: Verdict | None = None
    """None: for information."""
    limits: Limits | None = None


FAR = 1000.0
"""No limit on that side."""
NOISE = {False: Limits((-FAR, -60), (-FAR, -50)), True: Limits((-FAR, -65), (-FAR, -55))}
"""By whether the line is digital; dBm0p."""
LOSS = {False: Limits((-3, 9), (-6, 15)), True: Limits((-1, 1), (-3, 3))}
"""One way, dB."""
LOOP_LOSS = {False: Limits((-6, 18), (-12, 30)), True: Limits((-1, 1), (-3, 3))}
"""There and back, dB."""
RETURN_LOSS = Limits((18, FAR), (10, FAR))
"""dB."""
ERRORED = Limits((0, 1e-6), (0, 1e-3))
"""Part of the bits."""


@dataclass(frozen=True, slots=True)
class Gains:
    """dB that Asterisk adds between the line and the channel."""

    rx_db: float = 0.0
    tx_db: float = 0.0


def figures(kind: Kind, found: Measured, level_dbm0: float, *, digital: bool, gains: Gains) -> list[Figure]:
    """`level_dbm0`: what was sent, or what the far end is known to send. The first one is the one to be shown big."""
    match kind:
        case Kind.NOISE:
            return [_figure("noise", found.noise_dbm0p - gains.rx_db, "dBm0p", NOISE[digital])]
        case Kind.LEVEL | Kind.TONE:
            limits = LOSS if kind is Kind.LEVEL else LOOP_LOSS
            return _tone(found, level_dbm0, limits[digital], gains, both_ways=kind is Kind.TONE)
        case Kind.ECHO if found.echo is not None:
            # What went out was louder by one gain, what came in by the other.
            loss_db = found.echo.return_loss_db + gains.rx_db + gains.tx_db
            delay = Figure("delay", found.echo.delay_ms, "ms")
            return [_figure("return_loss", loss_db, "dB", RETURN_LOSS), delay]
        case Kind.BITS if found.bits is not None:
            bits = found.bits
            rate = bits.errors / bits.bits if bits.bits else None
            first = Figure("error_rate", None, "", Verdict.BAD, ERRORED)
            if rate is not None:
                first = _figure("error_rate", rate, "", ERRORED)
            slips = Verdict.BAD if bits.losses else Verdict.GOOD
            return [
                first, Figure("errors", bits.errors, "", None), Figure("bits", bits.bits, "", None),
                Figure("losses", bits.losses, "", slips),
            ]  # fmt: skip
    return []


def verdict(shown: list[Figure]) -> Verdict | None:
    """The worst."""
    worst = (Verdict.BAD, Verdict.BORDERLINE, Verdict.GOOD)
    return next((one for one in worst if any(figure.verdict is one for figure in shown)), None)


def _figure(name: str, value: float, unit: str, limits: Limits) -> Figure:
    return Figure(name, value, unit, limits.judge(value), limits)


def _tone(found: Measured, level_dbm0: float, limits: Limits, gains: Gains, *, both_ways: bool) -> list[Figure]:
    if found.tone is None:
        return [Figure("loss", None, "dB", Verdict.BAD, limits)]
    heard_dbm0 = found.tone.level_dbm0 - gains.rx_db
    sent_dbm0 = level_dbm0 + (gains.tx_db if both_ways else 0.0)
    return [
        _figure("loss", sent_dbm0 - heard_dbm0, "dB", limits),
        Figure("level", heard_dbm0, "dBm0"),
        Figure("hz", found.tone.hz, "Hz"),
        Figure("rest", found.tone.rest_dbm0 - gains.rx_db, "dBm0"),
    ]
