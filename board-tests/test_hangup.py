"""Calls on FXO ports end with the exchange's busy tone and with nothing else: appliance_agent.hangup on the board.

A hundred seeded talks (SEED=n: others) run side by side, each ended by its port's busy tone: who is deaf hears no talk
either. Times are of the board's clock; a test fails at five times the figure.
"""

import json
import os
from collections.abc import Callable

import pytest
from analog import LINES, OURS, Analog, answers, first
from board import until
from linesim_client import Event, hook, pause, play, wait
from talks import talk
from wire import LIMIT_S

SEED = int(os.environ.get("SEED", "20261123"))
TALKS, TALK_S = 100, 15.0
GUARD_S = 3.0
"""For 2 s after a call chan_dahdi has its port not free (`guardtime`)."""
ROOT = "/run/box"
TALKING = [line for line in LINES if line != 4]
"""Not the port that waits for DTMF before the ring: after a call it may be deaf to us for some seconds (README)."""
FOREIGN = 11, 12
"""Lines of an exchange whose busy tone was learned."""
TONES = {
    **dict.fromkeys(TALKING, ("busy", 3.0)),
    **dict.fromkeys((9, 10), ("congestion", 5.0)),
    **dict.fromkeys(FOREIGN, ("foreign busy", 5.0)),
}
"""By line: what the exchange sends after a talk, and how soon the port is to hang up, in seconds."""
PID = "/run/hangup.pid"
RUN = f"setsid python3 -m appliance_agent.hangup --root {ROOT} </dev/null >/tmp/hangup.log 2>&1"
START = f"kill -0 $(cat {PID}) 2>/dev/null || (cd /usr/lib/sa800; {RUN} & echo $! >{PID})"
"""Unless it runs."""
KILL = f"read -r pid <{PID}; kill -9 $pid; while [ -e /proc/$pid ]; do busybox usleep 10000; done"


def talks_of(analog: Analog, talks: dict[int, str]) -> dict[int, list[Event]]:
    """One call a line, at once: the talk of that name, then the line's busy tone. Answers what came, by line."""
    begun = len(analog.sim.events)
    for line, name in talks.items():
        tone = play(TONES[line][0], times=0, until="onhook")
        analog.sim.run(line, *answers(4, play(name), tone, pause(GUARD_S)))
    calls = {line: analog.originate(line + OURS, "8003") for line in talks}
    for call in calls.values():
        analog.answered(call)
    return {line: list(analog.sim.finish(line, begun)) for line in talks}


def took(events: list[Event], sound: str) -> float:
    """Seconds from the tone's beginning until the port was on hook; negative: it did not wait for the tone."""
    return float(first(events, "onhook")["at"] - first(events, "playing", sound=sound)["at"])


@pytest.fixture(scope="module")
def supervised(analog: Analog) -> Analog:
    """The files that the process reads; it is started by `start`."""
    home = f"{ROOT}/var/lib/sa800"
    secrets, file = f"{home}/secrets.json", f"{home}/asterisk/current/hangup.json"
    analog.board.run(f"mkdir -p {home}/asterisk/current")
    analog.board.run(f"echo '{json.dumps({'ami': 'board', 'ari': ''})}' >{secrets}; echo '[' >{file}")
    for line in LINES:  # one by one: the console takes no long lines
        learned = {"hz": [450], "cadence_ms": [500, 250]} if line in FOREIGN else None
        port = {"line": f"fxo-{line}", "channel": line + OURS, "learned": learned}
        analog.board.run(f"echo '{json.dumps(port)}{']' if line == LINES[-1] else ','}' >>{file}")
    return analog


def start(analog: Analog) -> None:
    analog.board.run(START)
    listening = "grep -c '\"listening\"' /tmp/hangup.log || true"
    until("all ports are listened to", lambda: analog.board.run(listening) == str(len(LINES)), LIMIT_S)


def test_without_it_only_the_line_s_end_hangs_up(supervised: Analog) -> None:
    """The control: nothing else ends a call with a busy tone; then the exchange drops the line's battery."""
    analog, line = supervised, LINES.start
    begun = len(analog.sim.events)
    analog.sim.run(line, *answers(4, play("busy", times=12), hook("on"), wait("onhook"), pause(GUARD_S)))
    analog.answered(analog.originate(line + OURS, "8003"))
    events = analog.sim.finish(line, begun)
    assert first(events, "onhook")["at"] > first(events, "hook", to="on")["at"]


def test_a_hundred_talks_end_with_the_busy_tone_only(supervised: Analog, say: Callable[[str], None]) -> None:
    start(supervised)
    late: dict[str, list[float]] = {}
    for begin in range(SEED, SEED + TALKS, len(TALKING)):
        seeds = range(begin, min(begin + len(TALKING), SEED + TALKS))
        for seed in seeds:
            supervised.sim.load(f"talk {seed}", talk(seed, TALK_S))
        talks = {line: f"talk {seed}" for line, seed in zip(TALKING, seeds, strict=False)}
        for line, events in talks_of(supervised, talks).items():
            tone, usual_s = TONES[line]
            seconds = took(events, tone)
            assert seconds > 0, f"{talks[line]} was cut {-seconds:.1f} s before its end"
            assert seconds <= 5 * usual_s
            late.setdefault(tone, []).append(seconds)
    for tone, all_s in late.items():
        say(f"{tone}: {len(all_s)} talks, hung up after {min(all_s):.2f} to {max(all_s):.2f} s")
    assert sum(map(len, late.values())) == TALKS


def test_killed_and_started_again_it_goes_on(supervised: Analog) -> None:
    start(supervised)
    supervised.board.run(KILL)
    start(supervised)
    events = talks_of(supervised, {LINES.start: "voice"})[LINES.start]
    assert took(events, "busy") > 0
