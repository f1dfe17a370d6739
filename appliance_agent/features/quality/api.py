"""HTTP: quality of a record's legs, and the quality report."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.features.quality.model import (
    LegQuality,
    PeerRow,
    QualityCell,
    QualityFigures,
    QualityQuery,
    QualityReportAnswer,
    RecordQuality,
    WindowSeries,
)
from appliance_agent.features.quality.store import QualityStore, Quarter
from appliance_agent.http.route import Call, Identity, Role, Route
from appliance_agent.kernel.clock import rfc3339
from appliance_agent.kernel.errors import Fault, FaultKind
from ledger.emodel import mos
from ledger.quality import DEFINITIONS, WINDOW_S, Category, Figures, Sums, Window, category
from ledger.quality_report import QualityReport

FindRecord = Callable[[str, Identity], Awaitable[Mapping[str, Any] | None]]
"""Call id, who asks → the record's row if they may see it."""


class QualityApi:
    def __init__(self, store: QualityStore, find_record: FindRecord, config: ConfigHolder) -> None:
        self._store, self._find_record, self._config = store, find_record, config

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/records/{call_id}/quality", Role.AGENT, self.record, "How each leg of a call sounded",
                  reply=RecordQuality, errors=(404,)),
            Route("GET", "/reports/quality", Role.SUPERVISOR, self.report, "Quality of calls by trunk and time",
                  query=QualityQuery, reply=QualityReportAnswer),
        ]  # fmt: skip

    async def record(self, call: Call) -> RecordQuality:
        row = await self._find_record(call.path["call_id"], call.who)
        if row is None:
            raise Fault(FaultKind.NOT_FOUND, "records.unknown", "There is no such call record.")
        order = [leg["uniqueid"] for leg in row["detail"]["legs"]]
        known = await self._store.windows(order)
        legs = [_leg(uniqueid, known[uniqueid]) for uniqueid in order if uniqueid in known]
        return RecordQuality(window_s=WINDOW_S, legs=legs)

    async def report(self, call: Call) -> QualityReportAnswer:
        query: QualityQuery = call.query
        from_us, to_us = query.span_us()
        desired = self._config.desired
        report = QualityReport(from_us, to_us, query.by, ZoneInfo(desired.site.timezone))
        async for quarters in self._store.quarters(from_us, to_us):
            await asyncio.to_thread(_add, report, quarters)
        names = {trunk.id: trunk.name for trunk in desired.trunks}
        return QualityReportAnswer(
            site=desired.site.name,
            buckets=report.buckets,
            cells=[
                QualityCell(peer=cell.peer, bucket=cell.bucket, category=_worse(cell.figures), **asdict(cell.figures))
                for cell in report.cells()
            ],
            peers=[
                PeerRow(peer=row.peer, name=names.get(row.peer, row.peer), category=_worse(row.figures),
                        **asdict(row.figures))
                for row in report.peers()
            ],
            total=QualityFigures(**asdict(report.total())),
            definitions={name: query.words(texts) for name, texts in DEFINITIONS.items()},
            timezone=desired.site.timezone,
        )  # fmt: skip


def _add(report: QualityReport, quarters: Sequence[Quarter]) -> None:
    for quarter in quarters:
        report.add(quarter.peer, quarter.at_us, json.loads(quarter.counts))


def _leg(uniqueid: str, windows: list[Window]) -> LegQuality:
    sums = Sums()
    sums.begin_leg()
    for window in windows:
        sums.add(window)
    figures = sums.figures()
    return LegQuality(
        uniqueid=uniqueid,
        figures=QualityFigures(**asdict(figures)),
        category_came=None if figures.r_came is None else category(figures.r_came),
        category_went=None if figures.r_went is None else category(figures.r_went),
        windows=_series(windows),
    )


def _series(windows: list[Window]) -> WindowSeries:
    came, went = [window.r_came for window in windows], [window.r_went for window in windows]
    return WindowSeries(
        at=[rfc3339(window.slot * WINDOW_S * 1_000_000) for window in windows],
        r_came=[_short(r, 1) for r in came],
        r_went=[_short(r, 1) for r in went],
        mos_came=[None if r is None else _short(mos(r), 2) for r in came],
        mos_went=[None if r is None else _short(mos(r), 2) for r in went],
        loss_came=[_short(window.came.loss, 4) for window in windows],
        loss_went=[_short(window.went.loss, 4) for window in windows],
        jitter_came_ms=[window.came.jitter_ms for window in windows],
        jitter_went_ms=[window.went.jitter_ms for window in windows],
        rtt_ms=[window.rtt_ms for window in windows],
        concealed=[window.concealed for window in windows],
        buffer_ms=[window.buffer_ms for window in windows],
    )


def _short(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _worse(figures: Figures) -> Category | None:
    known = [r for r in (figures.r_came, figures.r_went) if r is not None]
    return category(min(known)) if known else None
