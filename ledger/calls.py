"""Which rows belong to one call, and when a call is over. Pure: feed events in journal order.

A call is a set of linkedids: Asterisk gives a channel another linkedid when a transfer moves it into another call's
bridge, and the transfer's own rows name the channels of both. A call is over when every channel seen has ended.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass, field

from contracts.journal import UserEvent
from ledger.model import Event

RECENT_CALLS = 64
"""Finished calls that are remembered for rows that come late and for joins (transfer rows lag by < 1 ms)."""

_MENTIONS = {
    "BLINDTRANSFER": ("transferee_channel_uniqueid",),
    "ATTENDEDTRANSFER": ("channel2_uniqueid", "transferee_channel_uniqueid", "transfer_target_channel_uniqueid"),
    UserEvent.TRANSFER.value: ("transferee_channel_uniqueid", "transfer_target_channel_uniqueid"),
}
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_ENDS = frozenset({"HANGUP", "CHAN_END", "LINKEDID_END"})
_NEVER_FIRST = _ENDS | {"BRIDGE_EXIT", "STREAM_END", UserEvent.HOLD.value, UserEvent.TRANSFER.value}


@dataclass(slots=True)
class CallEvents:
    """One call being collected."""

    call_id: str
    events: list[Event] = field(default_factory=list)
    linkedids: set[str] = field(default_factory=set)
    live: dict[str, str] = field(default_factory=dict)
    """Channels that have not ended: uniqueid → its linkedid now."""
    finished: bool = False
    closed_by: Event | None = None
    """The SA_BOX_STARTED that ended it."""
    seen: set[tuple[str, int, str, str]] = field(default_factory=set)
    """To know a row that was read twice (a journal restored from a copy)."""

    @property
    def first_seq(self) -> int:
        return self.events[0].seq

    @property
    def started_us(self) -> int:
        return self.events[0].time_us


@dataclass(frozen=True, slots=True)
class Step:
    """What one event did."""

    call_id: str = ""
    """The call it belongs to; "" for a row of no call."""
    joined: tuple[tuple[str, str], ...] = ()
    """(call that is no more, call that took it in)."""
    finished: tuple[CallEvents, ...] = ()
    """Calls to be written down now; may be one that was written before and has grown."""
    duplicate: bool = False
    orphan: bool = False
    """A row of a call not known here: a new one, or one finished long ago. `adopt` it and feed again."""


class OpenCalls:
    def __init__(self) -> None:
        self.calls: dict[str, CallEvents] = {}
        """Open calls by id."""
        self._recent: OrderedDict[str, CallEvents] = OrderedDict()
        self._by_key: dict[str, CallEvents] = {}
        """linkedid or uniqueid → call, open or recent."""

    def feed(self, event: Event) -> Step:
        if event.type == UserEvent.BOX_STARTED:
            return Step(finished=tuple(self._box_started(event)))
        if event.type == UserEvent.CLOCK:
            for call in self.calls.values():
                self._take(call, event)
            return Step()
        if not event.linkedid and not event.uniqueid:
            return Step()
        found = self._find(event)
        if not found:
            return Step(orphan=True)
        call, *others = found
        joined = tuple((other.call_id, call.call_id) for other in others)
        for other in others:
            self._merge(call, other)
        return self._add(call, event, joined)

    def restore(self, call_id: str, events: list[Event]) -> None:
        """An open call as it was stored when the agent stopped."""
        call = self.calls[call_id] = CallEvents(call_id)
        for event in events:
            self._take(call, event)

    def adopt(self, call_id: str, events: list[Event], event: Event, closed_by: Event | None = None) -> None:
        """Make the call of the orphan `event` known: with its stored events (it was finished), or with none (it is
        new). `closed_by` when it had been written down as interrupted."""
        call = CallEvents(call_id, closed_by=closed_by)
        self.calls[call_id] = call
        for old in events:
            self._take(call, old)
        if events:
            call.live.clear()
            self._finish(call)
        for key in (event.linkedid, event.uniqueid):
            if key:
                self._by_key[key] = call
        if event.linkedid:
            call.linkedids.add(event.linkedid)

    @staticmethod
    def may_start(event: Event) -> bool:
        """Whether an orphan may be the first row of a call: the end of something never seen is none."""
        return event.type not in _NEVER_FIRST

    def _find(self, event: Event) -> list[CallEvents]:
        """The calls that the event belongs to, the oldest first; more than one: they are one call from now on."""
        keys = [event.linkedid, event.uniqueid]
        keys += [event.data.get(name, "") for name in _MENTIONS.get(event.type, ())]
        calls = {call.call_id: call for key in keys if key and (call := self._by_key.get(key))}
        return sorted(calls.values(), key=lambda call: call.first_seq if call.events else -1)

    def _add(self, call: CallEvents, event: Event, joined: tuple[tuple[str, str], ...] = ()) -> Step:
        if _key(event) in call.seen:
            return Step(call.call_id, duplicate=True, joined=joined)
        was_finished = call.finished
        if was_finished:
            self._reopen(call)
        self._take(call, event)
        # LINKEDID_END tells nothing new about a call whose channels have all ended.
        over = not call.live and (joined or event.type in _ENDS or was_finished)
        if over:
            self._finish(call)
        report = over and not (was_finished and event.type == "LINKEDID_END" and not joined)
        return Step(call.call_id, joined, (call,) if report else ())

    def _take(self, call: CallEvents, event: Event) -> None:
        call.seen.add(_key(event))
        call.events.append(event)
        for key in (event.linkedid, event.uniqueid):
            if key:
                self._by_key[key] = call
        if event.linkedid:
            call.linkedids.add(event.linkedid)
        if event.type == "LINKEDID_END":
            call.live = {channel: linked for channel, linked in call.live.items() if linked != event.linkedid}
            call.live.pop(event.uniqueid, None)
        elif event.type in ("CHAN_END", "HANGUP"):
            if event.type == "CHAN_END":
                call.live.pop(event.uniqueid, None)
        elif event.type == "CHAN_START" or event.uniqueid in call.live or len(call.events) == 1:
            call.live[event.uniqueid] = event.linkedid

    def _merge(self, into: CallEvents, other: CallEvents) -> None:
        if into.finished:
            self._reopen(into)
        self.calls.pop(other.call_id, None)
        self._recent.pop(other.call_id, None)
        into.events = sorted([*into.events, *other.events], key=lambda event: event.seq)
        into.linkedids |= other.linkedids
        into.live |= other.live
        into.seen |= other.seen
        for key, call in self._by_key.items():
            if call is other:
                self._by_key[key] = into

    def _reopen(self, call: CallEvents) -> None:
        call.finished = False
        self._recent.pop(call.call_id, None)
        self.calls[call.call_id] = call

    def _finish(self, call: CallEvents) -> None:
        call.finished = True
        self.calls.pop(call.call_id, None)
        self._recent[call.call_id] = call
        while len(self._recent) > RECENT_CALLS:
            _, old = self._recent.popitem(last=False)
            for key in {*old.linkedids, *(event.uniqueid for event in old.events)}:
                if self._by_key.get(key) is old:
                    del self._by_key[key]

    def _box_started(self, event: Event) -> list[CallEvents]:
        dead = set(event.data.get("dead", "").split(",")) - {""}
        if dead:
            hit = [call for call in self.calls.values() if dead & call.live.keys()]
            for call in hit:
                call.live = {uniqueid: linked for uniqueid, linked in call.live.items() if uniqueid not in dead}
            closed = [call for call in hit if not call.live]
        else:
            closed = [call for call in self.calls.values() if not _survives(call, event)]
        for call in closed:
            call.closed_by = event
            call.live.clear()
            self._finish(call)
        return closed


def _key(event: Event) -> tuple[str, int, str, str]:
    return (event.type, event.time_us, event.uniqueid, repr(sorted(event.data.items())))


def _survives(call: CallEvents, event: Event) -> bool:
    """The row comes a moment after the start of the new Asterisk: calls of the new one may stand before it.
    (With `dead` it is no start but a check: those channels are gone, though their ends were not journalled.)

    `alive` = uniqueids that Asterisk has now; `startup` = its start: a channel whose first row is older died with the
    Asterisk before. (Not by the second that a uniqueid begins with: Asterisk may be back within it.) Without these
    keys the row closes everything before it.
    """
    alive = set(event.data.get("alive", "").split(",")) - {""}
    if alive & call.live.keys():
        return True
    startup = event.data.get("startup", "")
    if not _SECONDS.fullmatch(startup):
        return False
    startup_us = round(float(startup) * 1_000_000)
    born_us: dict[str, int] = {}
    for row in call.events:
        born_us.setdefault(row.uniqueid, row.time_us)
    return any(born_us[uniqueid] >= startup_us for uniqueid in call.live)
