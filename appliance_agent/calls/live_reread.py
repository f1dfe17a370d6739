"""A whole new state from what Asterisk lists, after any gap. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from appliance_agent.asterisk.ami_wire import Message
from appliance_agent.asterisk.models import Channel, ChannelRow
from appliance_agent.calls.live import MENU, call_state, phone_use, told
from appliance_agent.calls.live_model import Call, Leg, LiveState, PhoneState, PhoneUse

VARIABLES = "SA_QUEUE,SA_WAITING"
"""Channel variables that the dialplan sets: the queue that offered the call to this leg; that this leg is in."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caller in a queue, from QueueStatus."""

    queue: str
    uniqueid: str
    wait_s: int

    @classmethod
    def from_ami(cls, message: Message) -> "Waiting":
        wait = message.get("Wait")
        return cls(message.get("Queue"), message.get("Uniqueid"), int(wait) if wait.isdigit() else 0)


def rebuild(rows: list[ChannelRow], waiting: list[Waiting], before: LiveState, now_us: int) -> LiveState:
    """`before` gives what no list of Asterisk's tells: menu path, since when, hold (DEVICE_STATE says "busy" of a phone
    on hold, because of device_state_busy_at)."""
    calls: dict[str, Call] = {}
    where: dict[str, str] = {}
    for row in sorted(rows, key=lambda item: item.channel.uniqueid != item.channel.linkedid):
        channel = row.channel
        old = before.call_of(channel.uniqueid)
        known = next((leg for leg in old.legs if leg.channel.uniqueid == channel.uniqueid), None) if old else None
        called = known.called if known else channel.uniqueid != channel.linkedid
        leg = Leg(channel, called, row.bridge, known is not None and known.held, row.variables.get("SA_QUEUE", ""))
        call = calls.get(channel.linkedid) or _begin(channel, row, before, now_us)
        call = replace(call, legs=(*call.legs, leg), queue=row.variables.get("SA_WAITING", "") or call.queue)
        calls[channel.linkedid] = told(call, leg)
        where[channel.uniqueid] = channel.linkedid
    for caller in waiting:
        call_id = where.get(caller.uniqueid)
        if call_id is not None:
            since = now_us - caller.wait_s * 1_000_000
            calls[call_id] = replace(calls[call_id], queue=caller.queue, waiting_since_us=since, in_menu=False)
    for call_id, call in calls.items():
        state, old = call_state(call), before.calls.get(call_id)
        since = old.since_us if old is not None and old.state is state else now_us
        calls[call_id] = replace(call, state=state, since_us=since)
    extensions = {leg.extension for call in calls.values() for leg in call.legs if leg.extension}
    phones: Mapping[str, PhoneUse] = {extension: phone_use(calls, extension) for extension in extensions}
    return LiveState(calls, where, {key: use for key, use in phones.items() if use.state is not PhoneState.FREE})


def _begin(channel: Channel, row: ChannelRow, before: LiveState, now_us: int) -> Call:
    """The call of a first row: its root channel's, when that is still there."""
    old = before.calls.get(channel.linkedid)
    if old is not None:
        return replace(old, legs=(), waiting_since_us=None, in_menu=channel.context.startswith(MENU))
    call = Call(channel.linkedid, _made_us(channel.linkedid, now_us))
    trunk = Leg(channel, False).trunk
    if trunk and channel.uniqueid == channel.linkedid:
        return replace(call, direction="inbound", trunk=trunk, did=row.dialled, called_number=row.dialled)
    return replace(call, called_number=row.dialled)


def _made_us(call_id: str, now_us: int) -> int:
    """A channel's id begins with the second it was made in."""
    seconds = call_id.partition(".")[0]
    made = int(seconds) * 1_000_000 if seconds.isascii() and seconds.isdigit() and len(seconds) < 12 else now_us
    return min(made, now_us)
