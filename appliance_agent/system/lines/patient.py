"""Questions to drivers that may never answer: one at a time, each with a limit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from hal.errors import TimedOut

T = TypeVar("T")


class Patient:
    """While a question hangs (its thread cannot be ended) further ones are refused at once, so that a dead driver
    takes one thread and not all of them."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._hanging: asyncio.Future[Any] | None = None

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Raises TimedOut, and what the question raises."""
        if self._hanging is not None and not self._hanging.done():
            raise TimedOut("the driver has not answered the question before", hint="restart the box if it stays so")
        asked = asyncio.ensure_future(question())
        try:
            done, _ = await asyncio.wait((asked,), timeout=self._limit_s)
        except asyncio.CancelledError:
            asked.cancel()
            raise
        if not done:
            # Not cancelled: that would end the future and hide that its thread still hangs.
            self._hanging = asked
            asked.add_done_callback(_seen)
            raise TimedOut(f"the driver did not answer within {self._limit_s:g} s")
        return asked.result()


def _seen(late: "asyncio.Future[Any]") -> None:
    """What comes too late is of no use to anybody, not even as a warning of asyncio's."""
    if not late.cancelled():
        late.exception()
