"""The seat's state machine and the difference of queue members: properties, without any I/O."""

from hypothesis import given
from hypothesis import strategies as st

from appliance_agent.asterisk.models import DeviceState, Member
from appliance_agent.calls.live_model import PhoneState, PhoneUse
from appliance_agent.config.model import Desired, Extension, Queue
from appliance_agent.features.seats.members import Place, Wanted, after, interface, reconcile, wanted_members
from appliance_agent.features.seats.model import (
    LONGEST_WRAP_UP_US,
    Forget,
    LogOut,
    Note,
    PhoneIs,
    Save,
    Seat,
    SeatEvent,
    SeatState,
    StartTimer,
    StopTimer,
    SyncQueues,
    WantBusy,
    WantIdle,
    WrapUpOver,
    decide,
)

S = 1_000_000
uses = st.one_of(
    st.just(PhoneUse()),
    st.just(PhoneUse(PhoneState.TALKING, "c1", "sales")),
    st.builds(
        PhoneUse, st.sampled_from([s for s in PhoneState if s is not PhoneState.FREE]), st.sampled_from(["c1", "c2"]),
        st.sampled_from(["", "sales"]),
    ),
)  # fmt: skip
events: st.SearchStrategy[SeatEvent] = st.one_of(
    st.just(WantIdle("u", "N", "1001")),
    st.builds(WantBusy, st.just("u"), st.just("N"), st.just("1001"), st.sampled_from(["", "lunch"])),
    st.just(LogOut()),
    st.builds(PhoneIs, uses, st.sampled_from([0, 5 * S, LONGEST_WRAP_UP_US * 2])),
    st.builds(PhoneIs, uses, st.just(5 * S)),
    st.just(WrapUpOver()),
)
histories = st.lists(st.tuples(events, st.integers(-10 * S, 10 * S)), max_size=40)


class Run:
    """The driver in small: keeps what the commands say."""

    def __init__(self) -> None:
        self.seat: Seat | None = None
        self.now_us = 1_000 * S
        self.saved: Seat | None = None
        self.noted = SeatState.OFFLINE
        self.timer: int | None = None
        self.synced: str | None = "offline"

    def take(self, event: SeatEvent) -> None:
        self.seat, commands = decide(self.seat, event, self.now_us)
        for command in commands:
            match command:
                case Save(seat):
                    self.saved = seat
                case Forget(_):
                    self.saved = None
                case Note(_, state):
                    assert state is not self.noted or state is SeatState.BUSY
                    self.noted = state
                case StartTimer(delay_us):
                    self.timer = delay_us
                case StopTimer():
                    self.timer = None
                case SyncQueues():
                    self.synced = self.seat.paused if self.seat is not None else "offline"


@given(histories)
def test_whatever_happens_the_seat_is_whole(history: list[tuple[SeatEvent, int]]) -> None:
    """Also with a clock that jumps: what is kept, noted, timed and told to the queues is what the seat says."""
    run = Run()
    for event, step_us in history:
        run.now_us += step_us
        run.take(event)
        seat = run.seat
        if seat is None:
            assert (run.saved, run.noted, run.timer, run.synced) == (None, SeatState.OFFLINE, None, "offline")
            continue
        assert run.noted is seat.state
        assert run.synced == seat.paused
        assert run.saved is not None
        assert (run.saved.busy, run.saved.reason, run.saved.wrap_up_until_us) == (
            seat.busy, seat.reason, seat.wrap_up_until_us,
        )  # fmt: skip
        # Wrap-up always ends: whoever is in it has a timer, of no more than the longest one.
        assert (run.timer is None) == (seat.wrap_up_until_us is None)
        assert run.timer is None or 0 < run.timer <= LONGEST_WRAP_UP_US
        assert not (seat.busy and seat.wrap_up_until_us is not None)


@given(histories)
def test_the_end_of_wrap_up_and_a_free_phone_leave_idle_or_busy(history: list[tuple[SeatEvent, int]]) -> None:
    run = Run()
    for event, _ in history:
        run.take(event)
    run.take(PhoneIs(PhoneUse(), 0))
    run.take(WrapUpOver())
    assert run.seat is None or run.seat.state is (SeatState.BUSY if run.seat.busy else SeatState.IDLE)


