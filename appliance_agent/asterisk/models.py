"""Asterisk's words converted at the door: typed events and rows; the rest of the agent never sees raw headers."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from appliance_agent.asterisk.ami_wire import Message
from appliance_agent.asterisk.rtcp import RtcpReport
from contracts.journal import LISTENING

_UNKNOWN = ("", "<unknown>", "<none>")
_UNSET = ("", "(null)")


class ChannelState(StrEnum):
    """ast_channel state, the ones that matter to us; others are OTHER."""

    DOWN = "Down"
    RING = "Ring"
    RINGING = "Ringing"
    DIALING = "Dialing"
    UP = "Up"
    OTHER = ""

    @classmethod
    def from_ami(cls, text: str) -> "ChannelState":
        return cls(text) if text in set(cls) else cls.OTHER


class DeviceState(IntEnum):
    """Status of a queue member (ast_device_state)."""

    UNKNOWN = 0
    NOT_IN_USE = 1
    IN_USE = 2
    BUSY = 3
    INVALID = 4
    UNAVAILABLE = 5
    RINGING = 6
    RING_IN_USE = 7
    ON_HOLD = 8


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel's snapshot; every channel event of AMI carries a whole one."""

    uniqueid: str
    linkedid: str
    name: str
    state: ChannelState
    caller_number: str
    caller_name: str
    connected_number: str
    context: str
    exten: str
    account: str = ""

    @classmethod
    def from_ami(cls, message: Message, prefix: str = "", suffix: str = "") -> "Channel":
        """`prefix`: Dest, OrigTransferer, … as Asterisk writes them before each key."""

        def value(key: str) -> str:
            text = message.get(f"{prefix}{key}{suffix}")
            return "" if text in _UNKNOWN else text

        return cls(
            uniqueid=value("Uniqueid"), linkedid=value("Linkedid"), name=value("Channel"),
            state=ChannelState.from_ami(value("ChannelStateDesc")), caller_number=value("CallerIDNum"),
            caller_name=value("CallerIDName"), connected_number=value("ConnectedLineNum"), context=value("Context"),
            exten=value("Exten"), account=value("AccountCode"),
        )  # fmt: skip

    @property
    def technology(self) -> str:
        return self.name.partition("/")[0]

    @property
    def endpoint(self) -> str:
        """ "1001" of PJSIP/1001-0000002a; "" for what is no endpoint's channel (Local, Announcer …)."""
        technology, _, rest = self.name.partition("/")
        return rest.rpartition("-")[0] if technology == "PJSIP" else ""


@dataclass(frozen=True, slots=True)
class ChannelChanged:
    """Made, other state, other place in the dialplan, other caller id."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelGone:
    channel: Channel
    cause: int
    """Q.850; 0 = unknown."""


@dataclass(frozen=True, slots=True)
class ChannelHeld:
    channel: Channel
    on: bool


@dataclass(frozen=True, slots=True)
class BridgeEntered:
    bridge: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class BridgeLeft:
    bridge: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class DialBegun:
    source: Channel | None
    """None: originated."""
    dest: Channel


@dataclass(frozen=True, slots=True)
class QueueJoined:
    queue: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class QueueLeft:
    """Answered, gave up, timed out: the caller waits no longer."""

    queue: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class QueueOffered:
    """AgentCalled: the queue rings a member."""

    queue: str
    caller: Channel
    dest: Channel


@dataclass(frozen=True, slots=True)
class QueueConnected:
    queue: str
    caller: Channel
    dest: Channel


@dataclass(frozen=True, slots=True)
class Member:
    """A queue member, from an event or from QueueStatus."""

    queue: str
    interface: str
    name: str
    state_interface: str
    paused: bool
    paused_reason: str
    device: DeviceState
    dynamic: bool

    @classmethod
    def from_ami(cls, message: Message) -> "Member":
        """QueueMember (of QueueStatus) says Name and Location, events say MemberName and Interface."""
        device = message.get("Status")
        return cls(
            queue=message.get("Queue"), interface=message.get("Interface") or message.get("Location"),
            name=message.get("MemberName") or message.get("Name"), state_interface=message.get("StateInterface"),
            paused=message.get("Paused") == "1", paused_reason=message.get("PausedReason"),
            device=DeviceState(int(device)) if device in {"1", "2", "3", "4", "5", "6", "7", "8"} else DeviceState(0),
            dynamic=message.get("Membership") == "dynamic",
        )  # fmt: skip

    @classmethod
    def plain(cls, queue: str, interface: str, name: str, *, paused: bool, reason: str) -> "Member":
        """A dynamic member as Asterisk has it after a command of ours; its device's state is yet unknown."""
        return cls(queue, interface, name, interface, paused, reason, DeviceState.UNKNOWN, True)


@dataclass(frozen=True, slots=True)
class MemberChanged:
    member: Member


@dataclass(frozen=True, slots=True)
class MemberGone:
    member: Member


