"""Spans and ports by DAHDI's ioctls (voicecore): it can act. What sysfs shows is read there, as in `voice.py`.

Each request that changes something is logged with its span or channel: that nothing else was touched can be read there.
"""

import asyncio
import contextlib
import errno
import logging
from collections.abc import AsyncIterator, Callable, Set
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TypeVar

from voicecore import dahdi
from voicecore.dahdi_channel import Channel
from voicecore.dahdi_error import DahdiError

from hal.capabilities import Capability, require
from hal.errors import DeviceFailed, HalError, NotSupported, NotThere, Refused, TimedOut
from hal.linux import assign
from hal.linux.held import DahdiHeldPort
from hal.linux.span_folder import SpanFolder
from hal.linux.tap import DahdiTap, tapped
from hal.linux.voice import SysfsModule, SysfsPort, SysfsSpan
from hal.model.inventory import ANALOG_KINDS, Card, Port, PortKind, Span
from hal.protocols.voice import (
    SIGNALLINGS,
    ChannelConfig,
    ChannelState,
    Coding,
    Law,
    LineConfig,
    Loop,
    Signalling,
    SpanCounters,
    check_timeslot,
)

T = TypeVar("T")
log = logging.getLogger("hal.dahdi")

SPAN_CAN = frozenset({Capability.SPAN_STATE, Capability.SPAN_CONFIGURE, Capability.SPAN_COUNTERS})
PORT_CAN = frozenset({Capability.PORT_STATE, Capability.PORT_CONFIGURE, Capability.PORT_EVENTS, Capability.PORT_TAP})
EMULATED = "dynamic"
"""Family of spans without hardware: they take any framing and have none, and no loops."""

_LAWS = {Law.DEFAULT: dahdi.Law.DEFAULT, Law.A: dahdi.Law.ALAW, Law.U: dahdi.Law.ULAW}
_LAW_OF = {theirs: ours for ours, theirs in _LAWS.items()}
_LOOPS = {None: dahdi.Loop.NONE, Loop.LOCAL: dahdi.Loop.LOCAL, Loop.REMOTE: dahdi.Loop.REMOTE}


def as_hal_error(error: DahdiError) -> HalError:
    kinds: dict[int | None, type[HalError]] = {
        errno.EBUSY: Refused,
        errno.EINVAL: Refused,
        errno.ENODATA: Refused,
        errno.ENOENT: NotThere,
        errno.ENODEV: NotThere,
        errno.ENXIO: NotThere,
        errno.ENOSYS: NotSupported,
        errno.ENOTTY: NotSupported,
        errno.ETIMEDOUT: TimedOut,
    }
    return kinds.get(error.errno, DeviceFailed)(f"{error.request} on {error.where}: {error.strerror}")


def _ask(request: Callable[[dahdi.Control], T]) -> T:
    """One visit to the control file. Blocking."""
    try:
        with dahdi.Control() as control:
            return request(control)
    except DahdiError as error:
        raise as_hal_error(error) from error


class DahdiSpan(SysfsSpan):
    def __init__(self, folder: SpanFolder, span: Span, family: str | None) -> None:
        super().__init__(folder, span)
        self._digital = any(port.kind is PortKind.E1 for port in span.ports)
        loops = self._digital and family != EMULATED
        self.capabilities: Set[Capability] = SPAN_CAN | ({Capability.SPAN_LOOPBACK} if loops else set())

    async def configure(self, line: LineConfig, clock_order: int = 0) -> None:
        if not self._digital:
            raise Refused(f"{self._who} is analog: it has no framing")
        words = dahdi.Line.HDB3 if line.coding is Coding.HDB3 else dahdi.Line.AMI
        words |= dahdi.Line.CCS if line.common_channel else dahdi.Line(0)
        words |= dahdi.Line.CRC4 if line.crc4 else dahdi.Line(0)
        doing = f"DAHDI_SPANCONFIG span %d: {words!r}, clock {clock_order}"
        await self._act(doing, lambda control, number: control.configure_span(number, words, clock_order))

    async def start(self) -> None:
        await self._act("DAHDI_STARTUP span %d", dahdi.Control.start_span)

    async def counters(self) -> SpanCounters:
        """Drivers count a fault under one name or another, never under both."""
        info = await self._visit(dahdi.Control.span)
        return SpanCounters(
            code_violations=max(info.code_violations, info.bipolar_violations),
            crc4_errors=info.crc4_errors,
            e_bits=info.e_bits,
            frame_errors=max(info.frame_errors, info.alignment_errors),
            errored_seconds=info.errored_seconds,
            missed_interrupts=info.missed_interrupts,
        )

    async def loop(self, where: Loop | None) -> None:
        require(Capability.SPAN_LOOPBACK, self.capabilities, self._who)
        doing = f"DAHDI_MAINT span %d: {where or 'no'} loop"
        await self._act(doing, lambda control, number: control.loop_span(number, _LOOPS[where]))

    async def _act(self, doing: str, request: Callable[[dahdi.Control, int], None]) -> None:
        log.info(doing, self._span.number)
        await self._visit(request)

    async def _visit(self, request: Callable[[dahdi.Control, int], T]) -> T:
        def visit() -> T:
            self._folder.make_sure()
            number = self._span.number
            assert number is not None, "make_sure has looked"
            return _ask(lambda control: request(control, number))

        return await asyncio.to_thread(visit)


