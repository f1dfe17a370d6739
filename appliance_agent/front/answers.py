"""What the front says itself, in the API's error format, and the headers every answer carries."""

import json
from typing import Any

from aiohttp import web

SECURITY_HEADERS = {
    # Nothing from elsewhere, nothing inline: what the panel's scripts set through the DOM needs no permission.
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
}


STARTED = web.RequestKey("started", bool)
"""The agent's answer is on its way: an error can no longer be told."""


class Refused(Exception):
    """Ends a request with this answer."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def refused(status: int, key: str, message: str, *, retry_after_s: int | None = None) -> Refused:
    return Refused(error(status, key, message, retry_after_s=retry_after_s))


def error(status: int, key: str, message: str, *, hint: str = "", retry_after_s: int | None = None) -> web.Response:
    body: dict[str, Any] = {"error": {"key": key, "message": message, "hint": hint, "fields": []}}
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(status=status, text=text, content_type="application/json", headers=headers)


def agent_away() -> web.Response:
    return error(
        503, "agent.unavailable", "The box's manager is restarting; calls go on.",
        hint="The page tries again by itself.", retry_after_s=1,
    )  # fmt: skip


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """on_response_prepare."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
