"""What the routes of link probes take and give."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from appliance_agent.linkprobe.plan import SECONDS, STEPS, STREAMS
from appliance_agent.linkprobe.result import Because, Verdict
from appliance_agent.system.linkprobe.record import State


class ProbeOrder(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    peer: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    steps: Annotated[
        tuple[Annotated[int, Field(ge=1, le=STREAMS)], ...], Field(min_length=1, max_length=STEPS)
    ] = (1, 10, 30)  # fmt: skip
    """Calls at the same time, one step after the other."""
    seconds: Annotated[int, Field(ge=3, le=SECONDS)] = 10
    """Of each step; 60 in all."""
    in_spite_of_calls: bool = False
    """Somebody has seen that calls are up, here or there, and wants it all the same."""


class ProbeOrderOut(BaseModel):
    steps: list[int]
    seconds: int
    in_spite_of_calls: bool


class FiguresOut(BaseModel):
    """Of one direction."""

    r: float
    """0 … 93.2, ITU-T G.107."""
    mos: float
    loss_pct: float
    made_up_pct: float
    """Sound that the jitter buffer had to make up: lost, or too late."""
    network_ms: float
    """One way: half of the shortest way there and back, and what this direction took longer than at best."""
    buffer_ms: float
    delay_ms: float
    """From mouth to ear, one way."""
    jitter_ms: float
    """Mean difference between the transits of two packets that came one after the other."""
    late_ms: float
    """The sender's own jitter, taken off all others: mean."""
    latest_ms: float
    missed_pct: float
    """What came and was not read in time, because the receiving box was busy; lost, too."""
    verdict: Verdict
    because: Because
    """What takes most of R."""


class SecondOut(FiguresOut):
    direction: Literal["out", "back"]
    step: int
    second: int


class StepOut(BaseModel):
    step: int
    streams: int
    seconds: int
    """That were measured."""
    verdict: Verdict
    worst: Literal["out", "back"]
    """The direction that decides."""
    out: FiguresOut | None
    back: FiguresOut | None


class ReasonOut(BaseModel):
    key: str
    """For translations."""
    message: str
    hint: str


class ProbeOut(BaseModel):
    id: str
    peer: str
    by: str
    began_at: str
    ended_at: str | None
    """None: it runs."""
    state: State
    order: ProbeOrderOut
    seconds: list[SecondOut]
    """Empty in lists."""
    steps: list[StepOut]
    early: bool
    """It ended before its last step, because the link lost a fifth."""
    reason: ReasonOut | None
    """Why it failed."""
    calls: int
    """That were up at the other box, when it refused because of them."""


class PeerOut(BaseModel):
    """Of the configuration that runs."""

    id: str
    name: str
    host: str | None
    """None: it may ask us, we cannot ask it."""
    port: int


class AnsweringOut(BaseModel):
    peer: str
    since: str


class ProbesOut(BaseModel):
    port: int
    """UDP port at which this box answers its peers."""
    listening: bool
    """The port is held; it is not while a call has it, or without peers."""
    answering: AnsweringOut | None
    """Whose probe is being answered now."""
    calls: int
    """Up here now."""
    peers: list[PeerOut]
    probes: list[ProbeOut]
    """Newest first, without seconds."""
