"""Boxes that are connected now: what they say of themselves, commands to them, and the cut when one is revoked.

Nothing here is kept: a server that was restarted knows a box again once it has come back, seconds later.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind
from contracts.live import MOST_BYTES, VERSION, Say, State
from hq.boxes.connection import Connection, said_of
from hq.boxes.door import Known, other_box
from hq.store.database import Database

log = structlog.get_logger()

HELLO_S = 10.0
HEARTBEAT_S = 20.0
WATCH_S = 1.0
"""How soon a revocation, by whichever process, closes the socket."""
MOST_BOXES = 5_000


@dataclass(frozen=True, slots=True)
class BoxLive:
    """On the bus: this box came, went, or said something new of itself."""

    box: str


class LiveBoxes:
    """`handle` for each box's WebSocket; `watch` runs as long as the server."""

    def __init__(self, database: Database, bus: Bus, clock: Clock) -> None:
        self._database, self._bus, self._clock = database, bus, clock
        self._open: dict[str, Connection] = {}
        """By box."""

    def state(self, box: str) -> State | None:
        """None: not connected, or it has not said it yet."""
        connection = self._open.get(box)
        return connection.state if connection else None

    def connected(self) -> Mapping[str, int]:
        """Box → since when, microseconds UTC."""
        return {box: connection.since_us for box, connection in self._open.items()}

    async def command(self, box: str, name: str, arguments: Mapping[str, Any], by: str) -> dict[str, Any]:
        """The box's result. Raises Fault: the box's own, box.away, box.busy, or box.silent after COMMAND_S."""
        connection = self._open.get(box)
        if connection is None:
            raise Fault(
                FaultKind.UNAVAILABLE, "box.away", f"{box} is not connected.",
                hint="It comes back by itself when its network does. Look at its power and its network.",
            )  # fmt: skip
        return await connection.command(name, arguments, by)

    async def handle(self, request: web.Request, known: Known) -> web.WebSocketResponse:
        if len(self._open) >= MOST_BOXES and known.box not in self._open:
            raise Fault(FaultKind.UNAVAILABLE, "live.full", f"{MOST_BOXES} boxes are connected.", retry_after_s=60)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MOST_BYTES)
        await socket.prepare(request)
        try:
            await self._greet(socket, known)
            connection = Connection(socket, known.serial, self._clock.now_us())
            await self._serve(known.box, connection)
        except (TimeoutError, ConnectionError) as error:
            log.info("a live socket broke", box=known.box, reason=repr(error))
        finally:
            await socket.close()
        return socket

    async def watch(self) -> None:
        """Closes what has been revoked, by whichever process, and what has expired."""
        while True:
            await asyncio.sleep(WATCH_S)  # a poll: a process that was away must not miss what another one revoked
            try:
                ended = await self._ended()
            except Fault as fault:
                log.warning("who is revoked cannot be read", reason=fault.message)
                continue
            await asyncio.gather(*(self.cut(box) for box, one in list(self._open.items()) if one.serial in ended))

    async def cut(self, box: str) -> None:
        """At once. Whether it may come back is the door's affair."""
        connection = self._open.get(box)
        if connection is not None:
            log.info("live socket cut", box=box)
            await connection.close()

    async def close(self) -> None:
        await asyncio.gather(*(connection.close() for connection in list(self._open.values())))

    async def _greet(self, socket: web.WebSocketResponse, known: Known) -> None:
        """Raises Fault, TimeoutError, ConnectionError."""
        async with asyncio.timeout(HELLO_S):
            hello = said_of(await socket.receive())
        if hello is None or hello.get("type") != Say.HELLO:
            raise ConnectionError("it did not begin with a hello")
        if hello.get("box") != known.box:
            raise other_box()
        version = hello.get("version")
        if type(version) is not int or not VERSION - 1 <= version <= VERSION + 1:
            raise ConnectionError(f"it speaks version {version!r:.20}; this side {VERSION - 1} to {VERSION + 1}")

    async def _serve(self, box: str, connection: Connection) -> None:
        before = self._open.get(box)
        self._open[box] = connection
        self._bus.publish(BoxLive(box))
        try:
            if before is not None:  # its network changed, and the old socket has not noticed
                await before.close()
            async for _ in connection.news():
                self._bus.publish(BoxLive(box))
        finally:
            connection.give_up(box)
            if self._open.get(box) is connection:
                del self._open[box]
            self._bus.publish(BoxLive(box))

    async def _ended(self) -> set[str]:
        if not self._open:
            return set()
        async with self._database.read() as transaction:
            rows = await transaction.rows(
                "SELECT serial FROM certificate WHERE revoked_us IS NOT NULL OR until_us <= ?", self._clock.now_us()
            )
        return {row["serial"] for row in rows}
