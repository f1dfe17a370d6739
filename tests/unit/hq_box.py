"""The link of one box, with its database: against whichever headquarters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.store.database import Database
from appliance_agent.store.migrate import upgrade
from appliance_agent.store.outbox import tell
from appliance_agent.store.tables import seat_event
from appliance_agent.system.alarms import Alarms
from appliance_agent.system.hq_link.enrolment import Self
from appliance_agent.system.hq_link.service import HqLink
from contracts.live import Inventory, State
from contracts.sync import Kind


class Box:
    """The link of one box, with its database."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.database = folder, Database(folder / "box.db")
        self.bus, self.clock = Bus(), SystemClock()
        self.alarms = Alarms(self.database, self.bus, self.clock)
        self.link = HqLink(
            database=self.database, folder=folder / "headquarters", box=Self("sa800-1", "sa800", "SN1"), bus=self.bus,
            clock=self.clock, alarms=self.alarms, now=self._now, inventory=self._inventory,
            commands={"acknowledge": self._acknowledge},
        )  # fmt: skip

    async def _now(self) -> State:
        return State(1, 2, 0, {"idle": 1}, {"t1": "reachable"}, {}, 0)

    async def _inventory(self) -> Inventory:
        return Inventory("sa800", "1", "22", "SN1")

    async def _acknowledge(self, arguments: Any, by: str) -> dict[str, Any]:
        return await self.alarms.ack(str(arguments.get("alarm")), by)

    async def happens(self, count: int) -> None:
        row = {"user_id": "u", "extension": "8001", "state": "idle", "reason": "", "by": ""}
        for n in range(count):
            async with self.database.write() as connection:
                made = insert(seat_event).values(row | {"at_us": n}).returning(seat_event.c.id)
                await tell(connection, Kind.SEAT, [str((await connection.execute(made)).scalar_one())], n)


@asynccontextmanager
async def box_at(folder: Path) -> AsyncIterator[Box]:
    """A run of the agent."""
    await asyncio.to_thread(upgrade, folder / "box.db")
    box = Box(folder)
    running = asyncio.create_task(box.link.run())
    try:
        yield box
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await box.database.close()
