"""The fold: (state, event, now) → (state, changes). Pure; `live_service` feeds it, `live_reread` begins it anew."""

from dataclasses import replace
from typing import Any

from appliance_agent.asterisk import models as ast
from appliance_agent.calls.live_model import Call, CallState, Changes, Leg, LiveState, PhoneState, PhoneUse

MENU, QUEUE, FROM_TRUNK, INTERNAL = "menu-", "queue-", "from-trunk-", "internal"
"""Names of contexts, as the renderer makes them. Its subroutines (sa-*) are no place to be in."""
_CHOICES = frozenset("0123456789*#")
_URGENCY = (PhoneState.TALKING, PhoneState.HELD, PhoneState.RINGING)
"""What a phone with several legs is said to do."""


def fold(state: LiveState, event: ast.CallEvent, now_us: int) -> tuple[LiveState, Changes]:
    """An event of a channel that is not known makes it known, so a stream may begin anywhere."""
    work = _Work(state, now_us)
    match event:
        case ast.ChannelChanged(channel):
            work.put(channel)
        case ast.ChannelGone(channel):
            work.drop(channel.uniqueid)
        case ast.ChannelHeld(channel, on):
            work.put(channel)
            work.leg(channel.uniqueid, held=on)
        case ast.BridgeEntered(bridge, channel):
            work.put(channel)
            work.leg(channel.uniqueid, bridge=bridge)
        case ast.BridgeLeft(bridge, channel):
            # A channel may enter its next bridge before it is told that it left the last one.
            if work.put(channel).bridge == bridge:
                work.leg(channel.uniqueid, bridge="")
        case ast.DialBegun(source, dest):
            work.dialled(source, dest)
        case ast.QueueJoined(queue, channel):
            work.put(channel)
            work.call(channel, queue=queue, waiting_since_us=now_us, in_menu=False)
        case ast.QueueLeft(_, channel):
            work.put(channel)
            work.call(channel, waiting_since_us=None)
        case ast.QueueOffered(queue, caller, dest) | ast.QueueConnected(queue, caller, dest):
            work.put(caller)
            work.put(dest, called=True)
            work.leg(dest.uniqueid, queue=queue)
    return work.settle()


class _Work:
    """One event's changes to a copy of the state; nothing outside of `fold` sees it."""

    def __init__(self, state: LiveState, now_us: int) -> None:
        self._before, self._now_us = state, now_us
        self._calls, self._where = dict(state.calls), dict(state.where)
        self._touched: set[str] = set()
        self.rung: tuple[str, str] | None = None

    def dialled(self, source: ast.Channel | None, dest: ast.Channel) -> None:
        if source is not None:
            self.put(source)
        leg = self.put(dest, called=True)
        if source is not None and leg.extension:  # without a source it is our own click-to-dial: no pop
            self.rung = (dest.linkedid, leg.extension)

    def put(self, channel: ast.Channel, *, called: bool = False) -> Leg:
        """The channel's newest snapshot, in the call that its linkedid says (it changes when calls are joined)."""
        leg = Leg(channel, called or channel.uniqueid != channel.linkedid)
        old_id = self._where.get(channel.uniqueid)
        if old_id is not None:
            known = _find(self._calls[old_id], channel.uniqueid)
            leg = replace(known, channel=channel, called=known.called or called)
            if old_id != channel.linkedid:
                self._take_out(channel.uniqueid)
        call = self._calls.get(channel.linkedid) or Call(channel.linkedid, self._now_us, since_us=self._now_us)
        legs = [leg if item.channel.uniqueid == channel.uniqueid else item for item in call.legs]
        if leg not in legs:
            legs.append(leg)
        self._calls[channel.linkedid] = told(replace(call, legs=tuple(legs)), leg)
        self._where[channel.uniqueid] = channel.linkedid
        self._touched.add(channel.linkedid)
        return leg

    def leg(self, uniqueid: str, **fields: Any) -> None:
        """Other values for fields of a Leg."""
        call = self._calls[self._where[uniqueid]]
        old = _find(call, uniqueid)
        new = replace(old, **fields)
        legs = tuple(new if item is old else item for item in call.legs)
        self._calls[call.call_id] = replace(call, legs=legs, in_menu=call.in_menu and not new.bridge)

    def call(self, channel: ast.Channel, **fields: Any) -> None:
        """Other values for fields of a Call."""
        self._calls[channel.linkedid] = replace(self._calls[channel.linkedid], **fields)

    def drop(self, uniqueid: str) -> None:
        if uniqueid in self._where:
            self._take_out(uniqueid)

    def _take_out(self, uniqueid: str) -> None:
        call_id = self._where.pop(uniqueid)
        call = self._calls[call_id]
        self._calls[call_id] = replace(call, legs=tuple(leg for leg in call.legs if leg.channel.uniqueid != uniqueid))
        self._touched.add(call_id)

    def settle(self) -> tuple[LiveState, Changes]:
        """Derive what follows from the legs of the touched calls, and tell what differs from before."""
        changed, extensions = set(), set()
        for call_id in self._touched:
            old, call = self._before.calls.get(call_id), self._calls[call_id]
            if call.legs:
                state = call_state(call)
                since_us = call.since_us if state is call.state else self._now_us
                new: Call | None = replace(call, state=state, since_us=since_us)
                assert new is not None
                self._calls[call_id] = new
            else:
                del self._calls[call_id]
                new = None
            if old is None or new is None or old.view() != new.view() or old.waiting_since_us != new.waiting_since_us:
                changed.add(call_id)
            if _uses(old) != _uses(new):
                extensions |= {extension for extension, _, _ in _uses(old) ^ _uses(new)}
        phones, moved = dict(self._before.phones), set()
        for extension in extensions:
            use = phone_use(self._calls, extension)
            if use != phones.get(extension, PhoneUse()):
                moved.add(extension)
                phones.pop(extension, None)
                if use.state is not PhoneState.FREE:
                    phones[extension] = use
        return LiveState(self._calls, self._where, phones), Changes(frozenset(changed), frozenset(moved), self.rung)


