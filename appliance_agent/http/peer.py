"""Who is at the other end: address, own origin, cookie. Forwarded headers count on our Unix socket only."""

import ipaddress
import socket
from typing import Protocol

from aiohttp import web

from appliance_agent.http.route import Identity
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.store.sessions import COOKIE

LOGIN = web.RequestKey("login", str)
"""For the request's log line."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Authenticator(Protocol):
    async def identify(self, token: str) -> Identity | None:
        """The live session of this cookie, or None. Counts as activity of the session."""
        ...


def _behind_front(request: web.Request) -> bool:
    """Only the front reaches our Unix socket (mode 0660), so only there its headers are believed."""
    transport = request.transport
    # A TLS transport that was closed meanwhile cannot even be asked.
    sock = transport.get_extra_info("socket") if transport is not None and not transport.is_closing() else None
    return sock is not None and sock.family == socket.AF_UNIX


def address(request: web.Request) -> str:
    if not _behind_front(request):
        return request.remote or "unknown"
    forwarded = request.headers.get("X-Forwarded-For", "")
    try:
        return str(ipaddress.ip_address(forwarded))
    except ValueError:
        return "local"


def is_https(request: web.Request) -> bool:
    if _behind_front(request):
        return request.headers.get("X-Forwarded-Proto") == "https"
    return request.secure


def own_origin(request: web.Request) -> str:
    return f"{'https' if is_https(request) else 'http'}://{request.host}".lower()


def check_origin(request: web.Request, *, required: bool = False) -> None:
    """Raises Fault DENIED on a foreign Origin: another site's page must not act with this user's cookie."""
    origin = request.headers.get("Origin")
    if origin is None and not required:
        return
    if origin is None or origin.lower() != own_origin(request):
        raise Fault(FaultKind.DENIED, "request.origin", "The request comes from a page of another site.")


async def identify(request: web.Request, auth: Authenticator) -> Identity | None:
    token = request.cookies.get(COOKIE)
    return await auth.identify(token) if token else None
