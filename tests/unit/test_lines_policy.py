"""What is shown of a line, which alarm follows, how counters add up. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance_agent.config.lines import E1Span, Ss7
from appliance_agent.config.model import Desired
from appliance_agent.system.lines.counting import Counts, added, grown
from appliance_agent.system.lines.facts import LineFacts, Reading, Shown, shown
from appliance_agent.system.lines.judge import SETTLE_S, troubles
from appliance_agent.system.lines.wanted import Wanted, wanted_lines
from hal.model.inventory import PortKind
from hal.protocols.voice import Alarm, PortState, SpanCounters, SpanState
from tests.unit.lines_kit import DESIRED

WANTED = Wanted("市话", "pri", data_link=16)
BEARERS = frozenset(range(1, 32)) - {16}


def line(
    *, present: bool = True, served: bool = True, wanted: Wanted | None = WANTED, signalling: str | None = "Clear",
    alarms: frozenset[Alarm] = frozenset(), calls: frozenset[int] = frozenset(), blocked: frozenset[int] = frozenset(),
    kind: PortKind = PortKind.E1, stuck: frozenset[int] = frozenset(), testing: frozenset[int] = frozenset(),
) -> LineFacts:  # fmt: skip
    port = PortState(signalling, open=True, alarms=alarms)
    span = SpanState(alarms, None, clock_master=False) if kind is PortKind.E1 else None
    slots = 31 if kind is PortKind.E1 else 1
    return LineFacts("x", kind, 1, present, served, wanted, Reading(port, span), slots, calls, blocked, stuck, testing)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (line(served=False, wanted=None), Shown.REFUSED),
        (line(present=False, served=False), Shown.MISSING),
        (line(wanted=None, alarms=frozenset({Alarm.RED})), Shown.NOT_CONFIGURED),
        (line(signalling=None, alarms=frozenset({Alarm.RED})), Shown.NOT_READY),
        (line(alarms=frozenset({Alarm.RED}), calls=frozenset({1})), Shown.ALARM),
        (line(blocked=BEARERS), Shown.BLOCKED),
        (line(blocked=BEARERS - {5}, calls=frozenset({5})), Shown.IN_CALL),
        (line(blocked=BEARERS - {5}), Shown.IN_SERVICE),
        (line(testing=frozenset({5}), calls=frozenset({5})), Shown.TESTING),
        (line(testing=frozenset({5}), calls=frozenset({5, 6})), Shown.IN_CALL),
        (line(testing=frozenset({5}), alarms=frozenset({Alarm.RED})), Shown.ALARM),
        (line(), Shown.IN_SERVICE),
    ],
)
def test_one_word_for_a_line(facts: LineFacts, state: Shown) -> None:
    assert shown(facts) is state


@pytest.mark.parametrize(
    ("facts", "lasted_s", "told"),
    [
        (line(alarms=frozenset({Alarm.RED})), 0, [("line.alarm", "critical")]),
        (line(alarms=frozenset({Alarm.RECOVERING})), 0, [("line.alarm", "warning")]),
        (line(kind=PortKind.FXO, alarms=frozenset({Alarm.RED})), 0, [("line.alarm", "warning")]),
        (line(present=False), SETTLE_S - 1, []),
        (line(present=False), SETTLE_S, [("line.missing", "critical")]),
        (line(present=False, wanted=None), 1e9, []),
        (line(signalling=None), SETTLE_S - 1, []),
        (line(signalling=None), SETTLE_S, [("line.not_ready", "warning")]),
        (line(stuck=frozenset({3})), 0, [("line.stuck", "warning")]),
        (line(), 1e9, []),
    ],
)
def test_what_is_an_alarm(facts: LineFacts, lasted_s: float, told: list[tuple[str, str]]) -> None:
    assert [(one.key, one.level.value) for one in troubles(facts, shown(facts), lasted_s)] == told


def test_every_configured_line_is_wanted() -> None:
    wanted = wanted_lines(DESIRED)
    assert {name: one.signalling for name, one in wanted.items()} == {"e1-1": "pri", "e1-2": "ss7", "fxo-1": "fxo"}
    ss7 = wanted["e1-2"]
    assert (ss7.linkset, ss7.destination, ss7.first_cic, ss7.data_link) == (1, 2, 33, 16)


def test_a_span_without_a_link_carries_talk_in_all_its_timeslots() -> None:
    span = E1Span(line="e1-1", name="x", signalling=Ss7(linkset="7", first_cic=1, link=None))
    (wanted,) = wanted_lines(Desired(e1_spans=(span,))).values()
    assert (wanted.data_link, wanted.destination) == (0, 0)
    assert len(line(wanted=wanted).bearers) == 31


steps = st.lists(st.integers(0, 5), max_size=30)


@given(steps, st.integers(0, 30))
def test_what_came_is_what_was_counted_also_over_a_restart_of_the_driver(growth: list[int], restart: int) -> None:
    """A driver that begins anew loses what it counted since our last look, never more."""
    value, before = 0, SpanCounters()
    total: Counts = {}
    for index, step in enumerate(growth):
        value = step if index == restart else value + step
        now = SpanCounters(crc4_errors=value)
        lost = index == restart and value >= before.crc4_errors
        total = added(total, grown(before, now))
        before = now
        if lost:
            return  # a counter that overtook itself cannot be told from one that went on
    assert total.get("crc4_errors", 0) == sum(growth)
