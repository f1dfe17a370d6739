"""What varies with the seed, and what is asked of the figures."""

import random
from dataclasses import dataclass

DID = "075588886666"
TONES_HZ = (437.0, 523.0, 611.0, 701.0, 797.0, 883.0)
"""No one is near twice or thrice another, nor near DTMF."""
TALK_S = 10.0
JUDGED_S = 8.0


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    caller: str
    digit: str
    queue: str
    caller_hz: float
    agent_hz: float
    caller_hangs_up: bool

    @classmethod
    def of(cls, seed: int) -> "Plan":
        rng = random.Random(seed)
        digit, queue = rng.choice((("1", "service"), ("2", "sales")))
        caller_hz, agent_hz = rng.sample(TONES_HZ, 2)
        caller = "1" + rng.choice("3589") + "".join(rng.choices("0123456789", k=9))
        return cls(seed, caller, digit, queue, caller_hz, agent_hz, rng.random() < 0.5)


LEAST = {"menu_heard": 0.7, "tone_share_caller": 0.8, "tone_share_agent": 0.8}
MOST = {"pop_ms": 500.0, "record_visible_ms": 2000.0}
LENGTH_OFF_S = 0.3


def failures(figures: dict[str, object], recording: dict[str, object], call_s: float) -> list[str]:
    """Every figure that is missing or misses its target, in words."""
    found = []
    for name, least in LEAST.items():
        value = figures.get(name)
        if not isinstance(value, float) or value < least:
            found.append(f"{name} is {value}; at least {least}")
    for name, most in MOST.items():
        value = figures.get(name)
        if not isinstance(value, float) or not 0 <= value <= most:
            found.append(f"{name} is {value}; at most {most}")
    if not isinstance(figures.get("agent_rang_ms"), float):
        found.append("the seat's browser was not rung")
    for side in ("left", "right"):
        value = recording.get(side)
        if not isinstance(value, float) or value < 0.8:
            found.append(f"recording, {side}: share {value}; at least 0.8")
    seconds = recording.get("seconds")
    if not isinstance(seconds, float) or abs(seconds - call_s) > LENGTH_OFF_S:
        found.append(f"recording lasts {seconds} s; the call lasted {call_s:.2f} s")
    if figures.get("report_counted") is not True:
        found.append("the report does not count the call")
    return found
