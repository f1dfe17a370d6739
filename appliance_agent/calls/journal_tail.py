"""Follows the journal: rows → database → RecordWritten on the bus; rotates it; notes restarts of Asterisk in it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from appliance_agent.calls.journal_file import START, JournalFault, JournalFiles, Position
from appliance_agent.calls.journal_store import JournalStore
from appliance_agent.kernel.bus import Bus, Gap
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import AsteriskUp
from contracts.journal import UserEvent
from ledger.journal import user_row

log = structlog.get_logger()

POLL_S = 0.05
"""A row is in the database at most this long after it was written, plus the commit."""

LEAST_SHIFT_US = 500_000
"""A clock that is set by less, or slewed, is left alone."""

NOTE_AGAIN_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""An Asterisk that has just come up may not answer yet: ask again after these delays."""

LiveChannels = Callable[[], Awaitable[frozenset[str]]]
"""Unique ids of all channels that Asterisk has now. Raises Fault while it is not reachable."""


class JournalTail:
    """`live_channels` tells which calls live on when Asterisk started anew; see SA_BOX_STARTED in `ledger.calls`."""

    name = "journal"

    def __init__(
        self, files: JournalFiles, store: JournalStore, bus: Bus, clock: Clock, live_channels: LiveChannels
    ) -> None:
        self._files, self._store, self._bus, self._clock = files, store, bus, clock
        self._live_channels = live_channels
        self._offset_us: int | None = None
        """Wall clock minus monotonic clock, as last noted."""
        self.at: Position = START
        self.faults: list[JournalFault] = []
        """Since the health check last took them."""
        self.garbage: list[str] = []
        """Why lines were left out, since the health check last took them; at most 100."""

    async def run(self) -> None:
        with self._bus.subscribe(AsteriskUp) as ups:
            self.at = await self._store.load()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow(), name="journal tail")
                tasks.create_task(self._watch_restarts(ups.get), name="journal restarts")

    async def _follow(self) -> None:
        while True:
            await self.note_clock()
            if not await self.step():
                if await asyncio.to_thread(self._files.rotation_due, self.at):
                    await asyncio.to_thread(self._files.rotate, self.at)
                await asyncio.sleep(POLL_S)

    async def step(self) -> bool:
        """Take in one bite. False: nothing new. An exception leaves everything as it was committed last."""
        bite = await asyncio.to_thread(self._files.read, self.at)
        if bite.fault is not None:
            log.error("journal fault", fault=bite.fault, generation=self.at.generation, offset=self.at.offset)
            self.faults.append(bite.fault)
        if not bite.lines and bite.after == self.at:
            return False
        try:
            done = await self._store.commit(bite.lines, bite.after)
        except BaseException:
            # What is collected in memory may be ahead of the database: begin anew from there.
            self.at = await asyncio.shield(self._store.load())
            raise
        self.at = done.position
        for reason in done.garbage:
            log.warning("journal line is no row", reason=reason)
        self.garbage = [*self.garbage, *done.garbage][-100:]
        for written in done.written:
            self._bus.publish(written)
        return True

    async def note_clock(self) -> None:
        """Note it in the journal when the wall clock was set since the last look."""
        offset_us = self._clock.now_us() - round(self._clock.monotonic() * 1_000_000)
        shift_us = 0 if self._offset_us is None else offset_us - self._offset_us
        if self._offset_us is None or abs(shift_us) >= LEAST_SHIFT_US:
            self._offset_us = offset_us
        if abs(shift_us) >= LEAST_SHIFT_US:
            log.warning("the clock was set", shift_ms=shift_us // 1000)
            await self.journal_note(UserEvent.CLOCK, {"shift_us": str(shift_us)}, uniqueid="", linkedid="")

    async def _watch_restarts(self, next_up: Callable[[], Awaitable[AsteriskUp | Gap]]) -> None:
        while True:
            up = await next_up()
            if isinstance(up, AsteriskUp):
                await self.asterisk_up(up)

    async def asterisk_up(self, up: AsteriskUp) -> None:
        """Write SA_BOX_STARTED once for each start of Asterisk, so that the journal alone tells the story."""
        last = await self._store.last_box_started()
        if not up.restarted and last is not None and last.data.get("started") == up.startup_time:
            return
        for delay_s in (*NOTE_AGAIN_S, None):
            try:
                alive = await self._live_channels()
                await self._box_started(
                    "asterisk_start", started=up.startup_time, startup=_seconds(up.startup_time), alive=",".join(alive)
                )
                return
            except (Fault, OSError) as error:
                if delay_s is None:
                    # Its next start says it again, and the minutely check closes what is left open.
                    log.error("could not note that Asterisk started", reason=str(error))
                    return
            await asyncio.sleep(delay_s)

    async def close_dead_channels(self, dead: frozenset[str]) -> None:
        """Asterisk does not have these channels any more, and their ends were not journalled. Raises OSError."""
        await self._box_started("reconcile", dead=",".join(sorted(dead)))

    def open_channels(self) -> frozenset[str]:
        """Unique ids of the channels that have not ended, by the journal."""
        return frozenset(uniqueid for call in self._store.book.calls.values() for uniqueid in call.live)

    async def _box_started(self, reason: str, **keys: str) -> None:
        data = {"reason": reason, "generation": str(self.at.generation)} | keys
        await self._append(UserEvent.BOX_STARTED, data)

    async def journal_note(self, event: UserEvent, data: dict[str, str], *, uniqueid: str, linkedid: str) -> None:
        """Write what CEL may not tell (SA_HOLD) as a row of the journal. One that cannot be written is logged: the
        journal's health has its own alarm."""
        try:
            await self._append(event, data, uniqueid=uniqueid, linkedid=linkedid)
        except OSError as error:
            log.error("could not write to the journal", event_=event.value, reason=str(error))

    async def _append(self, event: UserEvent, data: dict[str, str], *, uniqueid: str = "", linkedid: str = "") -> None:
        row = user_row(event.value, data, self._clock.now_us(), uniqueid=uniqueid, linkedid=linkedid)
        await asyncio.to_thread(self._files.append, row)


def _seconds(startup_time: str) -> str:
    """ARI's startup_time → seconds since the epoch with three decimals, "" when it is not ISO 8601 with an offset."""
    try:
        moment = datetime.fromisoformat(startup_time)
    except ValueError:
        return ""
    return f"{moment.timestamp():.3f}" if moment.tzinfo is not None else ""
