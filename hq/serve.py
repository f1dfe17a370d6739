"""Headquarters' parts, put together and served."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind
from hq.authority.enrolment import Enrolment
from hq.authority.files import Folder
from hq.boxes.door import Door, server_context
from hq.boxes.intake import Intake
from hq.boxes.live import LiveBoxes
from hq.boxes.server import BoxServer
from hq.store.database import Database
from hq.store.postgres import Postgres
from hq.store.sqlite import Sqlite

log = structlog.get_logger()

STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Headquarters:
    enrolment: Enrolment
    live: LiveBoxes
    bus: Bus
    port: int
    watching: asyncio.Task[None]
    """Never ends by itself: when it does, revocations are not seen any more, and the server must not go on."""


def open_database(address: str, data: Path) -> Database:
    """`address`: postgresql://user@host/database; "" for a SQLite file in `data`. Raises Fault."""
    if not address:
        return Sqlite(data / "hq.db")
    if address.startswith(("postgresql://", "postgres://")):
        return Postgres(address)
    raise Fault(
        FaultKind.INVALID, "hq.database", f"database: {address!r:.60} is no postgresql:// address",
        hint="Leave it out for a SQLite file, which is for a try.",
    )  # fmt: skip


@asynccontextmanager
async def served(
    *, database: Database, folder: Folder, clock: Clock, host: str, port: int
) -> AsyncIterator[Headquarters]:
    """The tables are prepared. port 0: any. Raises Fault."""
    bus = Bus()
    enrolment, live = Enrolment(database, folder, clock), LiveBoxes(database, bus, clock)
    boxes = BoxServer(
        folder=folder, enrolment=enrolment, door=Door(database, clock), intake=Intake(database, clock), live=live,
        clock=clock,
    )  # fmt: skip
    context = await asyncio.to_thread(server_context, folder)
    runner = web.AppRunner(boxes.application(), access_log=None, shutdown_timeout=STOP_S)
    await runner.setup()
    watching = asyncio.create_task(live.watch(), name="revocations")
    try:
        yield Headquarters(enrolment, live, bus, await _listen(runner, host, port, context), watching)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await live.close()
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int, context: ssl.SSLContext) -> int:
    try:
        await web.TCPSite(runner, host, port, ssl_context=context).start()
    except OSError as error:
        raise Fault(
            FaultKind.UNAVAILABLE, "hq.listen", f"{host}:{port} cannot be listened on: {error}",
            hint="Does another program use this port? Ports below 1024 need root or CAP_NET_BIND_SERVICE.",
        ) from error  # fmt: skip
    return int(runner.addresses[0][1])