@dataclass(frozen=True, slots=True)
class EndpointChanged:
    """From ARI: an endpoint (a phone, a trunk) can be reached or not."""

    endpoint: str
    online: bool

    @classmethod
    def from_ari(cls, event: dict[str, Any]) -> "EndpointChanged | None":
        """EndpointStateChange says it itself; a contact's change comes before the endpoint's own state follows."""
        endpoint, contact = event.get("endpoint"), event.get("contact_info")
        if not isinstance(endpoint, dict) or endpoint.get("technology") != "PJSIP":
            return None
        name = str(endpoint.get("resource", ""))
        if event.get("type") == "ContactStatusChange" and isinstance(contact, dict):
            return cls(name, contact.get("contact_status") in ("Reachable", "NonQualified"))
        if event.get("type") == "EndpointStateChange":
            return cls(name, endpoint.get("state") == "online")
        return None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A row of GET /endpoints."""

    name: str
    online: bool
    channels: tuple[str, ...]

    @classmethod
    def from_ari(cls, row: dict[str, Any]) -> "Endpoint":
        return cls(str(row["resource"]), row.get("state") == "online", tuple(map(str, row.get("channel_ids", ()))))


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A row of the Status action: a channel with what its events would have told."""

    channel: Channel
    bridge: str
    dialled: str
    """DNID: the number the caller dialled when the channel was made."""
    variables: dict[str, str]

    @classmethod
    def from_ami(cls, message: Message) -> "ChannelRow":
        pairs = (line.partition("=") for line in message.all("Variable"))
        return cls(
            Channel.from_ami(message), message.get("BridgeID"), message.get("DNID"),
            {key: value for key, _, value in pairs if value not in _UNSET},
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class LineNews:
    """chan_dahdi saw an alarm begin or end, or a port's do-not-disturb change: look at the lines now."""


@dataclass(frozen=True, slots=True)
class OriginateFailed:
    """A call that we began came to nothing."""

    channel: str
    """As it was asked for: DAHDI/97/8001."""
    reason: str

    @classmethod
    def from_ami(cls, message: Message) -> "OriginateFailed | None":
        if message.get("Response") != "Failure":
            return None
        words = {"0": "no such channel", "3": "nobody answered", "5": "busy", "8": "congestion"}
        reason = message.get("Reason")
        return cls(message.get("Channel"), words.get(reason, f"reason {reason}"))


@dataclass(frozen=True, slots=True)
class AppEntered:
    """From ARI: a channel that we made is ours to command now."""

    uniqueid: str


@dataclass(frozen=True, slots=True)
class AppLeft:
    """From ARI: it is no more."""

    uniqueid: str


CallEvent = (
    ChannelChanged | ChannelGone | ChannelHeld | BridgeEntered | BridgeLeft | DialBegun
    | QueueJoined | QueueLeft | QueueOffered | QueueConnected
)  # fmt: skip
AppEvent = AppEntered | AppLeft
AsteriskEvent = CallEvent | MemberChanged | MemberGone | EndpointChanged | LineNews | OriginateFailed | RtcpReport


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _changed(message: Message) -> ChannelChanged:
    return ChannelChanged(Channel.from_ami(message))


def _member(message: Message) -> MemberChanged:
    return MemberChanged(Member.from_ami(message))


_CONVERSIONS: dict[str, Callable[[Message], AsteriskEvent | None]] = {
    "Newchannel": _changed,
    "Newstate": _changed,
    "Newexten": _changed,
    "NewCallerid": _changed,
    "NewConnectedLine": _changed,
    "Hangup": lambda m: ChannelGone(Channel.from_ami(m), _number(m.get("Cause"))),
    "Hold": lambda m: ChannelHeld(Channel.from_ami(m), True),
    "Unhold": lambda m: ChannelHeld(Channel.from_ami(m), False),
    "BridgeEnter": lambda m: BridgeEntered(m.get("BridgeUniqueid"), Channel.from_ami(m)),
    "BridgeLeave": lambda m: BridgeLeft(m.get("BridgeUniqueid"), Channel.from_ami(m)),
    "DialBegin": lambda m: DialBegun(
        Channel.from_ami(m) if m.get("Channel") else None, Channel.from_ami(m, prefix="Dest")
    ),
    "QueueCallerJoin": lambda m: QueueJoined(m.get("Queue"), Channel.from_ami(m)),
    "QueueCallerLeave": lambda m: QueueLeft(m.get("Queue"), Channel.from_ami(m)),
    "AgentCalled": lambda m: QueueOffered(m.get("Queue"), Channel.from_ami(m), Channel.from_ami(m, prefix="Dest")),
    "AgentConnect": lambda m: QueueConnected(m.get("Queue"), Channel.from_ami(m), Channel.from_ami(m, prefix="Dest")),
    "QueueMemberStatus": _member,
    "QueueMemberPause": _member,
    "QueueMemberAdded": _member,
    "QueueMemberRemoved": lambda m: MemberGone(Member.from_ami(m)),
    "OriginateResponse": OriginateFailed.from_ami,
    "RTCPSent": RtcpReport.from_ami,
    "RTCPReceived": RtcpReport.from_ami,
    **dict.fromkeys(("Alarm", "AlarmClear", "SpanAlarm", "SpanAlarmClear", "DNDState"), lambda _: LineNews()),
}


def listens(message: Message) -> bool:
    """Whether it tells of a channel that listens to a call: it is none, and nobody is to take it for one."""
    return message.get("Uniqueid").startswith(LISTENING) or message.get("DestUniqueid").startswith(LISTENING)


def app_event(event: dict[str, Any]) -> AppEvent | None:
    """From ARI's StasisStart and StasisEnd."""
    made, channel = _APP_EVENTS.get(str(event.get("type"))), event.get("channel")
    return made(str(channel.get("id", ""))) if made is not None and isinstance(channel, dict) else None


_APP_EVENTS: dict[str, type[AppEntered] | type[AppLeft]] = {"StasisStart": AppEntered, "StasisEnd": AppLeft}


def from_ami(message: Message) -> AsteriskEvent | None:
    """None for events that nobody here needs."""
    if listens(message):
        return None
    convert = _CONVERSIONS.get(message.event)
    return convert(message) if convert else None
