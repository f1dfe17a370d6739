"""Calls on FXO ports end with the exchange's busy tone and with nothing else: appliance_agent.hangup on the board.

A hundred seeded talks (SEED=n: others) run side by side, each ended by its port's busy tone: who is deaf hears no talk
either. Times are of the board's clock; a test fails at five times the figure.
"""

import json
import os
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from analog import LINES, OURS, Analog, answers, first
from board import until
from linesim_client import Event, echo, hook, pause, play, wait
from talks import speech, talk
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
CANCELLED = 6
"""The line whose port has an echo canceller (guest: system.conf)."""
BUSY = "450/350|0/350"
TONES_OF_OURS = {
    "nothing": "0",
    "a steady tone": "523",
    "dial tone": "450",
    "ring-back": "450/1000|0/4000",
    "a tune": "523/220|0/40|659/220|784/180|0/90|392+494/300|880/240|587/160|0/60|440/350|698/200",
}
"""As PlayTones takes them."""
OURS_S = 60
MONITOR = "import os,fcntl,struct;h=os.open('/dev/dahdi/pseudo',2);fcntl.ioctl(h,0xC00CDA0D,struct.pack('3i',0,{},1))"
"""Another program listens to a channel, for a moment."""
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


def saying(analog: Analog, context: str, **variables: str) -> None:
    """Our end calls by that line, is answered, and goes on there."""
    asked = analog.dut.ami.action(
        "Originate", variables=variables, Channel=f"DAHDI/{CANCELLED + OURS}/8003",
        Context=context, Exten="s", Priority="1", Async="true", Timeout="60000",
    )  # fmt: skip
    analog.answered(asked["ActionID"])


def took(events: Sequence[Event], sound: str) -> float:
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


def recorded(analog: Analog) -> str:
    """The file of a talk, as our end heard it."""
    begun = len(analog.sim.events)
    analog.sim.run(CANCELLED, *answers(4, play("talk"), hook("on"), wait("onhook"), pause(GUARD_S)))
    call = analog.answered(analog.originate(CANCELLED + OURS, "8003"))
    analog.sim.finish(CANCELLED, begun)
    analog.dut_heard(call)
    return f"/srv/heard/{call}"


def test_the_busy_tone_is_heard_while_we_speak_though_echo_is_cancelled(
    supervised: Analog, say: Callable[[str], None]
) -> None:
    analog = supervised
    start(analog)
    analog.sim.load("talk", talk(SEED, TALK_S))
    analog.sim.load("caller", speech(np.random.default_rng(SEED), 4.0))
    ours = {name: ("tone", {"HZ": hz, "TALK_S": str(OURS_S)}) for name, hz in TONES_OF_OURS.items()}
    ours["a talk"] = "files", {"FILES": "&".join([recorded(analog)] * round(OURS_S / TALK_S))}
    for name, (context, said) in ours.items():
        begun = len(analog.sim.events)
        tone = play("busy", times=0, until="onhook")
        analog.sim.run(CANCELLED, *answers(4, play("caller"), tone, pause(GUARD_S)))
        saying(analog, context, **said)
        analog.board.run(f'python3 -c "{MONITOR.format(CANCELLED + OURS)}"')
        seconds = took(analog.sim.finish(CANCELLED, begun), "busy")
        say(f"while we say {name}: hung up after {seconds:.2f} s")
        assert 0 < seconds <= 5 * TONES[CANCELLED][1]


def test_the_echo_of_our_own_busy_tone_ends_no_call(supervised: Analog) -> None:
    analog = supervised
    start(analog)
    begun = len(analog.sim.events)
    analog.sim.run(CANCELLED, *answers(4, echo(10, loss_db=10), hook("on"), wait("onhook"), pause(GUARD_S)))
    saying(analog, "tone", HZ=BUSY, TALK_S=str(OURS_S))
    events = analog.sim.finish(CANCELLED, begun)
    assert first(events, "onhook")["at"] > first(events, "hook", to="on")["at"]
