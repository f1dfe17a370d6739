"""HTTP: the calls report."""

import asyncio
from dataclasses import asdict
from zoneinfo import ZoneInfo

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.features.reports.model import CallsReportAnswer, ReportQuery, ReportRow
from appliance_agent.features.reports.store import ReportStore
from appliance_agent.http.route import Call, Role, Route
from appliance_agent.kernel.clock import parse_rfc3339
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault
from ledger.report import DEFINITIONS, By, CallsReport

DAY_US = 86_400_000_000
MOST_DAYS = {By.HOUR: 62, By.DAY: 800, By.HOUR_OF_DAY: 800}


class ReportsApi:
    def __init__(self, store: ReportStore, config: ConfigHolder) -> None:
        self._store, self._config = store, config

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/reports/calls", Role.SUPERVISOR, self.calls, "Inbound calls by hour, day or hour of day",
                  query=ReportQuery, reply=CallsReportAnswer),
        ]  # fmt: skip

    async def calls(self, call: Call) -> CallsReportAnswer:
        query: ReportQuery = call.query
        from_us, to_us = parse_rfc3339(query.from_), parse_rfc3339(query.to)
        _check_span(from_us, to_us, query.by)
        desired = self._config.desired
        targets = {queue.id: queue.service_level_s * 1000 for queue in desired.queues}
        zone = ZoneInfo(desired.site.timezone)
        report = CallsReport(from_us, to_us, query.by, zone, queue=query.queue or "", targets_ms=targets)
        async for rows in self._store.inbound(from_us, to_us, query.queue or ""):
            await asyncio.to_thread(report.add, rows)
        language = 0 if query.lang == "zh" else 1
        return CallsReportAnswer(
            rows=[ReportRow(**asdict(row)) for row in report.rows()],
            total=ReportRow(**asdict(report.total())),
            definitions={name: texts[language] for name, texts in DEFINITIONS.items()},
            timezone=desired.site.timezone,
        )


def _check_span(from_us: int, to_us: int, by: By) -> None:
    if to_us <= from_us:
        raise _invalid("must be after `from`")
    if to_us - from_us > MOST_DAYS[by] * DAY_US:
        raise _invalid(f"at most {MOST_DAYS[by]} days by {by}")


def _invalid(message: str) -> Fault:
    fields = [FieldFault("query/to", message)]
    return Fault(FaultKind.INVALID, "reports.span", f"query/to: {message}", hint="Choose another time.", fields=fields)
