"""In-process events between parts that do not know each other. Bounded: a slow subscriber loses events and is told."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Gap:
    """Put in place of what a slow subscriber lost: read your state anew."""


class Subscription:
    def __init__(self, types: tuple[type, ...], limit: int) -> None:
        self._types = types
        self._queue: asyncio.Queue[Any] = asyncio.Queue(limit + 1)
        self._limit = limit
        self._lost = False

    def offer(self, event: object) -> None:
        if not isinstance(event, self._types) or self._lost:
            return
        if self._queue.qsize() >= self._limit:
            self._lost = True
            self._queue.put_nowait(Gap())
            return
        self._queue.put_nowait(event)

    async def get(self) -> Any:
        event = await self._queue.get()
        if isinstance(event, Gap):
            self._lost = False
        return event

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            yield await self.get()


class Bus:
    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    def publish(self, event: object) -> None:
        """Never blocks, never raises. Call on the event loop's thread."""
        for subscription in self._subscriptions:
            subscription.offer(event)

    @contextmanager
    def subscribe(self, *types: type, limit: int = 1000) -> Iterator[Subscription]:
        subscription = Subscription(types, limit)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)
