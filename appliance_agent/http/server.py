"""The agent's HTTP server on its Unix socket: routes, events, the OpenAPI document."""

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import structlog
from aiohttp import web

from appliance_agent.http import bind, middleware, openapi
from appliance_agent.http.hub import EventsHub
from appliance_agent.http.peer import Authenticator
from appliance_agent.http.route import Route

log = structlog.get_logger()

SOCKET_MODE = 0o660
"""The front's user is in our group; nobody else talks to the agent without the front's checks."""
STOP_LIMIT_S = 2.0


def application(routes: Sequence[Route], auth: Authenticator, hub: EventsHub | None, version: str) -> web.Application:
    app = web.Application(middlewares=[middleware.log_request, middleware.answer_failures])
    app.on_response_prepare.append(middleware.mark_started)
    for route in routes:
        app.router.add_route(route.method, openapi.PREFIX + route.path, bind.bind(route, auth))
    # Made when it is asked for: it is a fifth of a second of computing, which no start of the agent needs.
    document = cache(lambda: openapi.document(routes, version))

    async def describe(_request: web.Request) -> web.Response:
        return web.json_response(document())

    async def live(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    app.router.add_route("GET", "/api/openapi.json", describe)
    # Not in the document: the front asks it and does not pass it on.
    app.router.add_route("GET", openapi.PREFIX + "/health", live)
    if hub is not None:
        app.router.add_route("GET", openapi.PREFIX + "/events", hub.handle)
    return app


class ApiServer:
    name = "http"

    def __init__(self, app: web.Application, hub: EventsHub, socket: Path) -> None:
        self._app, self._hub, self._socket = app, hub, socket
        self.listening = asyncio.Event()

    async def run(self) -> None:
        runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=STOP_LIMIT_S)
        await runner.setup()
        try:
            await web.UnixSite(runner, str(self._socket)).start()
            await asyncio.to_thread(self._socket.chmod, SOCKET_MODE)
            self.listening.set()
            await asyncio.Event().wait()
        finally:
            self.listening.clear()
            async with asyncio.timeout(STOP_LIMIT_S * 2):
                await self._hub.close()
                await runner.cleanup()
