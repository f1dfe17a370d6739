"""What a measurement becomes: figures and a verdict, a tone that was learned, a caller who was told. Blocking."""

from dataclasses import asdict
from typing import Any

from appliance_agent.system.lines.wanted import Wanted
from appliance_agent.system.linetests.callerid import caller_of
from appliance_agent.system.linetests.judge import Figure, Gains, Verdict, figures, verdict
from appliance_agent.system.linetests.kinds import Kind
from appliance_agent.system.linetests.learned import learned
from hal.protocols.linetest import Measured

DIGITAL = frozenset({"pri", "r2", "ss7"})


def results(kind: Kind, found: Measured, level_dbm0: float, wanted: Wanted) -> dict[str, Any]:
    """For the test's detail."""
    lost = {"lost_ms": round(found.lost_ms)} if found.lost_ms else {}
    match kind:
        case Kind.BUSY_TONE:
            return lost | _busy_tone(found)
        case Kind.CALLER_ID:
            return lost | _caller(found)
    gains = Gains(wanted.rx_gain_db, wanted.tx_gain_db)
    shown = figures(kind, found, level_dbm0, digital=wanted.signalling in DIGITAL, gains=gains)
    return lost | {"verdict": verdict(shown) or "", "figures": [_figure(one) for one in shown]}


def _figure(figure: Figure) -> dict[str, Any]:
    limits = figure.limits
    return {
        "name": figure.name, "unit": figure.unit, "verdict": figure.verdict or "",
        "value": None if figure.value is None else round(figure.value, 9 if figure.name == "error_rate" else 2),
        "good": list(limits.good) if limits else None, "bad": list(limits.bad) if limits else None,
    }  # fmt: skip


def _busy_tone(found: Measured) -> dict[str, Any]:
    try:
        tone = learned(found.sound)
    except ValueError as error:
        reason = {"key": "not_learned", "message": str(error), "hint": "Call a number that is busy, and test longer."}
        return {"verdict": Verdict.BAD, "reason": reason}
    return {"verdict": Verdict.GOOD, "tone": asdict(tone)}


def _caller(found: Measured) -> dict[str, Any]:
    caller = caller_of(found.sound, found.digits)
    if caller is None:
        hint = "Call the line from another telephone while the test runs; ask the exchange whether it tells callers."
        reason = {"key": "no_caller", "message": "nothing was told of a caller", "hint": hint}
        return {"verdict": Verdict.BAD, "reason": reason}
    return {"verdict": Verdict.GOOD, "caller": asdict(caller)}
