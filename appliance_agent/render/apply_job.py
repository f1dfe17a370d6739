"""One apply as a job of named steps. Its state is saved before each step, so that a restarted agent goes on."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from appliance_agent.kernel.clock import rfc3339
from appliance_agent.kernel.errors import Fault


class Step(StrEnum):
    CHECK = "check"
    RENDER = "render"
    STAGE = "stage"
    SWAP = "swap"
    RELOAD = "reload"
    READ_BACK = "read_back"
    DONE = "done"
    RESTORE = "restore"
    """Only after a failure from `swap` on: back to the version before."""


FORWARD = (Step.CHECK, Step.RENDER, Step.STAGE, Step.SWAP, Step.RELOAD, Step.READ_BACK, Step.DONE)
HARMLESS = (Step.CHECK, Step.RENDER, Step.STAGE)
"""A failure in these changed nothing that Asterisk sees."""


MOST_NOTES = 2000
"""Lines of log kept of a step; twelve E1 make some hundred."""


class JobState(StrEnum):
    WAITING = "waiting"
    """For the last call to end: a restart is needed and the administrator chose when="idle"."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


CANCELLED = "config.cancelled"
"""The error of a job that a person ended while it waited; it never began."""


class Timing(StrEnum):
    NOW = "now"
    IDLE = "idle"


@dataclass(slots=True)
class StepRecord:
    name: str
    state: str
    """running | done | failed"""
    started_us: int
    ms: int = 0
    """How long it took; 0 while it runs."""
    log: list[str] = field(default_factory=list)
    """What was told to Asterisk and to the cards, in order."""


@dataclass(slots=True)
class Job:
    id: str
    version: int
    previous: int
    timing: Timing
    created_us: int
    step: Step = Step.CHECK
    state: JobState = JobState.RUNNING
    steps: list[StepRecord] = field(default_factory=list)
    error: dict[str, Any] | None = None
    finished_us: int | None = None
    log_offset: int = 0
    """Where Asterisk's log ended before it was told to read the new files."""

    @property
    def active(self) -> bool:
        return self.state in (JobState.WAITING, JobState.RUNNING)

    def note(self, text: str) -> None:
        """Into the open step's log; saved with the next step."""
        if self.steps and len(self.steps[-1].log) < MOST_NOTES:
            self.steps[-1].log.append(text)

    def as_dict(self) -> dict[str, Any]:
        """As in GET /config/jobs/{id}."""
        return {
            "id": self.id,
            "version": self.version,
            "when": self.timing.value,
            "step": self.step.value,
            "state": self.state.value,
            "steps": [
                {"name": record.name, "state": record.state, "ms": record.ms, "log": record.log}
                for record in self.steps
            ],
            "error": self.error,
            "created_at": rfc3339(self.created_us),
            "finished_at": None if self.finished_us is None else rfc3339(self.finished_us),
        }


def error_document(fault: Fault) -> dict[str, Any]:
    """A fault as the API tells errors."""
    return {
        "key": fault.key,
        "message": fault.message,
        "hint": fault.hint,
        "fields": [
            {"path": item.path, "message": item.message, "key": item.key, "values": dict(item.values)}
            for item in fault.fields
        ],
    }


class JobStore(Protocol):
    """Where jobs survive the agent. Each verb is one transaction, durable when it returns."""

    async def save(self, job: Job) -> None:
        """The job's step and state, before the step is begun."""
        ...

    async def now_running(self, job: Job) -> None:
        """The job is done: its version runs, the one before is superseded."""
        ...

    async def now_failed(self, job: Job) -> None:
        """The job failed: its version is marked so, the one before still runs."""
        ...
