"""The channels of one call and who hears whom, event by event."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from contracts.journal import UserEvent
from ledger.model import Event, Leg


@dataclass(slots=True)
class LegState:
    """One channel while the call is walked through. Times are the walk's (they never go back)."""

    uniqueid: str
    channel: str
    linkedid: str
    started_us: int
    role: str = "callee"
    extension: str = ""
    trunk: str = ""
    line: str = ""
    """Telephone line and timeslot: "fxo-1", "e1-2:5"; "" over SIP."""
    number: str = ""
    answered_us: int | None = None
    ended_us: int | None = None
    rings: bool = False
    ring_us: int = 0
    bridge: str = ""
    """The bridge it is in; "" also for a holding bridge, where nobody hears anybody."""
    on_hold_by_journal: bool = False
    """SA_HOLD: this party pressed hold."""
    hears_music: bool = False
    """Music on hold started on it inside a bridge: somebody in the bridge pressed hold."""
    hold_us: int = 0
    cause: int = 0
    connected: bool = False

    @property
    def local_name(self) -> str:
        """Both halves of a Local channel have this name without ;1 or ;2; "" for other channels."""
        return self.channel.rpartition(";")[0] if self.channel.startswith("Local/") else ""

    def freeze(self, ended_us: int) -> Leg:
        return Leg(
            uniqueid=self.uniqueid, channel=self.channel, role=self.role, extension=self.extension, trunk=self.trunk,
            number=self.number, started_us=self.started_us, answered_us=self.answered_us,
            ended_us=ended_us if self.ended_us is None else self.ended_us, ring_ms=self.ring_us // 1000,
            hold_ms=self.hold_us // 1000, hangup_cause=self.cause, connected=self.connected,
        )  # fmt: skip


@dataclass(slots=True)
class Legs:
    by_id: dict[str, LegState] = field(default_factory=dict)
    music_told: bool = False
    """Asterisk journals its hold music in this call: then only that counts. The agent's SA_HOLD rows may be late, or
    lack their end when the agent was killed."""

    def get(self, event: Event, time_us: int) -> LegState:
        """The leg of the event's channel; made when its start was lost."""
        leg = self.by_id.get(event.uniqueid)
        if leg is None:
            leg = LegState(event.uniqueid, event.channel, event.linkedid, time_us, number=event.caller_number)
            self.by_id[event.uniqueid] = leg
        elif event.channel and not event.channel.endswith("<ZOMBIE>"):
            leg.channel = event.channel  # a masquerade renames
        return leg

    def take(self, event: Event, time_us: int) -> LegState:
        """Bring the channel's own state up to date: answer, bridge, hold, end."""
        leg = self.get(event, time_us)
        match event.type:
            case UserEvent.RING | UserEvent.SEAT | UserEvent.LINE | UserEvent.HOLD:
                self._said(leg, event)
            case "ANSWER":
                leg.answered_us, leg.rings = leg.answered_us or time_us, False
            case "BRIDGE_ENTER":
                holding = event.data.get("bridge_technology") == "holding_bridge"
                leg.bridge, leg.rings = "" if holding else event.data.get("bridge_id", ""), False
            case "BRIDGE_EXIT":
                # A channel may enter its next bridge before it leaves the last one (attended transfer).
                if leg.bridge == event.data.get("bridge_id", ""):
                    leg.bridge = ""
            case "STREAM_BEGIN":
                self._music(leg, event)
            case "STREAM_END":
                leg.hears_music = False
            case "HANGUP":
                leg.cause = _number(event.data.get("hangupcause", ""))
                leg.rings, leg.bridge = False, ""
            case "CHAN_END":
                leg.ended_us, leg.rings, leg.bridge = time_us, False, ""
            case _:
                pass
        return leg

    def _said(self, leg: LegState, event: Event) -> None:
        """The dialplan's own words."""
        match event.type:
            case UserEvent.RING:
                leg.extension, leg.rings = event.data.get("ext", ""), True
            case UserEvent.SEAT:
                leg.extension = event.data.get("ext", "") or leg.extension
            case UserEvent.LINE:
                leg.line = _line(event.data)
            case UserEvent.HOLD:
                leg.on_hold_by_journal = event.data.get("on") == "1" and not self.music_told

    def _music(self, leg: LegState, event: Event) -> None:
        leg.hears_music = bool(leg.bridge) and "class" in event.data
        if leg.hears_music:
            self.music_told = True
            for other in self.by_id.values():
                other.on_hold_by_journal = False

    def heard_by(self, leg: LegState) -> list[LegState]:
        """Who is connected with `leg` now: through bridges and Local channels, which are left out themselves."""
        reached, border = {leg.uniqueid}, [leg]
        while border:
            near = border.pop()
            for other in self.by_id.values():
                if other.uniqueid not in reached and _adjacent(near, other):
                    reached.add(other.uniqueid)
                    border.append(other)
        return [self.by_id[uid] for uid in reached if uid != leg.uniqueid and not self.by_id[uid].local_name]

    def real(self) -> Iterable[LegState]:
        return (leg for leg in self.by_id.values() if not leg.local_name)


def _adjacent(one: LegState, other: LegState) -> bool:
    if one.ended_us is not None or other.ended_us is not None:
        return False
    return bool((one.bridge and one.bridge == other.bridge) or (one.local_name and one.local_name == other.local_name))


def _line(data: dict[str, str]) -> str:
    """Timeslots are told of an E1 only: another line has but one channel."""
    name = data.get("line", "")
    return f"{name}:{data.get('channel', '')}" if name.startswith("e1-") else name


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else 0
