"""The seats: wishes and events of phones into the state machine; its commands into database, queues, bus."""

import asyncio
from typing import Any

import structlog

from appliance_agent.asterisk.ami import Ami
from appliance_agent.asterisk.models import MemberChanged, MemberGone
from appliance_agent.calls.live_model import PhoneChanged, PhoneUse
from appliance_agent.calls.live_service import LiveCalls
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.features.seats.model import (
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
from appliance_agent.features.seats.queues import QueueMembers
from appliance_agent.features.seats.store import SeatStore
from appliance_agent.kernel.bus import Bus, Gap
from appliance_agent.kernel.clock import Clock, rfc3339
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import AsteriskUp, LiveChanged, SessionChanged, SessionEnded, VersionApplied

log = structlog.get_logger()

EVENT_LIMIT = 5000
LOAD_S = 5.0
HEARD = (
    PhoneChanged, MemberChanged, MemberGone, AsteriskUp, VersionApplied, SessionEnded, SessionChanged,
)  # fmt: skip


class Seats:
    name = "seats"

    def __init__(
        self, *, store: SeatStore, ami: Ami, live: LiveCalls, config: ConfigHolder, bus: Bus, clock: Clock
    ) -> None:
        self._store, self._live, self._config, self._bus, self._clock = store, live, config, bus, clock
        self._seats: dict[str, Seat] = {}
        """By user id; only logged-in ones."""
        self._order = asyncio.Lock()
        """Guards _seats against the database: one change is decided, written and published before the next."""
        self._members = QueueMembers(ami, config, self._seats)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._over: asyncio.Queue[str] = asyncio.Queue()
        """User ids whose wrap-up timer has run out; at most one for each seat."""
        self._loaded = asyncio.Event()

    # ── what the API asks ──────────────────────────────────────────────────────────────────────────
    async def want(
        self, user_id: str, name: str, extension: str | None, *, busy: str | None, by: str
    ) -> dict[str, Any]:
        """Log in, and be idle (`busy` None) or busy with that reason. The seat as in GET /seats.

        Fault CONFLICT: the person has no extension, it does not exist, or somebody else sits there.
        """
        await self._ready()
        async with self._order:
            number = self._free_extension(user_id, extension)
            seat = self._seats.get(user_id)
            if seat is not None and seat.extension != number:
                await self._apply(seat, LogOut(), by, user_id)
                seat = None
            wish: SeatEvent = WantIdle(user_id, name, number) if busy is None else WantBusy(user_id, name, number, busy)
            await self._apply(seat, wish, by, user_id)
            if seat is None:  # its phone may be in a call already
                await self._apply(self._seats[user_id], self._phone_is(self._seats[user_id]), by, user_id)
            return self.view(self._seats[user_id])

    async def log_out(self, user_id: str, *, by: str) -> None:
        """Does nothing when it is not logged in."""
        await self._ready()
        async with self._order:
            await self._apply(self._seats.get(user_id), LogOut(), by, user_id)

    async def all(self) -> list[dict[str, Any]]:
        """Logged-in seats, and people with an extension of their own who are offline."""
        await self._ready()
        people = await self._store.people()
        known = set(self._seats)
        here = [self.view(seat) for seat in self._seats.values()]
        return here + [
            self._offline(person.user_id, person.name, person.extension or "", 0)
            for person in people
            if person.user_id not in known
        ]

    async def force(self, user_id: str, state: SeatState, reason: str, *, by: str) -> dict[str, Any]:
        """A supervisor's act on another's seat. Fault NOT_FOUND for an unknown user."""
        await self._ready()
        person = await self._store.person(user_id)
        if person is None:
            raise Fault(FaultKind.NOT_FOUND, "seats.no_user", f"there is no active user {user_id!r}")
        seat = self._seats.get(user_id)
        extension = seat.extension if seat is not None else person.extension
        if state is SeatState.OFFLINE:
            await self.log_out(user_id, by=by)
            return self._offline(user_id, person.name, extension or "", self._clock.now_us())
        return await self.want(user_id, person.name, extension, busy=reason if state is SeatState.BUSY else None, by=by)

    async def _ready(self) -> None:
        try:
            async with asyncio.timeout(LOAD_S):
                await self._loaded.wait()
        except TimeoutError:
            raise Fault(
                FaultKind.UNAVAILABLE, "seats.not_ready", "the seats are not read from the database yet"
            ) from None

    def _free_extension(self, user_id: str, extension: str | None) -> str:
        if extension is None:
            raise Fault(
                FaultKind.CONFLICT, "seats.no_extension", "you have no extension to take calls with",
                hint="Choose an extension at log-in, or ask the administrator to give you one.",
            )  # fmt: skip
        if all(item.number != extension for item in self._config.desired.extensions):
            raise Fault(
                FaultKind.CONFLICT, "seats.unknown_extension", f"extension {extension} does not exist on this box",
                hint="Choose another extension, or ask the administrator to apply its configuration.",
            )  # fmt: skip
        other = next((seat for seat in self._seats.values() if seat.extension == extension), None)
        if other is not None and other.user_id != user_id:
            raise Fault(
                FaultKind.CONFLICT, "seats.taken", f"{other.name} sits at extension {extension}",
                hint="Choose another extension, or ask a supervisor to log that seat out.",
            )  # fmt: skip
        return extension

    # ── running ────────────────────────────────────────────────────────────────────────────────────
    async def run(self) -> None:
        with self._bus.subscribe(*HEARD, limit=EVENT_LIMIT) as events:
            await self._load()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._members.run(), name="queue members")
                    tasks.create_task(self._wrap_ups(), name="wrap-ups")
                    async for event in events:
                        await self._hear(event)
            finally:
                for timer in self._timers.values():
                    timer.cancel()
                self._timers.clear()

    async def _load(self) -> None:
        now_us = self._clock.now_us()
        async with self._order:
            loaded = await self._store.load(now_us)
            self._seats.clear()
            self._seats.update({seat.user_id: seat for seat in loaded})
            for seat in self._seats.values():
                if seat.wrap_up_until_us is not None:
                    self._start_timer(seat.user_id, max(0, seat.wrap_up_until_us - now_us))
        self._loaded.set()
        await self._phones_anew()
        self._members.sync(reread=True)

    async def _hear(self, event: Any) -> None:
        match event:
            case MemberChanged() | MemberGone():
                self._members.told(event)
            case PhoneChanged(extension, _):
                await self._phone(extension)
            case AsteriskUp():
                self._members.sync(reread=True)
            case VersionApplied():
                await self._check_extensions()
                self._members.sync(reread=True)
            case SessionEnded(user_id=user_id, last_of_user=True, reason=reason):
                await self.log_out(user_id, by=f"session: {reason}"[:64])
            case SessionChanged(user_id=user_id, extension=str(extension)):
                seat = self._seats.get(user_id)
                if seat is not None and seat.extension != extension:
                    await self.log_out(user_id, by="session: other extension")
            case Gap():
                await self._phones_anew()
                self._members.sync(reread=True)

    async def _phone(self, extension: str) -> None:
        async with self._order:
            seat = next((item for item in self._seats.values() if item.extension == extension), None)
            if seat is not None:
                await self._apply(seat, self._phone_is(seat), "", seat.user_id)

    async def _phones_anew(self) -> None:
        for seat in list(self._seats.values()):
            await self._phone(seat.extension)

    def _phone_is(self, seat: Seat) -> PhoneIs:
        use: PhoneUse = self._live.phone(seat.extension)
        wrap_up_s = next((queue.wrap_up_s for queue in self._config.desired.queues if queue.id == seat.served), 0)
        return PhoneIs(use, wrap_up_s * 1_000_000)

    async def _check_extensions(self) -> None:
        numbers = {extension.number for extension in self._config.desired.extensions}
        for seat in list(self._seats.values()):
            if seat.extension not in numbers:
                await self.log_out(seat.user_id, by="configuration: extension removed")

    async def _wrap_ups(self) -> None:
        while True:
            user_id = await self._over.get()
            async with self._order:
                await self._apply(self._seats.get(user_id), WrapUpOver(), "", user_id)

    # ── carrying out ───────────────────────────────────────────────────────────────────────────────
    async def _apply(self, seat: Seat | None, event: SeatEvent, by: str, user_id: str) -> None:
        """Decide, write, then let everybody see it. Callers hold `_order`."""
        now_us = self._clock.now_us()
        new, commands = decide(seat, event, now_us)
        durable = [command for command in commands if isinstance(command, Save | Forget | Note)]
        if durable:
            await self._store.write(durable, by, now_us)
        if new is None:
            self._seats.pop(user_id, None)
        else:
            self._seats[user_id] = new
        for command in commands:
            match command:
                case StartTimer(delay_us):
                    self._start_timer(user_id, delay_us)
                case StopTimer():
                    self._stop_timer(user_id)
                case SyncQueues():
                    self._members.sync()
                case Save() | Forget() | Note():
                    pass
        if new is not None and (seat is None or self.view(seat) != self.view(new)):
            self._bus.publish(LiveChanged("seats", user_id, self.view(new)))
        if new is None and seat is not None:
            gone = self._offline(user_id, seat.name, seat.extension, now_us)
            self._bus.publish(LiveChanged("seats", user_id, gone))

    def _start_timer(self, user_id: str, delay_us: int) -> None:
        """By the loop's monotonic clock: wrap-up ends also when the wall clock is set back."""
        self._stop_timer(user_id)
        loop = asyncio.get_running_loop()
        self._timers[user_id] = loop.call_later(delay_us / 1e6, self._over.put_nowait, user_id)

    def _stop_timer(self, user_id: str) -> None:
        timer = self._timers.pop(user_id, None)
        if timer is not None:
            timer.cancel()

    # ── views ──────────────────────────────────────────────────────────────────────────────────────
    def view(self, seat: Seat) -> dict[str, Any]:
        """As in GET /seats."""
        return {
            "user_id": seat.user_id, "name": seat.name, "extension": seat.extension, "state": seat.state.value,
            "reason": seat.reason, "since": rfc3339(seat.since_us), "queues": self._queues_of(seat.extension),
            "call_id": seat.phone.call_id,
            "until": None if seat.wrap_up_until_us is None else rfc3339(seat.wrap_up_until_us),
        }  # fmt: skip

    def _offline(self, user_id: str, name: str, extension: str, since_us: int) -> dict[str, Any]:
        return {
            "user_id": user_id, "name": name, "extension": extension, "state": SeatState.OFFLINE.value, "reason": "",
            "since": rfc3339(since_us) if since_us else None, "queues": self._queues_of(extension), "call_id": "",
            "until": None,
        }  # fmt: skip

    def _queues_of(self, extension: str) -> list[str]:
        return [queue.id for queue in self._config.desired.queues if extension in queue.seats]
