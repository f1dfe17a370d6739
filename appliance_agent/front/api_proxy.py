"""/api → the agent's Unix socket. A dead or stopped agent costs a page seconds, never a hanging request."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web
from yarl import URL

from appliance_agent.front import answers, origin
from appliance_agent.front.relay import relay

log = structlog.get_logger()

BODY_LIMIT = 21 * 1_048_576
"""Bytes: the largest body of any route (prompt upload, 20 MiB) and its form around it. The agent checks per route."""
CONNECT_LIMIT_S = 2.0
PATIENCE_S = 6.0
"""After this long without an answer the agent is asked whether it lives."""
HEALTH_LIMIT_S = 2.0
ANSWER_LIMIT_S = 120.0
"""For a living agent that works on something long, such as speech."""
AWAY_S = 1.0
"""Once found stopped, requests are refused at once for this long."""
IN_FLIGHT_LIMIT = 300
SOCKETS_LIMIT = 600
SOCKETS = re.compile(r"/api/v1/(events|calls/[^/]+/listen)")
"""Paths of the agent's WebSockets."""
LOCAL_ONLY = "/api/v1/health"
TOO_LARGE = web.RequestKey("too_large", bool)
HOP_BY_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade", "expect", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip",
})  # fmt: skip


class _Away(Exception):
    pass


class ApiProxy:
    """`async with`: holds the connections to the agent."""

    def __init__(self, socket: Path) -> None:
        self._socket = str(socket)
        self._in_flight = 0
        self._away_until = 0.0

    async def __aenter__(self) -> "ApiProxy":
        connector = aiohttp.UnixConnector(self._socket, limit=IN_FLIGHT_LIMIT + SOCKETS_LIMIT)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_LIMIT_S, sock_read=ANSWER_LIMIT_S)
        self._client = aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._client.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == LOCAL_ONLY or not request.raw_path.startswith("/"):
            raise answers.refused(404, "http.not_found", "There is nothing at this address.")
        if (request.content_length or 0) > BODY_LIMIT:
            raise answers.Refused(_too_large())
        if time.monotonic() < self._away_until:
            return answers.agent_away()
        try:
            if SOCKETS.fullmatch(request.path):
                return await self._socket_to(request)
            return await self._forward(request)
        except (_Away, aiohttp.ClientError, TimeoutError, OSError) as error:
            if request.get(answers.STARTED):
                raise
            if request.get(TOO_LARGE):
                return _too_large()
            log.info("agent away", reason=type(error).__name__)
            return answers.agent_away()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if self._in_flight >= IN_FLIGHT_LIMIT:
            return answers.agent_away()
        self._in_flight += 1
        try:
            async with await self._ask(request) as upstream:
                return await _pass_on(request, upstream)
        finally:
            self._in_flight -= 1

    async def _ask(self, request: web.Request) -> aiohttp.ClientResponse:
        sending = asyncio.ensure_future(
            self._client.request(
                request.method,
                URL("http://agent" + request.raw_path, encoded=True),
                headers=_headers(request),
                data=_bounded(request) if request.body_exists else None,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        )
        return await self._patiently(sending)

    async def _patiently(self, sending: "asyncio.Future[aiohttp.ClientResponse]") -> aiohttp.ClientResponse:
        """The answer's head. A silent agent is asked for its health, so that a stopped one is told from a busy one."""
        try:
            until = time.monotonic() + ANSWER_LIMIT_S
            while True:
                done, _ = await asyncio.wait({sending}, timeout=PATIENCE_S)
                if done:
                    return sending.result()
                if time.monotonic() > until or not await self._lives():
                    self._away_until = time.monotonic() + AWAY_S
                    raise _Away
        finally:
            if not sending.done():
                sending.cancel()
                await asyncio.wait({sending}, timeout=1)

    async def _lives(self) -> bool:
        try:
            limit = aiohttp.ClientTimeout(total=HEALTH_LIMIT_S)
            async with self._client.get("http://agent" + LOCAL_ONLY, timeout=limit) as answer:
                return answer.status == HTTPStatus.OK
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def _socket_to(self, request: web.Request) -> web.StreamResponse:
        """The agent checks the session; we check the origin as well."""
        if not origin.is_own(request):
            raise answers.refused(403, "request.origin", "The request comes from a page of another site.")
        page = web.WebSocketResponse(max_msg_size=4096, compress=False, heartbeat=20)
        if not page.can_prepare(request):
            raise answers.refused(400, "request.websocket", "This address speaks WebSocket only.")
        headers = {name: value for name, value in _headers(request).items() if not name.startswith("Sec-WebSocket")}
        try:
            async with asyncio.timeout(PATIENCE_S):
                agent = await self._client.ws_connect(
                    URL("http://agent" + request.raw_path, encoded=True), headers=headers, heartbeat=8,
                    max_msg_size=8 * 1_048_576, compress=0,
                )  # fmt: skip
        except aiohttp.WSServerHandshakeError as error:
            if error.status in (401, 403):
                raise answers.refused(error.status, "session.none", "Log in first.") from error
            raise
        async with agent:
            request[answers.STARTED] = True
            await page.prepare(request)
            await relay(page, agent)
        return page


async def _pass_on(request: web.Request, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(status=upstream.status, reason=upstream.reason)
    for name, value in upstream.headers.items():
        if name.lower() not in HOP_BY_HOP:
            response.headers.add(name, value)
    if upstream.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        response.force_close()
    request[answers.STARTED] = True
    await response.prepare(request)
    async for chunk in upstream.content.iter_any():
        await response.write(chunk)
    await response.write_eof()
    return response


def _headers(request: web.Request) -> dict[str, str]:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
    headers["X-Forwarded-For"] = request.remote or ""
    headers["X-Forwarded-Proto"] = request.scheme
    return headers


async def _bounded(request: web.Request) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > BODY_LIMIT:
            request[TOO_LARGE] = True
            raise _Away
        yield chunk


def _too_large() -> web.Response:
    response = answers.error(413, "request.too_large", f"The body is larger than {BODY_LIMIT} bytes.")
    response.force_close()
    return response
