"""What the records API takes and gives."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from appliance_agent.http.period import Moment
from ledger.model import Direction, Result

MAX_LIMIT = 200
MAX_OFFSET = 10_000_000


def _closed(known: frozenset[str]) -> AfterValidator:
    def check(value: str) -> str:
        for item in value.split(","):
            if item not in known:
                raise ValueError(f"{item!r} is not one of: {', '.join(sorted(known))}")
        return value

    return AfterValidator(check)


Id = Annotated[str, StringConstraints(max_length=64)]

SORTS = (
    "started_at", "ended_at", "wait_ms", "ring_ms", "talk_ms", "hold_ms", "caller_number", "called_number", "queue",
    "extension", "result",
)  # fmt: skip
Sort = Literal[
    "started_at", "-started_at", "ended_at", "-ended_at", "wait_ms", "-wait_ms", "ring_ms", "-ring_ms", "talk_ms",
    "-talk_ms", "hold_ms", "-hold_ms", "caller_number", "-caller_number", "called_number", "-called_number", "queue",
    "-queue", "extension", "-extension", "result", "-result",
]  # fmt: skip


class RecordFilter(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    from_: Annotated[Moment | None, Field(alias="from", description="Started at or after, RFC 3339")] = None
    to: Annotated[Moment | None, Field(description="Started before, RFC 3339")] = None
    direction: Annotated[str | None, _closed(frozenset(Direction)), Field(description="One or more, by comma")] = None
    result: Annotated[str | None, _closed(frozenset(Result)), Field(description="One or more, by comma")] = None
    queue: Id | None = None
    extension: Annotated[Id | None, Field(description="Took part in the call")] = None
    number: Annotated[Id | None, Field(description="Part of the caller's or the called number")] = None
    did: Id | None = None


class RecordQuery(RecordFilter):
    sort: Sort = "-started_at"
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 50
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET)] = 0


class CsvQuery(RecordFilter):
    lang: Literal["zh", "en"] = "zh"


class DownloadQuery(BaseModel):
    download: Literal["0", "1"] = "0"


class RecordingInfo(BaseModel):
    seconds: int
    size_bytes: int
    sha256: str
    """Of the wav as it was finished: whoever downloads it can check that nobody changed it."""


class RecordItem(BaseModel):
    call_id: str
    direction: Direction
    result: Result
    caller_number: str
    caller_name: str
    called_number: str
    did: str
    trunk: str
    line: str
    queue: str
    extension: str
    user_id: str
    user_name: str
    started_at: str
    answered_at: str | None
    ended_at: str
    menu_ms: int
    wait_ms: int
    ring_ms: int
    talk_ms: int
    hold_ms: int
    transfers: int
    hangup_by: str
    hangup_cause: int
    recording: RecordingInfo | None


class LegItem(BaseModel):
    uniqueid: str
    channel: str
    role: str
    extension: str
    trunk: str
    number: str
    started_at: str
    answered_at: str | None
    ended_at: str
    ring_ms: int
    hold_ms: int
    hangup_cause: int
    connected: bool


class VisitItem(BaseModel):
    queue: str
    joined_at: str
    left_at: str
    wait_ms: int
    outcome: str
    answered_by: str


class TimelineEntry(BaseModel):
    at: str
    kind: str
    detail: dict[str, str]


class RecordDetail(RecordItem):
    menu_path: list[str]
    menu_names: dict[str, str]
    """Id → name of the path's menus that the running configuration still has."""
    legs: list[LegItem]
    queue_visits: list[VisitItem]
    timeline: list[TimelineEntry]


class RecordPage(BaseModel):
    items: list[RecordItem]
    total: int


class PeaksAnswer(BaseModel):
    rate: float
    left: list[float]
    right: list[float]
