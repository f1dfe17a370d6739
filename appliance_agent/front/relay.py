"""Two WebSockets joined: what comes from one goes to the other, until either ends. Nothing is kept in between."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
from aiohttp import WSMsgType, web

SEND_LIMIT_S = 20.0
"""A side that takes nothing for so long is cut."""

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse
Check = Callable[[str | bytes], Awaitable[bool]]
"""Whether a message of the page may pass; False ends the connection."""


async def _everything(_data: str | bytes) -> bool:
    return True


async def relay(
    page: web.WebSocketResponse, inner: aiohttp.ClientWebSocketResponse, check: Check = _everything
) -> None:
    """Returns when one side has closed; closes the other."""
    upward = asyncio.create_task(_pump(page, inner, check), name="relay-from-page")
    downward = asyncio.create_task(_pump(inner, page, _everything), name="relay-to-page")
    try:
        await asyncio.wait({upward, downward}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        upward.cancel()
        downward.cancel()
        await asyncio.gather(upward, downward, return_exceptions=True)
        await asyncio.gather(page.close(code=page.close_code or 1001), inner.close(), return_exceptions=True)


async def _pump(source: Socket, target: Socket, check: Check) -> None:
    async for message in source:
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            continue
        if not await check(message.data):
            return
        async with asyncio.timeout(SEND_LIMIT_S):
            if message.type is WSMsgType.TEXT:
                await target.send_str(message.data)
            else:
                await target.send_bytes(message.data)
