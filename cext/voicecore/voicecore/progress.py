"""Tones of the exchange heard on a line (busy, ring-back, …): a Chinese exchange's, or one learned from a sample."""

from dataclasses import dataclass
from errno import ENODATA
from typing import Any

from voicecore._core import ffi, lib
from voicecore.blocks import RATE_HZ, Samples, blocks, checked


@dataclass(frozen=True, slots=True)
class Learned:
    """A tone as it was found in a sample."""

    hz: tuple[float, ...]
    """One or two frequencies."""
    level_dbm0: float
    """While it sounds."""
    cadence_ms: tuple[int, ...]
    """On, off, on, off …; one number: continuous."""
    runs: int
    """Complete runs (of sound and of silence) that must fit before it is told."""
    spread_ms: float
    """How much equal runs differed at most."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to listen for; one plan serves any number of lines."""

    core: Any

    @classmethod
    def cn(cls) -> "Plan":
        """Tone zone cn; events carry the numbers of `tones.Named`."""
        plan = ffi.new("vc_progress_plan *")
        checked(lib.vc_progress_plan_cn(plan), "the plan of zone cn")
        return cls(plan)

    @classmethod
    def learned(cls, tone: Learned, number: int) -> "Plan":
        """Events carry `number`."""
        core, plan = ffi.new("vc_learned *"), ffi.new("vc_progress_plan *")
        if len(tone.hz) > lib.VC_PROGRESS_TONES or len(tone.cadence_ms) > lib.VC_CADENCE_STEPS:
            raise ValueError(f"{tone}: more than two frequencies or eight steps")
        for place, hz in enumerate(tone.hz):
            core.hz[place] = hz
        core.cadence.steps, core.cadence.runs = len(tone.cadence_ms), tone.runs
        for place, step_ms in enumerate(tone.cadence_ms):
            core.cadence.step_ms[place] = step_ms
        checked(lib.vc_progress_plan_learned(plan, core, number), str(tone))
        return cls(plan)


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    number: int
    """Of `tones.Named`, or what the plan was given."""
    began: bool
    """False: it is over."""
    at_s: float
    """When the detector knew, seconds of signal since it was made."""
    level_dbm0: float
    offset_hz: float
    """By how much the (first) frequency is beside the plan's."""


class ProgressDetector:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._state = ffi.new("vc_progress *")
        self._events = ffi.new("vc_progress_event[]", lib.VC_PROGRESS_EVENTS)
        lib.vc_progress_init(self._state)

    def feed(self, samples: Samples) -> list[ProgressEvent]:
        """Whole blocks of 20 ms → what became known in them."""
        heard = []
        for block in blocks(samples):
            for place in range(lib.vc_progress_feed(self._state, self._plan.core, block, self._events)):
                event = self._events[place]
                at_s, began = event.at_sample / RATE_HZ, bool(event.began)
                heard.append(ProgressEvent(event.id, began, at_s, event.level_dbm0, event.offset_hz))
        return heard


def learn(samples: Samples) -> Learned:
    """From 30 s at most, which hold two rounds of the tone at least. Raises ValueError that says what is missing."""
    state, found = ffi.new("vc_learn *"), ffi.new("vc_learned *")
    lib.vc_learn_init(state)
    for block in blocks(samples):
        checked(lib.vc_learn_feed(state, block), "a sample of more than 30 s")
    match lib.vc_learn_result(state, found):
        case 0:
            hz = tuple(float(hz) for hz in found.hz if hz)
            steps = tuple(found.cadence.step_ms)[: found.cadence.steps]
            return Learned(hz, found.level_dbm0, steps, found.cadence.runs, found.spread_ms)
        case errno if errno == -ENODATA:
            raise ValueError("the sample holds no pure tone of 300 to 1050 Hz above -45 dBm0")
        case _:
            raise ValueError("the sample's tone has no steady cadence, or less than two rounds of it are there")
