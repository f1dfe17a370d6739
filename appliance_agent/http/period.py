"""The time that a report is about, as its query asks for it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from appliance_agent.kernel.clock import parse_rfc3339
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault
from ledger.report import By

DAY_US = 86_400_000_000
MOST_DAYS = {By.HOUR: 62, By.DAY: 800, By.HOUR_OF_DAY: 800}


def _moment(value: str) -> str:
    parse_rfc3339(value)
    return value


Moment = Annotated[str, StringConstraints(max_length=40), AfterValidator(_moment)]
"""RFC 3339 with an offset."""


class PeriodQuery(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    from_: Annotated[Moment, Field(alias="from", description="RFC 3339")]
    to: Annotated[Moment, Field(description="RFC 3339; not included")]
    by: By = By.DAY
    lang: Literal["zh", "en"] = "zh"

    def span_us(self) -> tuple[int, int]:
        """[from, to) in microseconds since the epoch. Raises Fault INVALID: none, or longer than a report may be."""
        from_us, to_us = parse_rfc3339(self.from_), parse_rfc3339(self.to)
        if to_us <= from_us:
            raise _invalid("must be after `from`")
        if to_us - from_us > MOST_DAYS[self.by] * DAY_US:
            raise _invalid(f"at most {MOST_DAYS[self.by]} days by {self.by}")
        return from_us, to_us

    def words(self, both: tuple[str, str]) -> str:
        """Of (Chinese, English), the asked one."""
        return both[0 if self.lang == "zh" else 1]


def _invalid(message: str) -> Fault:
    fields = [FieldFault("query/to", message)]
    return Fault(FaultKind.INVALID, "reports.span", f"query/to: {message}", hint="Choose another time.", fields=fields)
