"""What waits for one page. Bounded twice: here, and on the way, where the page tells how much it has had.

Without the page's word, buffers of sockets between here and there would hold many seconds of old sound for a slow line.
"""

import asyncio
from collections import deque

QUEUE_FRAMES = 25
"""0.5 s. What is older is left out, oldest first."""
UNTOLD_FRAMES = 25
"""0.5 s: so much may be under way of which the page has not yet told that it came."""


class Frames:
    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque(maxlen=QUEUE_FRAMES)
        self._taken = self._had = 0
        self._news = asyncio.Event()
        self.lost = 0
        """Left out because the page was slow."""

    def offer(self, frame: bytes) -> None:
        """Never waits."""
        self.lost += len(self._waiting) == QUEUE_FRAMES
        self._waiting.append(frame)
        self._news.set()

    def had(self, count: int) -> None:
        """The page has had so many frames since it began; a number that cannot be is cut to what can."""
        self._had = max(self._had, min(count, self._taken))
        self._news.set()

    async def take(self) -> bytes:
        """The oldest frame, once there is one and the page is not behind."""
        while not self._waiting or self._taken - self._had >= UNTOLD_FRAMES:
            self._news.clear()
            await self._news.wait()
        self._taken += 1
        return self._waiting.popleft()
