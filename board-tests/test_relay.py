"""Our line tests on real channels, against a relay that joins the far ends of two lines and injects known values
(linesim/relay.py; it shares no code with what measures). SEED=n makes other values.

All pairs are measured at once, on timeslots of the E1 of the kernel's boot: the relay holds the exchange's ends, 2k and
2k + 1; our engine ours. A measurement that differs by more than its tolerance is red, and so is one that agrees with a
value that was not injected.
"""

import json
import math
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from board import Board

SEED = int(os.environ.get("SEED", "20261123"))
OURS = 31
"""Our end's channel number is the exchange's plus this."""
LEVEL_DB, DELAY_MS = 0.5, 2.0
"""What a measurement may be wrong by. Bit errors: not at all."""
SENT_DBM0 = -10.0
SECONDS = 5.0
BYTES = 8000
"""A second of a timeslot."""
MEASURE = "cd /usr/lib/suite && PYTHONPATH=.:/usr/lib/sa800 python3 -m tests.hal.measure"
O41_DB = {  # ITU-T O.41, table 1: how much noise of these Hz counts
    50: -63.0, 100: -41.0, 200: -21.0, 300: -10.6, 400: -6.3, 500: -3.6, 600: -2.0, 700: -0.9, 800: 0.0, 900: 0.6,
    1000: 1.0, 1200: 0.0, 1400: -0.9, 1600: -1.7, 1800: -2.4, 2000: -3.0, 2500: -4.2, 3000: -5.6, 3500: -8.5,
    4000: -15.0,
}  # fmt: skip
QUIET_DBM0P, FLOOR_DB = -60.0, 30.0
"""What a line with nothing on it has less noise than, and echoes less than."""
TIMESLOTS = [*range(1, 15, 2), *range(17, 31, 2)]
"""Where pairs begin; 16 is the D channel."""

Way = dict[str, Any]
Job = dict[str, Any]
Found = dict[str, Any]


@dataclass
class Pair:
    """Two lines, the relay between their far ends, and what our ends are to do."""

    name: str
    kind: str
    near: Job
    far: Job
    there: Way = field(default_factory=dict)
    back: Way = field(default_factory=dict)
    echo: Way | None = None
    """Of the near line, at the relay."""


def tone(name: str, there: Way) -> Pair:
    near: Job = {"coding": "ALAW", "send": ["tone", 1004, SENT_DBM0], "hear": [], "seconds": SECONDS}
    return Pair(name, "sound", near, {**near, "send": None, "hear": ["TONE", "LEVEL"]}, there)


def trip(name: str, there: Way, back: Way) -> Pair:
    """The far line gives back what comes: what is measured is the way there and back."""
    near = {"coding": "ALAW", "send": ["echo", SENT_DBM0], "hear": [], "seconds": SECONDS}
    return Pair(name, "sound", near, {"loop": True}, there, back)


def echo(name: str, way: Way) -> Pair:
    pair = trip(name, {}, {})
    pair.far, pair.echo = {**pair.near, "send": None, "hear": ["LEVEL"]}, way
    return pair


def quiet(name: str, there: Way) -> Pair:
    near = {"coding": "ALAW", "send": None, "hear": ["NOISE", "LEVEL"], "seconds": SECONDS}
    return Pair(name, "sound", near, dict(near), there)


def bits(name: str, there: Way, back: Way) -> Pair:
    near = {"coding": "BITS", "send": ["bits"], "hear": ["BITS"], "seconds": SECONDS}
    return Pair(name, "bits", near, dict(near), there, back)


def relayed(number: int, pair: Pair) -> dict[str, Any]:
    ways = [{"from": 0, "to": 1, **pair.there}, {"from": 1, "to": 0, **pair.back}]
    more: list[Way] = [] if pair.echo is None else [{"from": 0, "to": 0, **pair.echo}]
    return {"ends": [number, number + 1], "kind": pair.kind, "ways": ways + more}


