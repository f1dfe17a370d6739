"""What the quality API takes and gives."""

from pydantic import BaseModel

from appliance_agent.http.period import PeriodQuery
from ledger.quality import Category
from ledger.report import By


class QualityQuery(PeriodQuery):
    by: By = By.HOUR


class QualityFigures(BaseModel):
    """As in `ledger.quality.Figures`; shares are 0..1, null is unknown."""

    legs: int
    minutes: float
    r_came: float | None
    r_went: float | None
    mos_came: float | None
    mos_went: float | None
    poor: float | None
    loss_came: float | None
    loss_went: float | None
    jitter_came_ms: float | None
    jitter_went_ms: float | None
    rtt_ms: float | None
    concealed: float | None


class WindowSeries(BaseModel):
    """A list for each figure, an entry for each window; null is unknown."""

    at: list[str]
    r_came: list[float | None]
    r_went: list[float | None]
    mos_came: list[float | None]
    mos_went: list[float | None]
    loss_came: list[float | None]
    loss_went: list[float | None]
    jitter_came_ms: list[float | None]
    jitter_went_ms: list[float | None]
    rtt_ms: list[float | None]
    concealed: list[float | None]
    buffer_ms: list[float | None]


class LegQuality(BaseModel):
    uniqueid: str
    figures: QualityFigures
    """Of the whole leg."""
    category_came: Category | None
    category_went: Category | None
    """ITU-T G.109's, of the mean R."""
    windows: WindowSeries


class RecordQuality(BaseModel):
    window_s: int
    legs: list[LegQuality]
    """Those of the record whose quality is known: sound over IP for some seconds."""


class QualityCell(QualityFigures):
    peer: str
    bucket: str
    category: Category | None
    """Of the worse direction."""


class PeerRow(QualityFigures):
    peer: str
    name: str
    category: Category | None


class QualityReportAnswer(BaseModel):
    site: str
    """The branch, whose figures are `total`."""
    buckets: list[str]
    cells: list[QualityCell]
    peers: list[PeerRow]
    total: QualityFigures
    definitions: dict[str, str]
    timezone: str
