"""HTTP: the calls report."""

import asyncio
from dataclasses import asdict
from zoneinfo import ZoneInfo

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.features.reports.model import CallsReportAnswer, ReportQuery, ReportRow
from appliance_agent.features.reports.store import ReportStore
from appliance_agent.http.route import Call, Role, Route
from ledger.report import DEFINITIONS, CallsReport


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
        from_us, to_us = query.span_us()
        desired = self._config.desired
        targets = {queue.id: queue.service_level_s * 1000 for queue in desired.queues}
        zone = ZoneInfo(desired.site.timezone)
        report = CallsReport(from_us, to_us, query.by, zone, queue=query.queue or "", targets_ms=targets)
        async for rows in self._store.inbound(from_us, to_us, query.queue or ""):
            await asyncio.to_thread(report.add, rows)
        return CallsReportAnswer(
            rows=[ReportRow(**asdict(row)) for row in report.rows()],
            total=ReportRow(**asdict(report.total())),
            definitions={name: query.words(texts) for name, texts in DEFINITIONS.items()},
            timezone=desired.site.timezone,
        )
