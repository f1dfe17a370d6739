"""Taps: what a channel's party says and hears, as RTP to a port of ours. Neither the channel nor its call notices.

Each side is a snoop channel and a channel of RTP in a bridge of their own. Everything we make bears an id that begins
with contracts.journal.LISTENING, by which it is told from calls, and found again when the agent was killed meanwhile.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping
from enum import StrEnum

import structlog

from appliance_agent.asterisk.ari import APPLICATION, Ari
from appliance_agent.asterisk.faults import first_fault, unavailable
from appliance_agent.asterisk.models import AppEntered, AppLeft
from appliance_agent.kernel.bus import Bus, Gap, Subscription
from appliance_agent.kernel.errors import Fault
from contracts.journal import LISTENING

log = structlog.get_logger()

OPEN_S = 3.0
CLOSE_S = 3.0
MEDIA = {
    "app": APPLICATION, "format": "alaw", "encapsulation": "rtp", "transport": "udp", "connection_type": "client",
    "direction": "both",
}  # fmt: skip


class Side(StrEnum):
    """Of a channel, as ARI names them."""

    SAID = "in"
    """By the party at the channel."""
    HEARD = "out"
    """By them: what the other party, music or a menu says."""


class Taps:
    def __init__(self, ari: Ari, bus: Bus) -> None:
        self._ari, self._bus = ari, bus
        self._open: set[str] = set()

    @contextlib.asynccontextmanager
    async def open(self, channel: str, ports: Mapping[Side, int]) -> AsyncIterator[asyncio.Event]:
        """A-law to these ports of 127.0.0.1, while inside; `channel` is a unique id. The event is set when a tap has
        ended by itself, as it does with its channel, or may have. Raises Fault: NOT_FOUND when there is no such
        channel."""
        tap = f"{LISTENING}{secrets.token_hex(4)}"
        self._open.add(tap)
        try:
            with self._bus.subscribe(AppEntered, AppLeft, limit=10_000) as events:
                await self._make(events, tap, channel, ports)
                ended = asyncio.Event()
                watching = asyncio.create_task(_watch(events, tap, ended), name="tap")
                try:
                    yield ended
                finally:
                    watching.cancel()
        finally:
            await self._remove({tap})
            self._open.discard(tap)

    async def sweep(self) -> None:
        """Removes what an agent before us left open. Raises Fault."""
        there = [str(one["id"]) for one in await self._ari.request("GET", "/channels")]
        there += [str(one["id"]) for one in await self._ari.request("GET", "/bridges")]
        left = {tap for tap in map(_tap, there) if tap} - self._open
        if left:
            log.info("taps left open are removed", taps=len(left))
            await self._remove(left)

    async def _make(self, events: Subscription, tap: str, channel: str, ports: Mapping[Side, int]) -> None:
        wanted = {f"{tap}-{what}-{side}" for side in ports for what in ("spy", "media")}
        try:
            async with asyncio.timeout(OPEN_S), asyncio.TaskGroup() as tasks:
                for side, port in ports.items():
                    tasks.create_task(self._make_side(tap, channel, side, port), name=f"tap {side}")
                while wanted:
                    event = await events.get()
                    if isinstance(event, AppEntered):
                        wanted.discard(event.uniqueid)
            for side in ports:
                both = f"{tap}-spy-{side},{tap}-media-{side}"
                await self._ari.request("POST", f"/bridges/{tap}-{side}/addChannel", params={"channel": both})
        except TimeoutError:
            raise unavailable(f"Asterisk did not open a tap within {OPEN_S:g} s") from None
        except BaseExceptionGroup as group:
            raise first_fault(group) from None

    async def _make_side(self, tap: str, channel: str, side: Side, port: int) -> None:
        await self._ari.request("POST", f"/bridges/{tap}-{side}", params={"type": "mixing"})
        spy = {"spy": side.value, "whisper": "none", "app": APPLICATION}
        await self._ari.request("POST", f"/channels/{channel}/snoop/{tap}-spy-{side}", params=spy)
        media = MEDIA | {"channelId": f"{tap}-media-{side}", "external_host": f"127.0.0.1:{port}"}
        await self._ari.request("POST", "/channels/externalMedia", params=media)

    async def _remove(self, taps: set[str]) -> None:
        """Also what is half made, or half gone. What cannot be removed now is swept when Asterisk is there again."""
        paths = [
            path
            for tap in taps
            for side in Side
            for path in (f"/channels/{tap}-spy-{side}", f"/channels/{tap}-media-{side}", f"/bridges/{tap}-{side}")
        ]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await asyncio.gather(*map(self._delete, paths))

    async def _delete(self, path: str) -> None:
        with contextlib.suppress(Fault):
            await self._ari.request("DELETE", path, timeout_s=CLOSE_S)


def _tap(id_: str) -> str:
    """The tap that a channel or bridge belongs to; "" for what is none of ours."""
    return "-".join(id_.split("-")[:2]) if id_.startswith(LISTENING) else ""


async def _watch(events: Subscription, tap: str, ended: asyncio.Event) -> None:
    async for event in events:
        if isinstance(event, Gap) or (isinstance(event, AppLeft) and _tap(event.uniqueid) == tap):
            ended.set()
