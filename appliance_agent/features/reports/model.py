"""What the reports API takes and gives."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from appliance_agent.kernel.clock import parse_rfc3339
from ledger.report import By


def _moment(value: str) -> str:
    parse_rfc3339(value)
    return value


Moment = Annotated[str, StringConstraints(max_length=40), AfterValidator(_moment)]


class ReportQuery(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    from_: Annotated[Moment, Field(alias="from", description="RFC 3339")]
    to: Annotated[Moment, Field(description="RFC 3339; not included")]
    by: By = By.DAY
    queue: Annotated[str | None, StringConstraints(max_length=32)] = None
    lang: Literal["zh", "en"] = "zh"


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
