"""Requests to headquarters: bounded, and every way they can go wrong is one error with a key."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

MOST_ANSWER = 64 * 1024
ANSWER_S = 60.0
CONNECT_S = 10.0


class Away(Exception):
    """HQ did not answer as agreed. `key`: unreachable | tls | garbage | refused."""

    def __init__(self, key: str, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.key, self.message, self.status = key, message, status


class Behind(Exception):
    """409: the batch begins beyond what HQ has. Its answer is the mark."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__("HQ has less than this batch begins with")
        self.answer = answer


def parse_address(text: str) -> str:
    """host or host:port → host:port. Raises ValueError."""
    host, colon, port = text.strip().rpartition(":")
    host, port = (host, port) if colon else (port, "443")
    good = host and len(host) <= 253 and all(c.isascii() and (c.isalnum() or c in "-._") for c in host)
    if not (good and port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ValueError(f"{text!r} is not a name or IPv4 address, with :port when that is not 443")
    return f"{host}:{int(port)}"


@asynccontextmanager
async def session(context: ssl.SSLContext) -> AsyncIterator[aiohttp.ClientSession]:
    limits = aiohttp.ClientTimeout(total=ANSWER_S, connect=CONNECT_S)
    connector = aiohttp.TCPConnector(ssl=context, limit=4)
    async with aiohttp.ClientSession(connector=connector, timeout=limits, trust_env=False) as made:
        yield made


async def ask(http: aiohttp.ClientSession, method: str, url: str, **what: Any) -> dict[str, Any]:
    """The JSON object of a 200. Raises Away; Behind for a 409 with a mark."""
    status, body = await fetch(http, method, url, **what)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if status == 409 and isinstance(answer, dict) and "error" not in answer:
        raise Behind(answer)
    if status != 200:
        raise Away("refused", f"HQ answers {status}: {_words(answer)}", status)
    if not isinstance(answer, dict):
        raise Away("garbage", "HQ's answer is no JSON object")
    return answer


async def fetch(http: aiohttp.ClientSession, method: str, url: str, **what: Any) -> tuple[int, bytes]:
    """Status and body, at most MOST_ANSWER bytes of it."""
    try:
        async with http.request(method, url, allow_redirects=False, **what) as response:
            body = bytearray()
            async for piece in response.content.iter_chunked(8192):
                body += piece
                if len(body) > MOST_ANSWER:
                    raise Away("garbage", f"HQ's answer has more than {MOST_ANSWER} bytes")
            return response.status, bytes(body)
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        raise Away("tls", f"no trusted connection to HQ: {error}") from error
    except (aiohttp.ClientError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise Away("unreachable", f"HQ does not answer: {error or type(error).__name__}") from error


def _words(answer: Any) -> str:
    error = answer.get("error") if isinstance(answer, dict) else None
    return str(error.get("message") or error)[:200] if isinstance(error, dict) else "no reason given"
