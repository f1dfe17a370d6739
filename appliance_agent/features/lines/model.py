"""What the routes of the lines take and give."""

import hashlib
import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from appliance_agent.system.lines.facts import Shown
from appliance_agent.system.lines.trace import LONGEST_S
from appliance_agent.system.linetests.kinds import Kind
from appliance_agent.system.linetests.record import State
from hal.model.inventory import CardId, PortKind
from hal.protocols.linetest import LEAST_DBM0, MOST_DBM0
from hal.protocols.linetest import LONGEST_S as LONGEST_TEST_S
from hal.protocols.voice import Alarm, Coding

MOST_PERIODS = 1000
LEAST_TRACE_S = 5


class LineOut(BaseModel):
    """As in the live board."""

    id: str
    """Its name: fxo-1, fxs-3, e1-2."""
    kind: PortKind
    order: int
    state: Shown
    since: str
    """Since when it is in this state."""
    alarms: list[Alarm]
    label: str
    """What the configuration calls it; "" when it is not configured."""
    signalling: Literal["", "pri", "r2", "ss7", "fxo", "fxs"]
    number: str
    timeslots: int
    calls: list[int]
    """Timeslots in a call; 1 on an analog line."""
    blocked: list[int]
    stuck: list[int]


class PortOut(BaseModel):
    kind: PortKind
    position: int
    line: str | None
    """Name of the line; None where no line can be."""


class SpanOut(BaseModel):
    local: int
    type: str
    number: int | None
    """DAHDI's, for technicians; changes from boot to boot."""
    ports: list[PortOut]


class CardOut(BaseModel):
    id: str
    model: str
    serial: str | None
    position: str
    location: str
    maker: str
    present: bool
    known: bool
    trouble: str
    spans: list[SpanOut]
    guessed: bool
    """Its lines followed it by a guess: somebody should look whether the cables did."""


class RefusalOut(BaseModel):
    card: str
    lines: list[str]
    reason: str
    hint: str


class LinesOut(BaseModel):
    product: str
    analog_limit: int
    """Analog lines that the edition serves."""
    e1_limit: int
    simulated: bool
    fault: str
    """Why the hardware cannot be looked at now; "" when it can."""
    probed: bool
    """False before the first look at the hardware."""
    cards: list[CardOut]
    lines: list[LineOut]
    refusals: list[RefusalOut]


class FramingOut(BaseModel):
    coding: Coding
    common_channel: bool
    crc4: bool


class CallOn(BaseModel):
    timeslot: int
    call_id: str
    """Of the live board; "" when the call is not known there."""


class LineDetail(BaseModel):
    line: LineOut
    card: str | None
    span: int | None
    """DAHDI's number of the span."""
    channel: int | None
    """DAHDI's number of the first channel."""
    driver_signalling: str
    """DAHDI's word; "" when it is not configured there."""
    held: bool
    """A program (Asterisk, a line test) has it open."""
    framing: FramingOut | None
    clock_master: bool
    calls: list[CallOn]
    can: list[str]
    """What the hardware layer declares it can do with this line."""


class PeriodOut(BaseModel):
    alarm: Alarm
    since: str
    until: str | None


class CountsOut(BaseModel):
    at: str
    counts: dict[str, int]


class HistoryOut(BaseModel):
    alarms: list[PeriodOut]
    """Newest first."""
    counts: list[CountsOut]
    """By the quarter of an hour, oldest first; quarters without anything are left out."""


class HistoryQuery(BaseModel):
    hours: Annotated[int, Field(ge=1, le=24 * 90)] = 24
    limit: Annotated[int, Field(ge=1, le=MOST_PERIODS)] = 200


class Replacement(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    """Id of the card that came in its place."""


class Timeslots(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    timeslots: Annotated[list[Annotated[int, Field(ge=1, le=31)]], Field(max_length=31)] = []
    """Of an E1; empty: the whole line."""


class TraceOrder(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: Annotated[int, Field(ge=LEAST_TRACE_S, le=LONGEST_S)] = 60


class LineTestOrder(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    timeslot: Annotated[int, Field(ge=1, le=31)] = 1
    """Of an E1."""
    seconds: Annotated[int, Field(ge=1, le=LONGEST_TEST_S)] | None = None
    """None: as long as is usual."""
    level_dbm0: Annotated[float, Field(ge=LEAST_DBM0, le=MOST_DBM0)] = -10.0
    """What is sent; with `level`, what the far end is known to send."""
    number: Annotated[str, Field(pattern=r"^[0-9*#]{0,24}$")] = ""
    """To be called for the test; "" takes an FXO port off hook and calls nobody. Needed on an E1."""


class LineTestOrderOut(BaseModel):
    seconds: float
    level_dbm0: float
    number: str


class LineTestProgress(BaseModel):
    second: int
    level_dbm0: float
    errors: int


class FigureOut(BaseModel):
    name: Literal[
        "noise", "loss", "level", "hz", "rest", "return_loss", "delay", "error_rate", "errors", "bits", "losses"
    ]
    value: float | None
    """None: nothing was found."""
    unit: str
    verdict: Literal["", "good", "borderline", "bad"]
    """"": for information."""
    good: tuple[float, float] | None
    """(least, most); ±1000 is no limit."""
    bad: tuple[float, float] | None
    """What lies outside is bad."""


class ToneOut(BaseModel):
    hz: list[float]
    cadence_ms: list[int]
    known: Literal["", "busy", "congestion"]
    """The country's own tone that it is: nothing has to be set up for it."""


class CallerOut(BaseModel):
    how: Literal["fsk", "dtmf"]
    number: str
    name: str
    withheld: bool


class ReasonOut(BaseModel):
    key: str
    """For translations."""
    message: str
    hint: str


class LineTestOut(BaseModel):
    id: str
    line: str
    timeslot: int
    kind: Kind
    by: str
    began_at: str
    ended_at: str | None
    """None: it runs."""
    state: State
    order: LineTestOrderOut
    progress: LineTestProgress | None
    """While it measures."""
    verdict: Literal["", "good", "borderline", "bad"]
    figures: list[FigureOut]
    """The most telling one first."""
    tone: ToneOut | None
    caller: CallerOut | None
    reason: ReasonOut | None
    """Why it failed, or found nothing."""
    lost_ms: int = 0
    """Sound that did not come through in time: the figures are worth less."""


class PossibleOut(BaseModel):
    kind: Kind
    refused: ReasonOut | None
    """Why it cannot be tested on this line; None: it can."""
    seconds: int
    """As long as is usual."""
    number: bool
    """A number has to be said."""


class LineTestsOut(BaseModel):
    possible: list[PossibleOut]
    tests: list[LineTestOut]
    """Newest first."""


class TraceOut(BaseModel):
    id: str
    line: str
    by: str
    began_at: str
    ended_at: str | None
    """None: it runs."""
    size_bytes: int
    end: Literal["", "time", "size", "stopped", "failed"]
    """Why it ended."""


def card_key(card: CardId) -> str:
    """An id for URLs."""
    return hashlib.sha256(json.dumps([card.model, card.serial, card.position]).encode()).hexdigest()[:12]
