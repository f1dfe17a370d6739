"""The events of one call → its CallRecord. Pure; the events are walked once, in journal order (`ledger.walk`)."""

import re
from collections.abc import Sequence

from contracts.journal import UserEvent
from ledger.legs import LegState
from ledger.model import CallRecord, Direction, Event, QueueVisit, Result
from ledger.walk import Stage, Walk

_SHIFT = re.compile(r"^-?[0-9]{1,18}$")
_USER_EVENTS = frozenset(event.value for event in UserEvent)
_LEAVE_RESULT = {
    "abandon": Result.ABANDONED_QUEUE, "timeout": Result.QUEUE_TIMEOUT, "continue": Result.QUEUE_TIMEOUT,
}  # fmt: skip
_DIAL_RESULT = {"busy": Result.BUSY, "noanswer": Result.NO_ANSWER, "cancel": Result.CANCELLED}
_STAGE_RESULT = {
    Stage.UNKNOWN_NUMBER: Result.UNKNOWN_NUMBER, Stage.MENU: Result.ABANDONED_MENU,
    Stage.QUEUE: Result.ABANDONED_QUEUE, Stage.DIAL: Result.CANCELLED,
}  # fmt: skip


def derive(call_id: str, events: Sequence[Event], *, closed_by: Event | None = None) -> CallRecord | None:
    """The record of the call with these events (any order; told twice is told once).

    `closed_by`: the SA_BOX_STARTED that ended it. None for what was no call: a channel that never came to the
    dialplan's first line nor into a bridge, such as a click-to-dial whose own phone did not answer.
    """
    events = sorted({event.seq: event for event in events}.values(), key=lambda event: event.seq)
    if not any(event.type in _USER_EVENTS or event.type == "BRIDGE_ENTER" for event in events):
        return None
    walk = Walk(events[0], events[0].time_us)
    seen: set[tuple[str, int, str, str]] = set()
    clock_us = events[0].time_us
    for event in events:
        key = (event.type, event.time_us, event.uniqueid, repr(event.data))
        if key in seen:
            continue
        seen.add(key)
        walk.elapse(max(0, event.time_us - _shift_us(event) - clock_us))
        clock_us = event.time_us
        walk.take(event)
    return _record(call_id, walk, interrupted=closed_by is not None)


def _shift_us(event: Event) -> int:
    """How far the clock was set between the row before and this one, where the agent saw it."""
    text = event.data.get("shift_us", "") if event.type == UserEvent.CLOCK else ""
    return int(text) if _SHIFT.match(text) else 0


def _record(call_id: str, walk: Walk, *, interrupted: bool) -> CallRecord:
    end_us = walk.now_us
    legs = walk.legs.by_id
    primary = next((leg for leg in legs.values() if leg.role == "caller"), None) or legs[walk.first.uniqueid]
    primary.role = "caller"
    for leg in legs.values():
        if leg is not primary and leg.linkedid != primary.linkedid and not leg.connected:
            leg.role = "consultation"
    direction = walk.direction or Direction.INTERNAL
    if walk.visits and walk.visits[-1].left_us is None:
        walk.visits[-1].leave(end_us, "interrupted" if interrupted else "abandon")
    if interrupted:
        walk.say("interrupted", {})
    else:
        walk.say("hangup", {"by": walk.hangup_by, "cause": str(primary.cause)})
    visits = tuple(
        QueueVisit(v.queue, v.joined_us, v.left_us or end_us, ((v.left_us or end_us) - v.joined_us) // 1000, v.outcome,
                   v.answered_by)
        for v in walk.visits
    )  # fmt: skip
    line = (walk.customer.line or walk.customer.channel) if walk.customer else ""
    called = walk.did if direction is Direction.INBOUND else walk.dialled
    return CallRecord(
        call_id=call_id,
        direction=direction,
        result=Result.INTERRUPTED if interrupted else _result(walk, primary),
        caller_number=primary.number or primary.extension,
        caller_name="" if walk.withheld else walk.caller_name or walk.first.caller_name,
        called_number=called or walk.first.exten,
        did=walk.did,
        trunk=walk.trunk,
        line=line,
        menu_path=tuple(walk.menu_path),
        queue=visits[-1].queue if visits else "",
        extension=walk.extension if direction is Direction.INBOUND else walk.calling_extension,
        started_us=walk.first.time_us,
        answered_us=walk.answered_us,
        ended_us=end_us,
        menu_ms=walk.menu_us // 1000,
        wait_ms=sum(visit.wait_ms for visit in visits),
        ring_ms=walk.ring_us // 1000,
        talk_ms=walk.talk_us // 1000,
        hold_ms=walk.hold_us // 1000,
        transfers=walk.transfers,
        hangup_by="" if interrupted else walk.hangup_by,
        hangup_cause=primary.cause,
        recording=walk.recording,
        legs=tuple(leg.freeze(end_us) for leg in legs.values()),
        queue_visits=visits,
        timeline=tuple(walk.timeline),
    )


def _result(walk: Walk, primary: LegState) -> Result:
    if walk.answered_us is not None:
        return Result.ANSWERED
    if walk.stage is Stage.LEFT_QUEUE:
        return _LEAVE_RESULT.get(walk.leave_status, Result.QUEUE_UNAVAILABLE)
    if walk.stage is Stage.DIALLED:
        return _DIAL_RESULT.get(walk.dial_status, Result.FAILED)
    # Ended before it came anywhere: by the caller (cause 16, or none), or the box could not take it.
    return _STAGE_RESULT.get(walk.stage, Result.CANCELLED if primary.cause in (0, 16) else Result.FAILED)
