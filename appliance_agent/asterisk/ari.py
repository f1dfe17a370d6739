"""ARI: REST calls with time-outs and typed errors, and the event WebSocket of our application."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from appliance_agent.asterisk.faults import unavailable
from appliance_agent.kernel.errors import Fault, FaultKind

APPLICATION = "sa800"
REQUEST_S = 5.0
HEARTBEAT_S = 5.0
MAX_BODY_BYTES = 8 * 1024 * 1024
WANTED_EVENTS = ("EndpointStateChange", "ContactStatusChange", "StasisStart", "StasisEnd")
"""Calls are followed by AMI, whose one stream has linkedid and queue events (docs/adr/0008). Stasis…: channels of ours
that listen."""

_KINDS = {
    400: FaultKind.INVALID,
    401: FaultKind.UNAVAILABLE,
    403: FaultKind.UNAVAILABLE,
    404: FaultKind.NOT_FOUND,
    409: FaultKind.CONFLICT,
    412: FaultKind.CONFLICT,
    422: FaultKind.INVALID,
}


class Ari:
    """Use inside `async with ari.open(...)`; outside of it every request raises Fault(UNAVAILABLE)."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 8088) -> None:
        self._base = f"http://{host}:{port}/ari"
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def open(self, username: str, password: str) -> AsyncIterator[None]:
        auth = aiohttp.encode_basic_auth(username, password)
        async with aiohttp.ClientSession(headers={"Authorization": auth}) as session:
            self._session = session
            try:
                yield
            finally:
                self._session = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        timeout_s: float = REQUEST_S,
    ) -> Any:
        """The decoded answer, None for 204. Fault: NOT_FOUND, CONFLICT, INVALID with key "ari.refused" and Asterisk's
        own words; UNAVAILABLE when it does not answer in time, or answers 5xx."""
        if self._session is None:
            raise unavailable("Asterisk is not connected")
        try:
            async with asyncio.timeout(timeout_s):
                async with self._session.request(method, self._base + path, params=params, json=body) as answer:
                    text = await _limited(answer)
        except (aiohttp.ClientError, OSError) as error:
            raise unavailable(f"ARI does not answer: {error}") from error
        except TimeoutError:
            raise unavailable(f"ARI did not answer {method} {path} within {timeout_s:g} s") from None
        if answer.status >= 400:
            kind = _KINDS.get(answer.status, FaultKind.UNAVAILABLE)
            raise Fault(kind, "ari.refused", f"Asterisk refused {method} {path}: {answer.status} {_words(text)}")
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            raise unavailable(f"ARI answered {method} {path} with no JSON: {text[:80]!r}") from error

    async def serve_events(self, on_event: Callable[[dict[str, Any]], None], ready: asyncio.Event) -> None:
        """Subscribe to everything, tell `on_event` what is in WANTED_EVENTS, until the socket ends: always a Fault."""
        if self._session is None:
            raise unavailable("Asterisk is not connected")
        params = {"app": APPLICATION, "subscribeAll": "true"}
        try:
            async with self._session.ws_connect(
                self._base + "/events", params=params, heartbeat=HEARTBEAT_S, max_msg_size=MAX_BODY_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            ) as socket:  # fmt: skip
                await self.request(
                    "PUT", f"/applications/{APPLICATION}/eventFilter",
                    body={"allowed": [{"type": name} for name in WANTED_EVENTS]},
                )  # fmt: skip
                ready.set()
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        on_event(json.loads(message.data))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise unavailable(f"the ARI event socket ended: {error}") from error
        raise unavailable("Asterisk closed the ARI event socket")


async def _limited(answer: aiohttp.ClientResponse) -> str:
    data = bytearray()
    async for chunk in answer.content.iter_chunked(65536):
        data += chunk
        if len(data) > MAX_BODY_BYTES:
            raise unavailable(f"ARI answered with more than {MAX_BODY_BYTES} bytes")
    return data.decode("utf-8", "replace")


def _words(text: str) -> str:
    try:
        said = json.loads(text)
        return str(said.get("message") or said.get("error") or said) if isinstance(said, dict) else text[:200]
    except ValueError:
        return text[:200]
