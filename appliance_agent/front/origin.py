"""Whose page is asking: another site's page must not use our user's cookie. Browsers name it on every WebSocket."""

from aiohttp import web


def own_origin(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}".lower()


def is_own(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is not None and origin.lower() == own_origin(request)
