"""One pass over a call's events: where the customer is, who talks, what is counted. Used by `ledger.derive`.

Durations are integrated: between two rows the state (in the menu, waiting, ringing, talking, held) does not change.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from contracts.journal import UserEvent
from ledger.legs import Legs, LegState
from ledger.model import Direction, Event, TimelineItem


class Stage(StrEnum):
    """Where the customer is; decides the result of a call that nobody answered."""

    START = "start"
    MENU = "menu"
    QUEUE = "queue"
    LEFT_QUEUE = "left_queue"
    DIAL = "dial"
    DIALLED = "dialled"
    UNKNOWN_NUMBER = "unknown_number"
    TALKED = "talked"


_LEAVE_OUTCOME = {
    "abandon": "abandon", "timeout": "timeout", "continue": "timeout", "full": "full", "joinempty": "joinempty",
    "leaveempty": "leaveempty",
}  # fmt: skip
"""QUEUESTATUS in small letters → outcome of the visit; all others (joinunavail, leaveunavail) are unavail."""
_SAID: dict[str, str] = {
    UserEvent.DID: "did", UserEvent.MENU: "menu", UserEvent.DIGIT: "digit", UserEvent.QUEUE_JOIN: "queue_join",
    UserEvent.RING: "ring", UserEvent.RECORD: "record",
}  # fmt: skip
"""User events that stand in the timeline as they are."""
_DIRECTION = {"in": Direction.INBOUND, "out": Direction.OUTBOUND, "internal": Direction.INTERNAL}
_TRANSFERS: dict[str, str] = {"BLINDTRANSFER": "blind", "ATTENDEDTRANSFER": "attended", UserEvent.TRANSFER: "attended"}


@dataclass(slots=True)
class Visit:
    queue: str
    joined_us: int
    left_us: int | None = None
    outcome: str = ""
    answered_by: str = ""

    def leave(self, time_us: int, outcome: str, answered_by: str = "") -> None:
        self.left_us, self.outcome, self.answered_by = time_us, outcome, answered_by


@dataclass(slots=True)
class Walk:
    first: Event
    now_us: int
    legs: Legs = field(default_factory=Legs)
    direction: Direction | None = None
    trunk: str = ""
    caller_name: str = ""
    withheld: bool = False
    """The caller does not want to be told."""
    did: str = ""
    dialled: str = ""
    calling_extension: str = ""
    outgoing: tuple[str, str] | None = None
    """Trunk and number of an SA_DIAL_OUT whose channel was not started yet."""
    customer: LegState | None = None
    """The outside party; of an internal call nobody."""
    stage: Stage = Stage.START
    leave_status: str = ""
    dial_status: str = ""
    menu_path: list[str] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    timeline: list[TimelineItem] = field(default_factory=list)
    talking: frozenset[str] = frozenset()
    """Channels that talk now (customer included)."""
    held: bool = False
    answered_us: int | None = None
    extension: str = ""
    menu_us: int = 0
    ring_us: int = 0
    talk_us: int = 0
    hold_us: int = 0
    transfers: int = 0
    hangup_by: str = ""
    recording: str = ""

    def elapse(self, delta_us: int) -> None:
        """Nothing changed for this long."""
        self.now_us += delta_us
        if self.stage is Stage.MENU:
            self.menu_us += delta_us
        ringing = [leg for leg in self.legs.by_id.values() if leg.rings]
        for leg in ringing:
            leg.ring_us += delta_us
        if ringing and not self.talking:
            self.ring_us += delta_us
        if self.talking:
            self.talk_us += delta_us
            if self.held:
                self.hold_us += delta_us
                for leg in self._holders():
                    leg.hold_us += delta_us

    def take(self, event: Event) -> None:
        if event.uniqueid:
            leg = self.legs.take(event, self.now_us)
            self._user_event(event, leg)
            if event.type in _TRANSFERS:
                self._transfer(event, leg)
            elif event.type == "CHAN_START":
                self._outside_leg(leg)
            elif event.type == "HANGUP":
                self._hangup(event)
        self._reconnect()

    def _user_event(self, event: Event, leg: LegState) -> None:
        data = event.data
        match event.type:
            case UserEvent.CALL:
                self._call(event, leg)
            case UserEvent.DID:
                self.did = self.did or data.get("did", "")
                if data.get("known") == "0":
                    self.stage = Stage.UNKNOWN_NUMBER
            case UserEvent.MENU:
                self.stage = Stage.MENU
            case UserEvent.DIGIT:
                self.menu_path.append(f"{data.get('menu', '')}:{data.get('digit', '')}")
            case UserEvent.QUEUE_JOIN:
                self._leave_queue("continue")
                self.stage = Stage.QUEUE
                self.visits.append(Visit(data.get("queue", ""), self.now_us))
            case UserEvent.QUEUE_LEAVE:
                self._leave_queue(data.get("status", ""))
            case UserEvent.RECORD:
                self.recording = self.recording or data.get("file", "")
            case _:
                self._dial_event(event, leg)
        if kind := _SAID.get(event.type):
            self.say(kind, data)

    def _dial_event(self, event: Event, leg: LegState) -> None:
        data = event.data
        match event.type:
            case UserEvent.RING:
                if self.stage is not Stage.QUEUE and not self.talking:
                    self.stage = Stage.DIAL
                if self.direction is Direction.INTERNAL:
                    # A set dials digit by digit: its channel begins without a number.
                    self.dialled = self.dialled or data.get("ext", "")
            case UserEvent.DIAL_OUT:
                self._dial_out(data, leg)
            case UserEvent.DIAL_END:
                self.stage, self.dial_status = Stage.DIALLED, data.get("status", "")
            case _:
                pass

    def _call(self, event: Event, leg: LegState) -> None:
        """Only the first one counts: a blind transfer sends the customer through an extension's context again."""
        if self.direction is not None:
            if leg is not self.customer and leg.role != "caller" and event.data.get("dir") != "in":
                leg.extension = leg.extension or event.data.get("ext", "") or event.caller_number  # a consultation
            return
        self.direction = _DIRECTION.get(event.data.get("dir", ""), Direction.INTERNAL)
        self.trunk = event.data.get("trunk", "")
        leg.role = "caller"
        if self.direction is Direction.INBOUND:
            self.customer, leg.trunk = leg, self.trunk
            # An analog line tells who calls between the first rings, when the channel has long begun.
            leg.number, self.caller_name = leg.number or event.caller_number, event.caller_name
            if event.data.get("withheld") == "1":
                leg.number, self.caller_name, self.withheld = "", "", True
        else:
            leg.extension = leg.extension or event.data.get("ext", "") or event.caller_number
            self.calling_extension = leg.extension
        self.say("start", {"direction": self.direction.value, "from": event.caller_number})

    def _dial_out(self, data: dict[str, str], leg: LegState) -> None:
        self.stage = Stage.DIAL
        self.outgoing = (data.get("trunk", ""), data.get("number", ""))
        if self.direction is Direction.OUTBOUND and self.customer is None:
            self.trunk, self.dialled = self.outgoing[0] or self.trunk, self.outgoing[1] or self.dialled
            self.calling_extension = data.get("ext", "") or self.calling_extension
        if leg is not self.customer:
            leg.extension = leg.extension or data.get("ext", "")

    def _outside_leg(self, leg: LegState) -> None:
        """The first channel started after SA_DIAL_OUT is the trunk's."""
        if self.outgoing is None or leg.local_name:
            return
        leg.trunk, leg.number = self.outgoing
        leg.rings, self.outgoing = True, None
        # A line that was busy or dead is followed by the next one.
        failed = self.customer is not None and self.customer.ended_us is not None and not self.customer.answered_us
        if self.direction is Direction.OUTBOUND and (self.customer is None or failed):
            self.customer = leg
        self.say("ring", {"trunk": leg.trunk, "number": leg.number})

    def _leave_queue(self, status: str) -> None:
        if not self.visits or self.visits[-1].left_us is not None:
            return  # answered: some dialplans still say "abandon" when the talk is over
        self.stage, self.leave_status = Stage.LEFT_QUEUE, status
        self.visits[-1].leave(self.now_us, _LEAVE_OUTCOME.get(status, "unavail"))
        self.say("queue_leave", {"queue": self.visits[-1].queue, "status": status})

    def _transfer(self, event: Event, leg: LegState) -> None:
        self.transfers += 1
        by = leg.extension or self._extension_of(event.data.get("channel2_uniqueid", ""))
        parties = [
            self._extension_of(event.data.get(f"{who}_channel_uniqueid", ""))
            for who in ("transferee", "transfer_target")
        ]
        to = event.data.get("extension", "") or next((ext for ext in parties if ext and ext != by), "")
        self.say("transfer", {"kind": _TRANSFERS[event.type], "by": by, "to": to})

    def _extension_of(self, uniqueid: str) -> str:
        leg = self.legs.by_id.get(uniqueid)
        return leg.extension if leg else ""

    def _hangup(self, event: Event) -> None:
        source = event.data.get("hangupsource", "")
        if source.startswith("dialplan/"):
            self.hangup_by = "system"
        elif source:
            who = next((leg for leg in self.legs.by_id.values() if leg.channel == source), None)
            self.hangup_by = "caller" if who is not None and who.role == "caller" else "callee"

    def _reconnect(self) -> None:
        """Who talks now, and is it on hold?"""
        talkers = self._talkers()
        for leg in talkers:
            leg.connected = True
        was, self.talking = self.talking, frozenset(leg.uniqueid for leg in talkers)
        if self.talking - was and len(self.talking) > 1:
            self._answered([leg for leg in talkers if leg is not self.customer])
        held = any(leg.on_hold_by_journal or leg.hears_music for leg in talkers)
        if held != self.held and (self.talking or self.held):
            by = next((leg.extension for leg in self._holders() if leg.extension), self.extension)
            self.say("hold" if held else "unhold", {"ext": by})
        self.held = held

    def _talkers(self) -> list[LegState]:
        if self.customer is not None:
            others = self.legs.heard_by(self.customer)
            return [self.customer, *others] if others else []
        if self.direction in (Direction.INBOUND, Direction.OUTBOUND):
            return []
        for leg in self.legs.real():
            if leg.bridge and (others := self.legs.heard_by(leg)):
                return [leg, *others]
        return []

    def _holders(self) -> list[LegState]:
        talkers = [self.legs.by_id[uniqueid] for uniqueid in self.talking]
        holders = [leg for leg in talkers if leg.on_hold_by_journal]
        if not holders and any(leg.hears_music for leg in talkers):
            holders = [leg for leg in talkers if not leg.hears_music]
        return holders

    def _answered(self, persons: list[LegState]) -> None:
        if self.answered_us is None:
            self.answered_us = self.now_us
        self.stage = Stage.TALKED
        extension = next((leg.extension for leg in persons if leg.extension and leg.role != "caller"), "")
        if self.direction is Direction.INBOUND:
            self.extension = extension or self.extension
        if self.visits and self.visits[-1].left_us is None:
            self.visits[-1].leave(self.now_us, "answered", extension)
        for leg in persons:
            leg.rings = False
        number = self.customer.number if self.direction is Direction.OUTBOUND and self.customer else ""
        number = number or next((leg.number for leg in persons if leg.number), "")
        self.say("answer", {"ext": extension} if extension else {"number": number})

    def say(self, kind: str, detail: dict[str, str]) -> None:
        self.timeline.append(TimelineItem(self.now_us, kind, dict(detail)))