class DahdiPort(SysfsPort):
    def __init__(self, folder: SpanFolder, port: Port) -> None:
        super().__init__(folder, port)
        self.capabilities: Set[Capability] = PORT_CAN
        if port.kind in ANALOG_KINDS:
            self.capabilities |= {Capability.PORT_HOOK}

    def _number(self, timeslot: int) -> int:
        """DAHDI's number of the channel, made sure that it is this port's. Blocking."""
        check_timeslot(self._port, timeslot, self._who)
        self._folder.make_sure()
        assert self._port.channel is not None, "make_sure has looked"
        return self._port.channel + timeslot - 1

    def _channel(self, timeslot: int) -> ChannelState:
        state = super()._channel(timeslot)
        number = self._number(timeslot)
        info = _ask(lambda control: control.channel(number))
        bits = info.idle_bits if state.signalling is Signalling.CAS else None
        return replace(state, law=_LAW_OF[info.law], idle_bits=bits)

    async def configure(self, config: ChannelConfig, timeslot: int = 1) -> None:
        await asyncio.to_thread(self._configure, config, timeslot)

    def _configure(self, config: ChannelConfig, timeslot: int) -> None:
        who = f"channel {timeslot} of {self._who}"
        number = self._number(timeslot)
        if super()._channel(timeslot).open:
            raise Refused(f"{who} is in use", hint="take it out of service first")
        if self._port.kind in SIGNALLINGS and config.signalling not in SIGNALLINGS[self._port.kind]:
            raise Refused(f"{self._who} is {self._port.kind}: it cannot do {config.signalling}")
        signalling = dahdi.Signalling[config.signalling.name]
        log.info("DAHDI_ATTACH_ECHOCAN channel %d: %s", number, config.echo_canceller or "none")
        try:
            with dahdi.Control() as control:
                control.attach_echo_canceller(number, config.echo_canceller or "")
        except DahdiError as error:
            raise Refused(f"{who} has no echo canceller {config.echo_canceller!r}: {error.strerror}") from error
        log.info("DAHDI_CHANCONFIG channel %d: %s, %s", number, config.signalling, config.law)
        law, bits = _LAWS[config.law], config.idle_bits
        _ask(lambda control: control.configure_channel(number, signalling, law, bits))

    def hold(self, timeslot: int = 1) -> AbstractAsyncContextManager[DahdiHeldPort]:
        return self._hold(timeslot)

    @contextlib.asynccontextmanager
    async def _hold(self, timeslot: int) -> AsyncIterator[DahdiHeldPort]:
        channel = await asyncio.to_thread(self._open, timeslot)
        try:
            held = DahdiHeldPort(channel, self._port, self._who, as_hal_error)
            with held.listening():
                yield held
        finally:
            log.info("close channel %d", channel.number)
            channel.close()

    def _open(self, timeslot: int) -> Channel:
        number = self._number(timeslot)
        if super()._channel(timeslot).signalling is Signalling.NONE:
            raise Refused(f"channel {timeslot} of {self._who} is not configured", hint="configure it first")
        log.info("open channel %d", number)
        try:
            return Channel(number)
        except DahdiError as error:
            if error.errno == errno.EBUSY:
                raise Refused(f"{self._who} is in use", hint="take it out of service first") from error
            raise as_hal_error(error) from error

    def tap(self, timeslot: int = 1, *, speak: bool = True) -> AbstractAsyncContextManager[DahdiTap]:
        return self._tap(timeslot, speak)

    @contextlib.asynccontextmanager
    async def _tap(self, timeslot: int, speak: bool) -> AsyncIterator[DahdiTap]:
        number = await asyncio.to_thread(self._number, timeslot)
        log.info("tap channel %d%s", number, "" if speak else ", only to hear")
        try:
            async with tapped(number, speak=speak) as tap:
                yield tap
        except DahdiError as error:
            raise as_hal_error(error) from error
        finally:
            log.info("tap of channel %d ends", number)


class DahdiModule(SysfsModule):
    def __init__(self, card: Card) -> None:
        super().__init__(card)
        spans = [self.span(span).capabilities for span in card.spans]
        ports = [self.port(port).capabilities for port in card.ports]
        self.capabilities: Set[Capability] = frozenset({Capability.SPAN_ASSIGN}).union(*spans, *ports)

    def span(self, span: Span) -> DahdiSpan:
        return DahdiSpan(self._folders[span.local], span, self.card.family)

    def port(self, port: Port) -> DahdiPort:
        return DahdiPort(self._folders[port.span], port)

    async def assign(self, span: Span, number: int, first_channel: int) -> None:
        log.info("assign_span span %d of %s: %d, channels from %d", span.local, self.card.id, number, first_channel)
        await asyncio.to_thread(assign.assign, self.card, span, number, first_channel)
