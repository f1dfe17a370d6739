"""One open channel of DAHDI on the event loop: its hook and its events."""

import asyncio
import contextlib
import select
from collections.abc import Callable, Iterator

from voicecore.dahdi_channel import Channel, Happened
from voicecore.dahdi_channel import Hook as DahdiHook
from voicecore.dahdi_error import DahdiError

from hal.errors import HalError, NotThere, Refused, TimedOut
from hal.model.inventory import ANALOG_KINDS, Port, PortKind
from hal.protocols.voice import Hook, PortEvent

_HOOKS = {Hook.ON: DahdiHook.ON, Hook.OFF: DahdiHook.OFF, Hook.FLASH: DahdiHook.FLASH, Hook.RING: DahdiHook.RING}
_EVENTS = {
    Happened.RING_BEGIN: PortEvent.RING,
    Happened.ON_HOOK: PortEvent.ON_HOOK,
    Happened.FLASH: PortEvent.FLASH,
    Happened.POLARITY: PortEvent.POLARITY,
    Happened.ALARM: PortEvent.ALARM,
    Happened.ALARM_OVER: PortEvent.ALARM_OVER,
}
"""RING_OR_OFF_HOOK depends on the port; the others are of no use to us."""


class DahdiHeldPort:
    def __init__(self, channel: Channel, port: Port, who: str, told: Callable[[DahdiError], HalError]) -> None:
        self._channel, self._port, self._who, self._told = channel, port, who, told
        self._waiting = asyncio.Event()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """An epoll is ready to be read while an event waits: that is how a loop that knows no EPOLLPRI hears of it."""
        loop = asyncio.get_running_loop()
        with select.epoll() as poll:
            poll.register(self._channel.fileno(), select.EPOLLPRI)
            loop.add_reader(poll.fileno(), self._waiting.set)
            try:
                yield
            finally:
                loop.remove_reader(poll.fileno())

    async def hook(self, position: Hook) -> None:
        kind = self._port.kind
        if kind not in ANALOG_KINDS or (position is Hook.RING and kind is PortKind.FXO):
            raise Refused(f"{self._who} is {kind}: there is no {position} on it")
        try:
            await asyncio.to_thread(self._channel.hook, _HOOKS[position])
        except DahdiError as error:
            raise self._told(error) from error

    async def next_event(self, within_s: float) -> PortEvent:
        try:
            async with asyncio.timeout(within_s):
                while True:
                    # Before the look: what comes after it sets it again.
                    self._waiting.clear()
                    if event := self._take():
                        return event
                    await self._waiting.wait()
        except TimeoutError:
            raise TimedOut(f"{self._who}: no event within {within_s} s") from None

    def _take(self) -> PortEvent | None:
        """The next one that is of use."""
        try:
            while event := self._channel.event():
                if event.kind is Happened.REMOVED:
                    raise NotThere(f"{self._who} is gone", hint="the card was pulled: probe again")
                if event.kind is Happened.RING_OR_OFF_HOOK:
                    return PortEvent.RING_OVER if self._port.kind is PortKind.FXO else PortEvent.OFF_HOOK
                if event.kind in _EVENTS:
                    return _EVENTS[event.kind]
        except DahdiError as error:
            raise self._told(error) from error
        return None
