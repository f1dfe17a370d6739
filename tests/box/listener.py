"""A supervisor's ear: the WebSocket of a listening through the real front, as the page speaks it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import numpy as np

from tests.box.api import Api
from tests.callers.audio import Samples, tone_share
from tests.lab.exchange import strongest_hz

RATE = 8000
FRAME_S = 0.02
FRAME_BYTES = 640
SILENCE = 0.01
"""Greatest sample of a frame in which nothing sounds, full scale 1."""


class Listener:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse, began: float, tells: bool) -> None:
        self._socket, self._tells, self._news = socket, tells, asyncio.Condition()
        self._began = began
        self.frames: list[bytes] = []
        self.came_at: list[float] = []
        """Monotonic seconds of each frame."""
        self.sounds_after_s: dict[int, float] = {}
        """Side → from the press until it sounds."""
        self.end = ""
        """The key of why it is over; "closed" when the box said nothing."""

    async def run(self) -> None:
        async for message in self._socket:
            async with self._news:
                self._take(message)
                self._news.notify_all()
            if self._tells and len(self.frames) % 5 == 0:
                await self._socket.send_str(json.dumps({"had": len(self.frames)}))
        async with self._news:
            self.end = self.end or "closed"
            self._news.notify_all()

    def _take(self, message: aiohttp.WSMessage) -> None:
        if message.type is aiohttp.WSMsgType.TEXT:
            self.end = json.loads(message.data)["key"]
            return
        assert len(message.data) == FRAME_BYTES
        self.frames.append(message.data)
        self.came_at.append(time.monotonic())
        for side in (0, 1):
            if np.max(np.abs(self.side(side, len(self.frames) - 1))) > SILENCE:
                self.sounds_after_s.setdefault(side, time.monotonic() - self._began)

    def side(self, side: int, first: int = 0) -> Samples:
        """0: what the party said, 1: what they heard."""
        frames = [np.frombuffer(frame, "<i2").reshape(2, -1)[side] for frame in self.frames[first:]]
        return np.concatenate(frames).astype(np.float64) / 32768 if frames else np.zeros(0)

    async def hears(self, seconds: float, limit_s: float = 20.0) -> tuple[Samples, Samples]:
        """So much from now on, both sides."""
        first = len(self.frames)
        wanted = first + round(seconds / FRAME_S)
        async with asyncio.timeout(limit_s), self._news:
            await self._news.wait_for(lambda: len(self.frames) >= wanted or self.end)
        assert not self.end, f"it ended: {self.end}"
        return self.side(0, first), self.side(1, first)

    async def hears_tone(self, side: int, tone_hz: float, limit_s: float = 20.0) -> None:
        """Until half a second of that side is the tone."""
        await self.hears_any(side, {tone_hz}, limit_s)

    async def hears_any(self, side: int, tones_hz: set[float], limit_s: float = 20.0) -> None:
        """Until half a second of that side is one of the tones."""
        end, sound = time.monotonic() + limit_s, np.zeros(0)
        while all(tone_share(sound, RATE, hz) < 0.9 for hz in tones_hz):
            assert time.monotonic() < end, f"side {side} hears none of {tones_hz}: {strongest_hz(sound):.0f} Hz"
            sound = (await self.hears(0.5, limit_s))[side]

    async def tell(self) -> None:
        """What it has had; from now on always."""
        self._tells = True
        await self._socket.send_str(json.dumps({"had": len(self.frames)}))

    async def both_sound(self, limit_s: float = 20.0) -> None:
        async with asyncio.timeout(limit_s), self._news:
            await self._news.wait_for(lambda: len(self.sounds_after_s) == 2 or self.end)
        assert not self.end, f"it ended: {self.end}"

    async def over(self, limit_s: float = 20.0) -> str:
        """Why."""
        async with asyncio.timeout(limit_s), self._news:
            await self._news.wait_for(lambda: self.end)
        return self.end

    async def stop(self) -> None:
        await self._socket.close()


@asynccontextmanager
async def listening(api: Api, call_id: str, *, tells: bool = True) -> AsyncIterator[Listener]:
    """`tells`: whether the page says what it has had, as it must."""
    began = time.monotonic()
    path = f"{api.url}/api/v1/calls/{call_id}/listen"
    async with api.http.ws_connect(path, headers={"Origin": api.url}, compress=0) as socket:
        listener = Listener(socket, began, tells)
        reading = asyncio.create_task(listener.run(), name="listener")
        try:
            yield listener
        finally:
            await socket.close()
            await reading
