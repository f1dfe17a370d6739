"""The link as a service: joins, leaves; tells and listens while the box belongs to HQ; alarms when HQ is away."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock, rfc3339
from appliance_agent.kernel.errors import Fault
from appliance_agent.store.database import Database
from appliance_agent.store.outbox import Outbox, SyncState
from appliance_agent.system.alarms import Alarms, Level
from appliance_agent.system.hq_link import identity, marker
from appliance_agent.system.hq_link.answers import Away, session
from appliance_agent.system.hq_link.enrolment import Self, enrol_box
from appliance_agent.system.hq_link.live import Command, Live
from appliance_agent.system.hq_link.packing import Packer
from appliance_agent.system.hq_link.retry import delay_s
from appliance_agent.system.hq_link.sender import Sender
from contracts.live import Command as Name
from contracts.live import Inventory, State

log = structlog.get_logger()

AWAY_S = 600.0
"""Without an answer for so long is an alarm."""
WATCH_S = 5.0
ALARM = "hq.link"


class HqLink:
    """Alarm: hq.link (subject "")."""

    name = "headquarters"

    def __init__(
        self, *, database: Database, folder: Path, box: Self, bus: Bus, clock: Clock, alarms: Alarms,
        now: Callable[[], Awaitable[State]], inventory: Callable[[], Awaitable[Inventory]],
        commands: Mapping[str, Command],
    ) -> None:  # fmt: skip
        self._folder, self._box, self._clock, self._alarms, self._inventory = folder, box, clock, alarms, inventory
        self._outbox = Outbox(database)
        packer = Packer(box=box.box_id, database=database, outbox=self._outbox, folder=folder)
        self._sender = Sender(
            database=database, outbox=self._outbox, packer=packer, clock=clock, contact=self._answered
        )  # fmt: skip
        self._live = Live(bus=bus, now=now, commands={Name.SYNC_NOW: self._sync_now, **commands})
        self._changed, self._joining = asyncio.Event(), asyncio.Lock()
        self._contact, self._contact_us, self._trouble = clock.monotonic(), 0, ""

    async def join(self, address: str, code: str) -> None:
        """Raises Fault; the box belongs where it did then."""
        async with self._joining:
            joined = await enrol_box(self._folder, address, code, self._box)
            await self._outbox.join(joined.address, joined.branch, self._clock.now_us())
            self._changed.set()

    async def leave(self) -> None:
        """What HQ was told stays there."""
        async with self._joining:
            await self._outbox.leave()
            await asyncio.to_thread(identity.forget, self._folder)
            self._changed.set()
            await self._alarms.clear(ALARM, "")

    async def limit(self, rate_kbit: int) -> None:
        await self._outbox.limit(rate_kbit)

    async def view(self) -> dict[str, Any]:
        """As in docs/api.md, GET /headquarters."""
        state = await self._outbox.state()
        if state is None:
            return {"joined": None}
        live, told = self._live.connected_us, self._contact_us
        return {
            "joined": {
                "address": state.address, "branch": state.branch, "since": rfc3339(state.enrolled_us),
                "connected_since": None if live is None else rfc3339(live),
                "last_answer": rfc3339(told) if told else None, "backlog": state.backlog,
                "earlier_to_tell": bool(state.backfill), "rate_kbit": state.rate_kbit, "trouble": self._trouble,
                "certificate_ends": await asyncio.to_thread(identity.ends, self._folder),
            }
        }  # fmt: skip

    async def run(self) -> None:
        while True:
            self._changed.clear()
            state = await self._outbox.state()
            linked = asyncio.create_task(self._linked(state), name="link to headquarters")
            other = asyncio.create_task(self._changed.wait(), name="headquarters changed")
            try:
                await asyncio.wait((linked, other), return_when=asyncio.FIRST_COMPLETED)
                if linked.done():
                    linked.result()
            finally:
                for task in (linked, other):
                    task.cancel()
                await asyncio.gather(linked, other, return_exceptions=True)

    async def _linked(self, state: SyncState | None) -> None:
        """While the box belongs there."""
        if state is None:
            await asyncio.Event().wait()
            return
        self._contact, self._contact_us, self._trouble = self._clock.monotonic(), 0, ""
        if await asyncio.to_thread(marker.is_older, self._folder, state):
            log.warning("this database is older than what headquarters was told: all is told again")
            await self._outbox.new_epoch()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(), name="headquarters watch")
            tasks.create_task(self._again_and_again(self._talk), name="live socket")
            tasks.create_task(self._again_and_again(self._send), name="outbox sender")

    async def _again_and_again(self, once: Callable[[aiohttp.ClientSession, SyncState], Awaitable[None]]) -> None:
        failures = 0
        while (state := await self._outbox.state()) is not None:
            before = self._contact
            try:
                context = await asyncio.to_thread(identity.mutual, self._folder)
                async with session(context) as http:
                    await once(http, state)
            except (Away, Fault) as error:
                self._trouble = error.message
                log.info("headquarters", trouble=error.message)
            failures = 1 if self._contact != before else failures + 1
            await asyncio.sleep(delay_s(failures, random.random()))

    async def _send(self, http: aiohttp.ClientSession, state: SyncState) -> None:
        await self._outbox.note_inventory(asdict(await self._inventory()), self._clock.now_us())
        await self._sender.send(http, state)

    async def _talk(self, http: aiohttp.ClientSession, state: SyncState) -> None:
        await self._live.talk(
            http, address=state.address, box=self._box.box_id, epoch=state.epoch, inventory=await self._inventory(),
            at_us=self._clock.now_us(),
        )  # fmt: skip

    def _answered(self) -> None:
        self._contact, self._contact_us, self._trouble = self._clock.monotonic(), self._clock.now_us(), ""

    async def _watch(self) -> None:
        while True:
            if self._clock.monotonic() - self._contact > AWAY_S:
                await self._alarms.raise_(ALARM, Level.WARNING, "", {"reason": self._trouble[:300]})
            else:
                await self._alarms.clear(ALARM, "")
            await asyncio.sleep(WATCH_S)

    async def _sync_now(self, _arguments: Mapping[str, Any], _by: str) -> dict[str, Any]:
        self._sender.now.set()
        return {}
