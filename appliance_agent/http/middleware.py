"""Around every request: its log line, and failures turned into the one error format."""

import secrets
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from appliance_agent.http import errors, peer
from appliance_agent.http.errors import Refused
from appliance_agent.kernel.errors import Fault

log = structlog.get_logger()

STARTED = web.RequestKey("started", bool)
"""The status line is out: an error can no longer be told."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def mark_started(request: web.Request, _response: web.StreamResponse) -> None:
    """on_response_prepare."""
    request[STARTED] = True


@web.middleware
async def log_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    started, address = time.monotonic(), peer.address(request)
    status = 499
    """As logged when the client went away first."""
    try:
        response = await handler(request)
        status = response.status
        return response
    finally:
        resource = request.match_info.route.resource
        log.info(
            "request",
            method=request.method,
            # The template, not the path: ids and queries may name callers.
            route=resource.canonical if resource is not None else "-",
            status=status,
            ms=round((time.monotonic() - started) * 1000),
            address=address,
            login=request.get(peer.LOGIN, ""),
        )


@web.middleware
async def answer_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Fault as fault:
        response = errors.from_fault(fault)
    except Refused as refused:
        response = errors.answer(refused.status, refused.key, refused.message)
    except web.HTTPException as error:
        response = errors.from_http(error)
    except ConnectionError:
        # The client left while it was being answered; nobody reads this.
        response = web.Response(status=499)
    except Exception:
        error_id = secrets.token_hex(4)
        log.exception("request failed", error_id=error_id, method=request.method, path=request.path)
        response = errors.answer(
            500, "internal", f"The box failed at this request; its log tells why under {error_id}.",
            hint="Try again; if it fails again, give the log to support.",
        )  # fmt: skip
    if request.get(STARTED):
        # Half an answer is out: cutting the connection is the only honest end.
        if request.transport is not None:
            request.transport.close()
    elif response.status in (413, 415, 400) and request.body_exists:
        # The rest of the body was not read and must not be taken for the next request.
        response.force_close()
    return response
