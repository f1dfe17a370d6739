"""Live events to the pages: a snapshot, then what changed, gathered for at most 200 ms.

Every client has a bounded queue. One that cannot keep up loses what waits there and gets a fresh snapshot instead,
so that a slow page costs the box neither memory nor the other pages time.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog
from aiohttp import WSMsgType, web

from appliance_agent.http import peer
from appliance_agent.http.peer import Authenticator
from appliance_agent.http.route import Identity
from appliance_agent.kernel.bus import Bus, Gap
from appliance_agent.kernel.clock import Clock, rfc3339
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import (
    JobChanged,
    LineTestChanged,
    LinkProbeChanged,
    LiveChanged,
    Pop,
    RecordWritten,
    SessionChanged,
    SessionEnded,
)
from appliance_agent.store.sessions import COOKIE

log = structlog.get_logger()

GATHER_S = 0.15
"""Changes wait this long for others. docs/api.md promises at most 200 ms."""
URGENT_S = 0.02
URGENT = frozenset({"alarms", "lines"})
"""What a technician waits for wait less, so that an alarm is on the page 200 ms after the kernel's event."""
QUEUE_LIMIT = 100
"""Messages waiting for one client."""
KEPT_LIMIT = 20
CLIENT_LIMIT = 500
MESSAGE_LIMIT = 4096
"""Bytes of one message from the page; it only ever sends pings."""
SEND_LIMIT_S = 20.0
HEARTBEAT_S = 20.0

EVENTS = (
    LiveChanged, Pop, RecordWritten, JobChanged, LineTestChanged, LinkProbeChanged, SessionChanged, SessionEnded,
)  # fmt: skip


class Client:
    def __init__(self, identity: Identity, socket: web.WebSocketResponse, limit: int) -> None:
        self.identity = identity
        self.socket = socket
        self.ended = ""
        """Why the session ended, once it has."""
        self._limit = limit
        self._waiting: deque[str] = deque()
        self._kept: deque[str] = deque(maxlen=KEPT_LIMIT)
        """Not told by a snapshot (pops): they outlive the loss of the others."""
        self._fresh = True
        """A snapshot is due before anything else."""
        self._wake = asyncio.Event()
        self._wake.set()

    def offer(self, message: str, *, keep: bool = False) -> None:
        if keep:
            self._kept.append(message)
            self._wake.set()
            return
        if self._fresh:
            return
        if len(self._waiting) >= self._limit:
            self.restart()
            return
        self._waiting.append(message)
        self._wake.set()

    def restart(self) -> None:
        self._waiting.clear()
        self._fresh = True
        self._wake.set()

    def end(self, reason: str) -> None:
        self.ended = reason
        self._wake.set()

    async def take(self, snapshot: Callable[[], str]) -> str | None:
        """The next message to send; None when the session has ended."""
        while True:
            if self.ended:
                return None
            if self._fresh:
                self._fresh = False
                return snapshot()
            if self._kept:
                return self._kept.popleft()
            if self._waiting:
                return self._waiting.popleft()
            self._wake.clear()
            await self._wake.wait()


