"""What the configuration's routes take and give."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from appliance_agent.config.diff import ChangeKind
from appliance_agent.config.model import Desired
from appliance_agent.render.apply_job import Timing


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FaultyField(Answer):
    path: str
    message: str
    key: str
    """For translations; "" where there are none."""
    values: dict[str, str | int]


class ConfigView(Answer):
    document: Desired
    """The draft. Secrets are null for technicians."""
    revision: int
    """Send it back as If-Match with each change."""
    running_version: int
    changed: bool
    """Whether the draft differs from what runs."""
    faults: list[FaultyField]
    """Why the draft could not be applied now."""
    active_job: str | None
    """The apply that goes on now."""


class ItemSaved(Answer):
    revision: int
    item: JsonValue


class RevisionSaved(Answer):
    revision: int


class ChangeView(Answer):
    path: str
    kind: ChangeKind
    before: JsonValue
    after: JsonValue


class FileDiff(Answer):
    path: str
    diff: str
    """Unified diff; secrets are hidden."""


class DiffView(Answer):
    changes: list[ChangeView]
    files: list[FileDiff]
    reloads: list[str]
    """Commands that Asterisk will get, in order; ["restart"] when it must start anew. Lines are configured between."""
    restart_because: list[str]
    calls_that_end: int
    """How many calls an apply with when="now" would end at this moment."""
    waits: bool
    """Whether an apply with when="idle" would wait until there is no call (of the lines that change, or at all)."""
    faults: list[FaultyField]


class ApplyOrder(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    revision: Annotated[int, Field(ge=0)]
    when: Timing = Timing.IDLE
    """Matters only where Asterisk must start anew, or lines are configured: now = their calls end; idle = wait until
    there is none."""
    comment: Annotated[str, Field(max_length=200)] = ""


class StepView(Answer):
    name: str
    state: Literal["running", "done", "failed"]
    ms: int
    log: list[str]
    """What was told to Asterisk and to the cards, in order."""


class JobView(Answer):
    id: str
    version: int
    when: Timing
    step: str
    state: Literal["waiting", "running", "done", "failed"]
    steps: list[StepView]
    error: dict[str, Any] | None
    """As in the API's errors, and `step`: where it failed."""
    created_at: str
    finished_at: str | None


class VersionView(Answer):
    version: int
    at: str
    by: str
    comment: str
    state: Literal["applying", "running", "superseded", "failed", "cancelled"]
