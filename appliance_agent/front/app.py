"""The front as one aiohttp application."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import structlog
from aiohttp import web

from appliance_agent.front import answers
from appliance_agent.front.api_proxy import ApiProxy
from appliance_agent.front.panel import Panel
from appliance_agent.front.sip_proxy import SipProxy
from appliance_agent.store.sessions import SessionLookup
from contracts.paths import BoxPaths

log = structlog.get_logger()

ASTERISK = "ws://127.0.0.1:8088/ws"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def answer_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except answers.Refused as refused:
        return refused.answer
    except web.HTTPException as error:
        return answers.error(error.status, "http.refused", error.reason)
    except ConnectionError:
        # The page left while it was being answered.
        return web.Response(status=499)
    except Exception:
        error_id = secrets.token_hex(4)
        log.exception("request failed", error_id=error_id, method=request.method, path=request.path)
        if request.get(answers.STARTED) and request.transport is not None:
            request.transport.close()
        return answers.error(500, "internal", f"The front failed at this request; its log tells why under {error_id}.")


def application(paths: BoxPaths, asterisk: str = ASTERISK) -> web.Application:
    sessions = SessionLookup(paths.database)
    panel, api, sip = Panel(paths.panel), ApiProxy(paths.agent_socket), SipProxy(sessions, asterisk)

    async def connections(_app: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(sessions.close)
            await stack.enter_async_context(api)
            await stack.enter_async_context(sip)
            yield

    app = web.Application(middlewares=[answer_failures])
    app.on_response_prepare.append(answers.add_security_headers)
    app.cleanup_ctx.append(connections)
    app.router.add_route("*", "/api/{rest:.*}", api.handle)
    app.router.add_route("GET", "/ws", sip.handle)
    app.router.add_route("*", "/{rest:.*}", panel.handle)
    return app
