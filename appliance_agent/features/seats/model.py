"""A seat's state machine: `decide(seat, event, now) -> (seat, commands)`. Pure."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import assert_never

from appliance_agent.calls.live_model import PhoneState, PhoneUse

LONGEST_WRAP_UP_US = 600 * 1_000_000
"""What a queue's wrap_up_s may be at most; a restored one is cut to it (the clock may have been set back)."""


class SeatState(StrEnum):
    OFFLINE = "offline"
    IDLE = "idle"
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    WRAP_UP = "wrap_up"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Seat:
    """A logged-in seat. What its person wants, what its phone does, and the wrap-up are kept apart: no two can
    contradict each other, and `state` follows."""

    user_id: str
    name: str
    extension: str
    busy: bool
    """The person does not want queue calls (it may be asked for during a call)."""
    reason: str
    since_us: int
    """`state` is what it is since then."""
    phone: PhoneUse = field(default_factory=PhoneUse)
    wrap_up_until_us: int | None = None
    served: str = ""
    """The queue whose call it talked since its phone was free last; its wrap-up follows."""

    @property
    def state(self) -> SeatState:
        match self.phone.state:
            case PhoneState.RINGING:
                return SeatState.RINGING
            case PhoneState.TALKING:
                return SeatState.TALKING
            case PhoneState.HELD:
                return SeatState.HELD
            case PhoneState.FREE:
                if self.wrap_up_until_us is not None:
                    return SeatState.WRAP_UP
                return SeatState.BUSY if self.busy else SeatState.IDLE
        assert_never(self.phone.state)

    @property
    def paused(self) -> str | None:
        """Why queues must not offer calls to it; None: they may. During a call Asterisk sees by itself that the
        phone is in use. A word of ours: Asterisk keeps 79 bytes of it, the person's own reason stays here."""
        if self.busy:
            return "busy"
        return "wrap_up" if self.wrap_up_until_us is not None else None


@dataclass(frozen=True, slots=True)
class WantIdle:
    """Logs in, ends busy, ends wrap-up."""

    user_id: str
    name: str
    extension: str


@dataclass(frozen=True, slots=True)
class WantBusy:
    """Logs in; after the call, when there is one. Ends wrap-up."""

    user_id: str
    name: str
    extension: str
    reason: str


@dataclass(frozen=True, slots=True)
class LogOut:
    pass


@dataclass(frozen=True, slots=True)
class PhoneIs:
    use: PhoneUse
    wrap_up_us: int
    """Of the queue it served."""


@dataclass(frozen=True, slots=True)
class WrapUpOver:
    """Its timer (by the monotonic clock) has run out."""


SeatEvent = WantIdle | WantBusy | LogOut | PhoneIs | WrapUpOver


@dataclass(frozen=True, slots=True)
class Save:
    """Keep what has to outlive a crash."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class Forget:
    seat: Seat


@dataclass(frozen=True, slots=True)
class Note:
    """The history: from now on it is in this state."""

    seat: Seat
    state: SeatState


@dataclass(frozen=True, slots=True)
class StartTimer:
    delay_us: int


@dataclass(frozen=True, slots=True)
class StopTimer:
    pass


@dataclass(frozen=True, slots=True)
class SyncQueues:
    """Queue membership or pause is another now."""


Command = Save | Forget | Note | StartTimer | StopTimer | SyncQueues


def decide(seat: Seat | None, event: SeatEvent, now_us: int) -> tuple[Seat | None, tuple[Command, ...]]:
    """`seat` None = offline. A wish with another extension must come after a LogOut."""
    if isinstance(event, WantIdle | WantBusy):
        return _moved(seat, _wish(seat, event, now_us), now_us)
    if seat is None:
        return None, ()
    match event:
        case LogOut():
            return None, (Forget(seat), Note(seat, SeatState.OFFLINE), StopTimer(), SyncQueues())
        case PhoneIs(use, wrap_up_us):
            return _moved(seat, _phone_is(seat, use, wrap_up_us, now_us), now_us)
        case WrapUpOver():
            return _moved(seat, replace(seat, wrap_up_until_us=None), now_us)
    assert_never(event)


def _wish(seat: Seat | None, event: WantIdle | WantBusy, now_us: int) -> Seat:
    busy, reason = (True, event.reason) if isinstance(event, WantBusy) else (False, "")
    if seat is None:
        return Seat(event.user_id, event.name, event.extension, busy, reason, now_us)
    assert seat.extension == event.extension, "log out first"
    return replace(seat, name=event.name, busy=busy, reason=reason, wrap_up_until_us=None)


def _phone_is(seat: Seat, use: PhoneUse, wrap_up_us: int, now_us: int) -> Seat:
    """Wrap-up begins when the phone is free again after a queue call was talked, however it ended (a consultation
    or a transfer may lie between); a call that only rang gives none."""
    served = use.queue if use.queue and use.state in (PhoneState.TALKING, PhoneState.HELD) else seat.served
    wrap_up = seat.wrap_up_until_us
    if use.state is PhoneState.FREE:
        if served and wrap_up_us > 0 and not seat.busy:
            wrap_up = now_us + min(wrap_up_us, LONGEST_WRAP_UP_US)
        served = ""
    return replace(seat, phone=use, served=served, wrap_up_until_us=wrap_up)


def _moved(old: Seat | None, new: Seat, now_us: int) -> tuple[Seat, tuple[Command, ...]]:
    commands: list[Command] = []
    if old is None or _shown(old) != _shown(new):
        new = replace(new, since_us=now_us)
        commands.append(Note(new, new.state))
    if old is None or _kept(old) != _kept(new):
        commands.insert(0, Save(new))
    if old is None or old.paused != new.paused:
        commands.append(SyncQueues())
    if new.wrap_up_until_us is None:
        if old is not None and old.wrap_up_until_us is not None:
            commands.append(StopTimer())
    elif old is None or old.wrap_up_until_us != new.wrap_up_until_us:
        commands.append(StartTimer(new.wrap_up_until_us - now_us))
    return new, tuple(commands)


def _shown(seat: Seat) -> tuple[SeatState, str]:
    """A reason that changes behind a call is no other state yet."""
    return seat.state, seat.reason if seat.state is SeatState.BUSY else ""


def _kept(seat: Seat) -> tuple[object, ...]:
    return (seat.extension, seat.name, seat.busy, seat.reason, seat.wrap_up_until_us)