def _find(call: Call, uniqueid: str) -> Leg:
    return next(leg for leg in call.legs if leg.channel.uniqueid == uniqueid)


def _uses(call: Call | None) -> frozenset[tuple[str, PhoneState, str]]:
    return frozenset((leg.extension, leg.use, leg.queue) for leg in call.legs if leg.extension) if call else frozenset()


def told(call: Call, leg: Leg) -> Call:
    """What a leg's place, number and endpoint tell about its call."""
    channel = leg.channel
    if channel.uniqueid == call.call_id:
        call = _told_by_root(call, channel)
    elif leg.trunk and call.direction == "internal":
        call = replace(call, direction="outbound", trunk=leg.trunk)
    if channel.context.startswith(MENU):
        return _in_menu(call, channel)
    if channel.context.startswith(QUEUE) and call.in_menu:
        return replace(call, in_menu=False)
    return call


def _told_by_root(call: Call, channel: ast.Channel) -> Call:
    if channel.context.startswith(FROM_TRUNK):
        call = replace(
            call, direction="inbound", trunk=channel.context.removeprefix(FROM_TRUNK),
            did=call.did or channel.exten, called_number=call.called_number or channel.exten,
        )  # fmt: skip
    if channel.context == INTERNAL and len(channel.exten) > 1 and not call.called_number:
        call = replace(call, called_number=channel.exten)
    # Also when it is nobody any more: the dialplan takes away who withholds his number.
    return replace(call, caller_number=channel.caller_number, caller_name=channel.caller_name)


def _in_menu(call: Call, channel: ast.Channel) -> Call:
    """menu-<id>-v<n>: a choice is the digit's extension there; s, i and t are not."""
    menu = channel.context.removeprefix(MENU).rpartition("-v")[0]
    choice = f"{menu}:{channel.exten}"
    path = call.menu_path
    # A choice has several steps, each an event; the next menu's `s` comes between two equal choices.
    if channel.exten in _CHOICES and not (call.in_menu and path and path[-1] == choice and call.chosen):
        return replace(call, menu_path=(*path, choice), in_menu=True, chosen=True)
    if channel.exten not in _CHOICES:
        return replace(call, in_menu=True, chosen=False)
    return call


def call_state(call: Call) -> CallState:
    bridged: dict[str, list[Leg]] = {}
    for leg in call.legs:
        if leg.bridge:
            bridged.setdefault(leg.bridge, []).append(leg)
    talking = [legs for legs in bridged.values() if len(legs) > 1]
    if talking:
        return CallState.HELD if any(leg.held for legs in talking for leg in legs) else CallState.TALKING
    called = [leg.channel.state for leg in call.legs if leg.called]
    if ast.ChannelState.RINGING in called:
        return CallState.RINGING
    if call.waiting_since_us is not None:
        return CallState.QUEUE
    if call.in_menu:
        return CallState.MENU
    talked = call.state in (CallState.TALKING, CallState.HELD)
    if (called or talked) and all(state is ast.ChannelState.UP for state in called):
        return call.state  # answered and not bridged yet, or no longer: some milliseconds around a conversation
    return CallState.DIALLING


def phone_use(calls: dict[str, Call], extension: str) -> PhoneUse:
    uses = [
        PhoneUse(leg.use, call.call_id, leg.queue) for call in calls.values() for leg in call.legs
        if leg.extension == extension
    ]  # fmt: skip
    return min(uses, key=lambda use: _URGENCY.index(use.state), default=PhoneUse())