class EventsHub:
    """A service (`run`) that listens to the bus, and the handler of GET /api/v1/events."""

    name = "events-hub"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        auth: Authenticator,
        snapshot: Callable[[], dict[str, Any]],
        *,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self._bus, self._clock, self._auth = bus, clock, auth
        self._snapshot_of_live = snapshot
        self._queue_limit = queue_limit
        self._clients: set[Client] = set()
        self._set: dict[str, dict[str, Any]] = {}
        self._gone: dict[str, set[str]] = {}

    async def run(self) -> None:
        with self._bus.subscribe(*EVENTS, limit=5000) as events:
            flush_at: float | None = None
            loop = asyncio.get_running_loop()
            while True:
                try:
                    async with asyncio.timeout_at(flush_at):
                        event = await events.get()
                except TimeoutError:
                    self._flush()
                    flush_at = None
                    continue
                self._note(event)
                if isinstance(event, LiveChanged):
                    due = loop.time() + (URGENT_S if event.kind in URGENT else GATHER_S)
                    flush_at = due if flush_at is None else min(flush_at, due)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        peer.check_origin(request)
        identity = await peer.identify(request, self._auth)
        if identity is None:
            raise Fault(FaultKind.UNAUTHENTICATED, "session.none", "Log in first.")
        if len(self._clients) >= CLIENT_LIMIT:
            raise Fault(FaultKind.UNAVAILABLE, "events.full", "Too many pages are connected.", retry_after_s=10)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_LIMIT, compress=False)
        await socket.prepare(request)
        client = Client(identity, socket, self._queue_limit)
        self._clients.add(client)
        try:
            writer = asyncio.create_task(self._write(client), name="events-writer")
            try:
                await self._read(client, request.cookies[COOKIE])
            finally:
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
        finally:
            self._clients.discard(client)
        return socket

    async def close(self) -> None:
        """The agent stops: pages reconnect by themselves."""
        closing = [client.socket.close(code=1001, message=b"restart") for client in self._clients]
        await asyncio.gather(*closing, return_exceptions=True)

    async def _read(self, client: Client, token: str) -> None:
        async for message in client.socket:
            if message.type is WSMsgType.TEXT and '"ping"' in message.data:
                # A page left open is activity; a session that has ended is noticed here at the latest.
                if await self._auth.identify(token) is None:
                    client.end("expired")
                client.offer('{"type":"pong"}')

    async def _write(self, client: Client) -> None:
        try:
            while True:
                message = await client.take(self._snapshot)
                async with asyncio.timeout(SEND_LIMIT_S):
                    if message is not None:
                        await client.socket.send_str(message)
                        continue
                    await client.socket.send_str(_json({"type": "session_ended", "reason": client.ended}))
                    await client.socket.close(code=1000)
                    return
        except TimeoutError:
            log.info("events client does not read; closed", login=client.identity.login)
            await client.socket.close(code=1008, message=b"too slow")
        except ConnectionError:
            return

    def _snapshot(self) -> str:
        return _json({"at": rfc3339(self._clock.now_us()), **self._snapshot_of_live(), "type": "snapshot"})

    def _note(self, event: object) -> None:
        match event:
            case LiveChanged(kind, id, object):
                self._set.get(kind, {}).pop(id, None)
                self._gone.get(kind, set()).discard(id)
                if object is None:
                    self._gone.setdefault(kind, set()).add(id)
                else:
                    self._set.setdefault(kind, {})[id] = object
            case Pop(extension, body):
                self._tell({**body, "type": "pop"}, lambda who: who.extension == extension, keep=True)
            case RecordWritten(call_id, result):
                message = {"type": "record", "call_id": call_id, "result": result}
                self._tell(message, lambda who: who.role != "technician")
            case JobChanged() | LineTestChanged() | LinkProbeChanged():
                self._tell(_technical(event), lambda who: who.role in {"admin", "technician"})
            case SessionChanged(session_id=session_id, extension=extension):
                for client in self._of(session_id):
                    client.identity = replace(client.identity, extension=extension)
            case SessionEnded(session_id=session_id, reason=reason):
                for client in self._of(session_id):
                    client.end(reason)
            case Gap():
                for client in self._clients:
                    client.restart()

    def _of(self, session_id: str) -> list[Client]:
        return [client for client in self._clients if client.identity.session_id == session_id]

    def _flush(self) -> None:
        message = {
            "type": "change",
            "set": {kind: list(objects.values()) for kind, objects in self._set.items() if objects},
            "gone": {kind: sorted(ids) for kind, ids in self._gone.items() if ids},
            "at": rfc3339(self._clock.now_us()),
        }
        self._set, self._gone = {}, {}
        self._tell(message, lambda _who: True)

    def _tell(self, message: dict[str, Any], to: Callable[[Identity], bool], *, keep: bool = False) -> None:
        text = _json(message)
        for client in self._clients:
            if to(client.identity):
                client.offer(text, keep=keep)


def _technical(event: JobChanged | LineTestChanged | LinkProbeChanged) -> dict[str, Any]:
    match event:
        case JobChanged(job):
            return {**job, "type": "job"}
        case LineTestChanged(test):
            return {"type": "line_test", "test": test}
        case LinkProbeChanged(probe):
            return {"type": "link_probe", "probe": probe}


def _json(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
