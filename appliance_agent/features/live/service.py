"""Gathers what the others tell on the bus into one board, and adds the queues."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from appliance_agent.calls.live_service import LiveCalls
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.features.live.model import midnight_us, queue_object
from appliance_agent.features.live.store import counts_since
from appliance_agent.kernel.bus import Bus, Gap
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.events import LiveChanged, RecordWritten, SessionChanged, VersionApplied
from appliance_agent.store.database import Database

TICK_S = 1.0
"""Longest waits grow, and records are counted, at this pace."""
GATHER_S = 0.1
"""Queues are computed at most this often, however much happens."""
DAY_CHECK_S = 60.0
EVENT_LIMIT = 20_000

Lister = Callable[[], Awaitable[list[dict[str, Any]]]]


class LiveBoard:
    """`seats`, `alarms`: all of them as they are now; afterwards their changes come by the bus.
    `lines`: told as they are at each moment."""

    name = "live board"

    def __init__(
        self, *, database: Database, live: LiveCalls, config: ConfigHolder, bus: Bus, clock: Clock,
        seats: Lister, alarms: Lister, lines: Callable[[], list[dict[str, Any]]],
    ) -> None:  # fmt: skip
        self._database, self._live, self._config, self._bus, self._clock = database, live, config, bus, clock
        self._list_seats, self._list_alarms, self._lines = seats, alarms, lines
        self._seats: dict[str, dict[str, Any]] = {}
        self._alarms: dict[str, dict[str, Any]] = {}
        self._queues: dict[str, dict[str, Any]] = {}
        self._today: dict[str, tuple[int, int]] = {}
        self._count = True
        """Records are to be counted anew."""
        self._changed = asyncio.Event()
        """Something that queues show has changed."""

    def snapshot(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "queues": list(self._queues_now().values()),
            "seats": list(self._seats.values()),
            "calls": [call.view() for call in self._live.state.calls.values()],
            "alarms": list(self._alarms.values()),
            "lines": self._lines(),
        }

    async def run(self) -> None:
        heard = (LiveChanged, RecordWritten, VersionApplied, SessionChanged)
        with self._bus.subscribe(*heard, limit=EVENT_LIMIT) as events:
            await self._read_lists()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tick(), name="live board tick")
                async for event in events:
                    await self._hear(event)

    async def _hear(self, event: Any) -> None:
        match event:
            case LiveChanged(kind="seats", id=id_, object=seat):
                _keep(self._seats, id_, seat)
                self._changed.set()
            case LiveChanged(kind="alarms", id=id_, object=alarm):
                _keep(self._alarms, id_, alarm)
            case LiveChanged(kind="calls"):
                self._changed.set()
            case RecordWritten():
                self._count = True
            case VersionApplied() | SessionChanged() | Gap():  # names, queues, people
                await self._read_lists()
                self._changed.set()

    async def _read_lists(self) -> None:
        self._seats = {str(seat["user_id"]): seat for seat in await self._list_seats()}
        self._alarms = {str(alarm["id"]): alarm for alarm in await self._list_alarms()}

    async def _tick(self) -> None:
        counted = next_count = 0.0
        while True:
            now = self._clock.monotonic()
            if counted == 0.0 or now >= next_count or (self._count and now - counted >= TICK_S):
                self._count, counted, next_count = False, now, now + DAY_CHECK_S
                since_us = midnight_us(self._clock.now_us(), self._config.desired.site.timezone)
                self._today = await counts_since(self._database, since_us)
            self._publish_queues()
            await asyncio.sleep(GATHER_S)
            try:
                async with asyncio.timeout(TICK_S - GATHER_S):
                    await self._changed.wait()
            except TimeoutError:
                continue
            self._changed.clear()

    def _queues_now(self) -> dict[str, dict[str, Any]]:
        now_us, calls = self._clock.now_us(), list(self._live.state.calls.values())
        return {
            queue.id: queue_object(queue, self._seats.values(), calls, self._today.get(queue.id, (0, 0)), now_us)
            for queue in self._config.desired.queues
        }

    def _publish_queues(self) -> None:
        before, self._queues = self._queues, self._queues_now()
        for id_, queue in self._queues.items():
            if before.get(id_) != queue:
                self._bus.publish(LiveChanged("queues", id_, queue))
        for id_ in before.keys() - self._queues.keys():
            self._bus.publish(LiveChanged("queues", id_, None))


def _keep(objects: dict[str, dict[str, Any]], id_: str, value: dict[str, Any] | None) -> None:
    if value is None:
        objects.pop(id_, None)
    else:
        objects[id_] = value
