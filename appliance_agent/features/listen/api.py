"""The WebSocket of one listening. Its end is its last message: a page cannot read why a handshake was refused."""

import asyncio
import contextlib
import json

import structlog
from aiohttp import WSMsgType, web

from appliance_agent.features.listen.service import Heard, Listening
from appliance_agent.http.route import Call, Role, Route
from appliance_agent.kernel.errors import Fault

log = structlog.get_logger()

MESSAGE_BYTES = 256
"""Of one message from the page: how many frames it has had."""
HEARTBEAT_S = 5.0
"""A page that went away without a word is noticed after one and a half of these."""
SEND_S = 5.0


def routes(listening: Listening) -> list[Route]:
    async def listen(call: Call) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_BYTES, compress=False)
        await socket.prepare(call.request)
        why: Fault | None
        try:
            async with listening.open(call.who, call.path["call_id"]) as heard:
                await _serve(socket, heard)
                why = heard.why
        except Fault as fault:
            why = fault
        if why is not None:
            told = {"type": "end", "key": why.key, "message": why.message, "hint": why.hint}
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(SEND_S):
                    await socket.send_str(json.dumps(told))
        await socket.close()
        return socket

    return [
        Route(
            "GET", "/calls/{call_id}/listen", Role.SUPERVISOR, listen, "Listen to a call: a WebSocket, see docs/api.md",
            socket=True,
        )
    ]  # fmt: skip


async def _serve(socket: web.WebSocketResponse, heard: Heard) -> None:
    """Until the page leaves, or the listening is over."""
    tasks = {
        asyncio.create_task(_read(socket, heard), name="listening reads"),
        asyncio.create_task(_send(socket, heard), name="listening sends"),
        asyncio.create_task(heard.over.wait(), name="listening over"),
    }
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for failure in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(failure, Exception) and not isinstance(failure, ConnectionError | TimeoutError):
                log.error("listening failed", call=heard.call_id, exc_info=failure)


async def _read(socket: web.WebSocketResponse, heard: Heard) -> None:
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            heard.frames.had(frames_had(message.data))


def frames_had(said: str) -> int:
    """{"had": 125}: so many frames have come. Anything else says nothing, as 0 does."""
    with contextlib.suppress(ValueError, TypeError, AttributeError, OverflowError):
        return int(json.loads(said).get("had", 0))
    return 0


async def _send(socket: web.WebSocketResponse, heard: Heard) -> None:
    while True:
        frame = await heard.frames.take()
        async with asyncio.timeout(SEND_S):
            await socket.send_bytes(frame)