def run(board: Board, pairs: list[Pair]) -> dict[str, tuple[Found, Found]]:
    """What our engine found at both ends of each pair."""
    numbers = {pair.name: number for number, pair in zip(TIMESLOTS, pairs, strict=False)}
    relay = [relayed(numbers[pair.name], pair) for pair in pairs]
    jobs = [
        {"channel": numbers[pair.name] + OURS + end, **job}
        for pair in pairs
        for end, job in enumerate((pair.near, pair.far))
    ]
    for name, content in (("relay", relay), ("measure", jobs)):
        lines = json.dumps(content).replace("}, {", "},\n{")  # a console's line has its length
        board.run(f"cat >/tmp/{name}.json <<'END'\n{lines}\nEND")
    board.run('/etc/board/relay start "$(cat /tmp/relay.json)"')
    found = json.loads(board.run(f'{MEASURE} "$(cat /tmp/measure.json)"', limit_s=900))
    did = json.loads(board.run("/etc/board/relay stop"))
    assert did["late"] == [], f"the relay was late, nothing measured counts: {did}"
    for one in found.values():
        assert (one["late_blocks"], one["underruns"], one["overruns"]) == (0, 0, 0), "the engine was late"
    first, second = ({name: found.get(str(n + OURS + end), {}) for name, n in numbers.items()} for end in (0, 1))
    return {name: (first[name], second[name]) for name in numbers}


