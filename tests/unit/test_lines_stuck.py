"""Stuck channels: who is suspected, when it is certain, how often it is repaired. Pure, by property."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance_agent.system.lines.stuck import (
    REPAIRS_OF_ALL,
    REPAIRS_OF_ONE,
    STUCK_S,
    WITHIN_S,
    Key,
    Look,
    Suspects,
    Why,
    due,
    observe,
    repaired,
    suspicion,
)

ALIVE = frozenset({"1.1", "1.2"})
GHOST = Look("9.9", idle=False)
KEY: Key = ("e1-1", 5)

looks = st.builds(
    Look, owner=st.sampled_from(["", "1.1", "9.9"]), idle=st.booleans(), call=st.booleans(), settled=st.booleans()
)
keys = st.tuples(st.sampled_from(["e1-1", "e1-2"]), st.integers(1, 3))


def test_who_is_suspected() -> None:
    assert suspicion(Look("1.1", idle=False, call=True), ALIVE) is None, "a call"
    assert suspicion(Look(""), ALIVE) is None, "free"
    assert suspicion(GHOST, ALIVE) is Why.GHOST
    assert suspicion(Look("", idle=False, call=True), ALIVE) is Why.HELD
    assert suspicion(Look("", idle=False), ALIVE) is Why.RESTARTING
    assert suspicion(Look("9.9", idle=False, settled=False), ALIVE) is None, "in alarm nothing is certain"


def test_stuck_only_after_a_long_time_without_a_break() -> None:
    suspects = observe(Suspects(), {KEY: GHOST}, ALIVE, 0.0)
    suspects = observe(suspects, {KEY: GHOST}, ALIVE, STUCK_S - 1)
    assert not suspects.stuck(STUCK_S - 1)
    assert suspects.stuck(STUCK_S) == {KEY: Why.GHOST}
    broken = observe(suspects, {KEY: Look("")}, ALIVE, STUCK_S)
    again = observe(broken, {KEY: GHOST}, ALIVE, STUCK_S + 1)
    assert not again.stuck(STUCK_S + 2)


@dataclass
class Life:
    suspects: Suspects
    repairs: list[tuple[Key, float]]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.dictionaries(keys, looks, max_size=6), st.floats(1, 200)), max_size=60))
def test_a_call_is_never_repaired_and_repairs_are_limited(steps: list[tuple[dict[Key, Look], float]]) -> None:
    life, now = Life(Suspects(), []), 0.0
    last: dict[Key, list[bool]] = {}
    for seen, passed in steps:
        now += passed
        life.suspects = observe(life.suspects, seen, ALIVE, now)
        for key in due(life.suspects, now):
            assert suspicion(seen[key], ALIVE) is not None, "only what is suspected in this very look"
            life.suspects = repaired(life.suspects, key, now)
            life.repairs.append((key, now))
        for key in set(last) | set(seen):
            last.setdefault(key, []).append(key in seen)
        recent = [one for one in life.repairs if now - one[1] < WITHIN_S]
        assert len(recent) <= REPAIRS_OF_ALL
        for key in {one for one, _ in recent}:
            assert sum(1 for other, _ in recent if other == key) <= REPAIRS_OF_ONE


@given(st.lists(st.floats(1, 60), min_size=1, max_size=50))
def test_what_stays_suspicious_is_found_and_after_the_last_repair_left_to_a_person(gaps: list[float]) -> None:
    suspects, now, began, done = Suspects(), 0.0, 0.0, 0
    for gap in gaps:
        now += gap
        if not suspects.since:
            began = now
        suspects = observe(suspects, {KEY: GHOST}, ALIVE, now)
        assert bool(suspects.stuck(now)) == (now - began >= STUCK_S)
        for key in due(suspects, now):
            suspects, done = repaired(suspects, key, now), done + 1
    assert done <= REPAIRS_OF_ONE * (1 + int(now // WITHIN_S))
