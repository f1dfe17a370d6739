"""Which lines are there, from the report of who brought them up."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import structlog

from appliance_agent.render.facts import LineFact
from hal.setup.plan import LinePlan
from hal.setup.report import NoReport, Report, from_json

log = structlog.get_logger()


def read_report(path: Path) -> Report:
    """Empty when there is none: a box without cards, or one whose cards nobody brought up. Blocking: call by
    asyncio.to_thread on the event loop."""
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Report()
    except (NoReport, OSError) as error:
        log.warning("the report of the lines cannot be read", path=str(path), error=str(error))
        return Report()


def lines_there(report: Report, tried: Iterable[LinePlan], wanted: Iterable[LinePlan]) -> Mapping[str, LineFact]:
    """Lines that Asterisk may hear of. One that could not be brought up (`tried`) is left out, or Asterisk would refuse
    its channels; it gets its next try when it is `wanted` otherwise. Pure."""
    before = {plan.name: plan for plan in tried}
    after = {plan.name: plan for plan in wanted}
    return {
        line.name: LineFact(line.span, line.channel)
        for line in report.lines
        if not line.trouble or before.get(line.name) != after.get(line.name)
    }