class Values:
    """What is injected, other values for each seed."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.loss_db = {f"loss {db}": db + chance.uniform(-1, 1) for db in (3, 6, 12)}
        self.delay = {f"delay {ms}": 8 * ms + chance.randrange(-40, 41) for ms in (10, 40, 100)}
        """Samples, there and back together."""
        self.echo_db = {f"echo {db}": db + chance.uniform(-2, 2) for db in (6, 18)}
        self.echo_delay = {name: 8 * chance.randrange(5, 200) for name in self.echo_db}
        """Samples."""
        self.noise_dbm0 = {f"noise {dbm0}": dbm0 + chance.uniform(-2, 2) for dbm0 in (-35, -50)}
        self.errors = {"bits": (chance.randrange(1, 20), chance.randrange(20, 400))}
        """There, back."""
        self.seed = chance.randrange(1 << 30)

    def pairs(self) -> list[Pair]:
        return [
            *[tone(name, {"loss_db": db}) for name, db in self.loss_db.items()],
            *[trip(name, {"delay": d // 3}, {"delay": d - d // 3}) for name, d in self.delay.items()],
            *[echo(name, {"loss_db": db, "delay": self.echo_delay[name]}) for name, db in self.echo_db.items()],
            *[quiet(name, {"noise_dbm0": dbm0, "seed": self.seed}) for name, dbm0 in self.noise_dbm0.items()],
            *[bits(name, self._wrong(there), self._wrong(back)) for name, (there, back) in self.errors.items()],
        ]

    def _wrong(self, count: int) -> Way:
        """In seconds 1 to 4 of five: both ends are in step."""
        return {"errors": [count, BYTES, 4 * BYTES, self.seed + count]}

    def judged(self, found: dict[str, tuple[Found, Found]]) -> dict[str, tuple[float, float, float]]:
        """What was measured, what was injected, and what it may differ by."""
        weight_db = 10 * math.log10(np.mean([10 ** (db / 10) for db in np.interp(range(25, 4000, 25), *_table())]))
        base_ms = found[PASSED_ON][0]["echo"]["delay_ms"]
        """Of the relay's own lead, and the kernel's."""
        judged: dict[str, tuple[float, float, float]] = {}
        for name, db in self.loss_db.items():
            judged[f"{name}: dBm0"] = (found[name][1]["tone"]["level_dbm0"], SENT_DBM0 - db, LEVEL_DB)
        for name, delay in self.delay.items():
            judged[f"{name}: ms"] = (found[name][0]["echo"]["delay_ms"] - base_ms, delay / 8, DELAY_MS)
        for name, db in self.echo_db.items():
            returned = found[name][0]["echo"]
            judged[f"{name}: return loss, dB"] = (returned["return_loss_db"], db, LEVEL_DB)
            # An echo passes the relay once, the way there and back twice.
            judged[f"{name}: ms"] = (returned["delay_ms"] - base_ms / 2, self.echo_delay[name] / 8, DELAY_MS)
        for name, dbm0 in self.noise_dbm0.items():
            judged[f"{name}: dBm0"] = (found[name][1]["level_dbm0"], dbm0, LEVEL_DB)
            judged[f"{name}: dBm0p"] = (found[name][1]["noise_dbm0p"], dbm0 + weight_db, LEVEL_DB)
        for name, (there, back) in self.errors.items():
            for end, where, count in ((1, "there", there), (0, "back", back)):
                judged[f"{name} {where}: errors"] = (found[name][end]["bits"]["errors"], count, 0)
                judged[f"{name} {where}: out of step"] = (found[name][end]["bits"]["losses"], 0, 0)
        return judged


def _table() -> tuple[list[int], list[float]]:
    return list(O41_DB), list(O41_DB.values())


PASSED_ON = "nothing, there and back"
NOTHING = [tone("nothing, a tone", {}), trip(PASSED_ON, {}, {}), echo("nothing, no echo", {"loss_db": 90.0})]
"""The controls: a relay that only passes on."""
VALUES = Values(SEED)


@pytest.fixture(scope="module")
def found(lines: Board) -> dict[str, tuple[Found, Found]]:
    return run(lines, VALUES.pairs() + NOTHING)


def wrong(judged: dict[str, tuple[float, float, float]]) -> list[str]:
    return [
        name for name, (measured, injected, tolerance) in judged.items() if not abs(measured - injected) <= tolerance
    ]


def test_what_is_measured_is_what_was_injected(
    found: dict[str, tuple[Found, Found]], say: Callable[[str], None]
) -> None:
    judged = VALUES.judged(found)
    for name, (measured, injected, tolerance) in judged.items():
        say(f"{name}: measured {measured:.2f}, injected {injected:.2f} (± {tolerance:g})")
    assert not wrong(judged)
    for one, other in (found[name] for name in VALUES.errors):
        assert min(one["bits"]["bits"], other["bits"]["bits"]) > 8 * BYTES * (SECONDS - 1)


def test_a_relay_that_injects_nothing_is_seen_as_such(
    found: dict[str, tuple[Found, Found]], say: Callable[[str], None]
) -> None:
    heard, passed = found["nothing, a tone"][1]["tone"], found[PASSED_ON][0]["echo"]
    say(f"delay of the relay and the kernel, there and back: {passed['delay_ms']:.2f} ms")
    assert abs(heard["level_dbm0"] - SENT_DBM0) <= LEVEL_DB
    assert abs(passed["return_loss_db"]) <= LEVEL_DB
    nobody = found["nothing, no echo"][0]["echo"]
    assert nobody["delay_ms"] is None and nobody["return_loss_db"] > FLOOR_DB
    assert found["nothing, no echo"][1]["level_dbm0"] == pytest.approx(SENT_DBM0, abs=LEVEL_DB)
    assert all(found[name][0]["noise_dbm0p"] < QUIET_DBM0P for name in VALUES.noise_dbm0)


def test_a_relay_that_injects_something_else_is_seen(lines: Board) -> None:
    """Each value differs by twice its tolerance from what the judge is told; bit errors by one."""
    others = Values(SEED)
    for losses in (others.loss_db, others.echo_db, others.noise_dbm0):
        losses.update({name: db + 2 * LEVEL_DB for name, db in losses.items()})
    for delays in (others.delay, others.echo_delay):
        delays.update({name: delay + round(2 * DELAY_MS * 8) for name, delay in delays.items()})
    others.errors.update({name: (there + 1, back - 1) for name, (there, back) in others.errors.items()})
    judged = VALUES.judged(run(lines, others.pairs() + NOTHING))
    assert wrong(judged) == [name for name in judged if not name.endswith("out of step")]
