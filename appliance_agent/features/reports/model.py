"""What the reports API takes and gives."""

from typing import Annotated

from pydantic import BaseModel, StringConstraints

from appliance_agent.http.period import PeriodQuery


class ReportQuery(PeriodQuery):
    queue: Annotated[str | None, StringConstraints(max_length=32)] = None


class ReportRow(BaseModel):
    bucket: str
    offered: int
    answered: int
    lost: int
    lost_rate: float | None
    avg_wait_ms: int | None
    max_wait_ms: int | None
    avg_talk_ms: int | None
    service_level: float | None


class CallsReportAnswer(BaseModel):
    rows: list[ReportRow]
    total: ReportRow
    definitions: dict[str, str]
    timezone: str
