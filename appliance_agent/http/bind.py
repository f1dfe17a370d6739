"""One Route → one aiohttp handler that checks everything before the feature sees the request.

Order: origin, role, declared size, content type, body, query; then the handler under a time limit.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, get_origin

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from appliance_agent.http import errors, peer
from appliance_agent.http.errors import Refused
from appliance_agent.http.peer import Authenticator
from appliance_agent.http.route import Call, Role, Route
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault

BINARY = "binary"
HANDLER_LIMIT_S = 30.0
STREAM_LIMIT_S = 900.0
"""For uploads and streamed downloads, which take as long as the line does."""
BODY_READ_LIMIT_S = 30.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def json_answer(model: BaseModel, status: int = 200) -> web.Response:
    """For handlers that set cookies or headers; others return the model itself."""
    return web.Response(
        status=status, body=model.model_dump_json(by_alias=True).encode(), content_type="application/json"
    )


def bind(route: Route, auth: Authenticator) -> Handler:
    reply = None if route.reply in (None, BINARY) else TypeAdapter(route.reply)
    limit_s = None if route.socket else STREAM_LIMIT_S if route.multipart or route.reply == BINARY else HANDLER_LIMIT_S

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method not in peer.SAFE_METHODS or route.socket:
            peer.check_origin(request)
        if route.socket and not web.WebSocketResponse().can_prepare(request):
            raise Refused(400, "request.websocket", "This address speaks WebSocket only.")
        identity = await peer.identify(request, auth)
        if identity is not None:
            request[peer.LOGIN] = identity.login
        _check_role(route.role, identity.role if identity else None)
        _check_size(request, route)
        body = None
        if route.body is not None:
            body = await _body(request, route, route.body)
        query = _query(request, route.query) if route.query is not None else None
        call = Call(identity, dict(request.match_info), query, body, request)
        try:
            async with asyncio.timeout(limit_s):
                result = await route.handler(call)
        except TimeoutError as error:
            raise Fault(
                FaultKind.UNAVAILABLE, "request.timeout", f"Not done within {limit_s:g} s.", retry_after_s=5
            ) from error
        if isinstance(result, web.StreamResponse):
            return result
        if reply is None:
            return web.Response(status=204)
        # Validated on the way out as well: what is answered is what the OpenAPI document says.
        encoded = reply.dump_json(reply.validate_python(result), by_alias=True)
        return web.Response(status=route.status, body=encoded, content_type="application/json")

    return handle


def _check_role(needed: Role, role: str | None) -> None:
    if needed is Role.PUBLIC:
        return
    if role is None:
        raise Fault(FaultKind.UNAUTHENTICATED, "session.none", "Log in first: there is no session or it has ended.")
    if not needed.allows(role):
        raise Fault(FaultKind.DENIED, "session.role", f"The role {role} may not do this.")


def _check_size(request: web.Request, route: Route) -> None:
    if (request.content_length or 0) > route.body_limit:
        raise _too_large(route)
    if not route.multipart:
        return
    if request.content_type != "multipart/form-data":
        raise Refused(415, "request.media", "Send multipart/form-data.")
    if request.content_length is None:
        raise Refused(400, "request.length", "A form needs Content-Length.")


def _too_large(route: Route) -> Fault:
    return Fault(FaultKind.TOO_LARGE, "request.too_large", f"The body is larger than {route.body_limit} bytes.")


async def _body(request: web.Request, route: Route, model: type[BaseModel]) -> BaseModel:
    if request.content_type != "application/json":
        raise Refused(415, "request.media", "Send application/json.")
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_READ_LIMIT_S):
            async for chunk in request.content.iter_any():
                raw += chunk
                if len(raw) > route.body_limit:
                    raise _too_large(route)
    except TimeoutError as error:
        raise Refused(400, "request.slow", f"The body did not arrive within {BODY_READ_LIMIT_S:g} s.") from error
    try:
        return model.model_validate_json(bytes(raw), strict=True, extra="forbid")
    except ValidationError as error:
        raise errors.broken_json(error) or errors.invalid("", error) from error


def _query(request: web.Request, model: type[BaseModel]) -> BaseModel:
    lists = {
        field.alias or name
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) in (list, tuple)
    }
    data: dict[str, Any] = {}
    for key in request.query:
        values = request.query.getall(key)
        if key in lists:
            data[key] = values
        elif len(values) == 1:
            data[key] = values[0]
        else:
            path = f"query/{key}"
            raise Fault(
                FaultKind.INVALID, "request.invalid", f"{path}: given more than once",
                fields=[FieldFault(path, "given more than once")],
            )  # fmt: skip
    try:
        return model.model_validate(data, extra="forbid")
    except ValidationError as error:
        raise errors.invalid("query", error) from error