def seat(*events: SeatEvent) -> Seat:
    run = Run()
    for event in (WantIdle("u", "N", "1001"), *events):
        run.take(event)
    assert run.seat is not None
    return run.seat


TALK = PhoneIs(PhoneUse(PhoneState.TALKING, "c1", "sales"), 5 * S)
FREE = PhoneIs(PhoneUse(), 5 * S)


def test_wrap_up_follows_a_talked_queue_call_only() -> None:
    assert seat(TALK, FREE).state is SeatState.WRAP_UP
    assert seat(PhoneIs(PhoneUse(PhoneState.RINGING, "c1", "sales"), 5 * S), FREE).state is SeatState.IDLE
    assert seat(PhoneIs(PhoneUse(PhoneState.TALKING, "c1", ""), 5 * S), FREE).state is SeatState.IDLE
    assert seat(TALK, PhoneIs(PhoneUse(), 0)).state is SeatState.IDLE


def test_a_consultation_begins_no_wrap_up_and_the_end_after_it_does() -> None:
    consulting = PhoneIs(PhoneUse(PhoneState.TALKING, "c2", ""), 5 * S)
    assert seat(TALK, consulting).wrap_up_until_us is None
    assert seat(TALK, consulting, FREE).state is SeatState.WRAP_UP


def test_busy_during_a_call_comes_after_it_without_wrap_up() -> None:
    busy = WantBusy("u", "N", "1001", "lunch")
    assert seat(TALK, busy).state is SeatState.TALKING
    assert seat(TALK, busy).paused == "busy"
    assert seat(TALK, busy, FREE).state is SeatState.BUSY


def test_the_timer_of_wrap_up_runs_as_long_as_the_queue_says() -> None:
    run = Run()
    for event in (WantIdle("u", "N", "1001"), TALK, FREE):
        run.take(event)
    assert (run.timer, run.noted) == (5 * S, SeatState.WRAP_UP)
    run.take(WrapUpOver())
    assert (run.timer, run.noted) == (None, SeatState.IDLE)


def test_idle_ends_wrap_up() -> None:
    assert seat(TALK, FREE, WantIdle("u", "N", "1001")).state is SeatState.IDLE


# ── queue members ──────────────────────────────────────────────────────────────────────────────────
places = st.tuples(st.sampled_from(["sales", "support"]), st.sampled_from(["1001", "1002", "1003"]))
reasons = st.sampled_from([None, "busy", "wrap_up"])
wanteds = st.dictionaries(places, reasons, max_size=6).map(
    lambda chosen: {(queue, interface(ext)): Wanted(ext, reason) for (queue, ext), reason in chosen.items()}
)
actuals = st.dictionaries(places, st.tuples(reasons, st.booleans()), max_size=6).map(
    lambda chosen: {
        (queue, interface(ext)): Member(
            queue, interface(ext), ext, interface(ext), reason is not None, reason or "", DeviceState.UNKNOWN, dynamic
        )
        for (queue, ext), (reason, dynamic) in chosen.items()
    }
)


@given(wanteds, actuals)
def test_after_the_commands_members_are_as_wanted_and_replay_does_nothing(
    wanted: dict[Place, Wanted], actual: dict[Place, Member]
) -> None:
    for command in reconcile(wanted, actual):
        actual = after(actual, command)
    now = {place: member.paused_reason if member.paused else None for place, member in actual.items() if member.dynamic}
    extra = {place for place, member in actual.items() if not member.dynamic}
    assert now == {place: want.paused for place, want in wanted.items() if place not in extra or place in now}
    assert reconcile(wanted, actual) == []


def test_a_seat_is_in_the_queues_that_name_its_extension() -> None:
    desired = Desired(
        extensions=(Extension(number="1001", name="A"),),
        queues=(Queue(id="sales", name="S", seats=("1001", "1002")), Queue(id="other", name="O")),
    )
    assert wanted_members([seat(TALK, FREE)], desired) == {("sales", "PJSIP/1001"): Wanted("1001", "wrap_up")}
