"""Spans and ports as sysfs shows them: it can look. What acts (configure, hook, loop, counters, events) takes DAHDI's
ioctls: `dahdi.py` adds those, where voicecore can be imported, and declares more."""

import asyncio
import functools
from collections.abc import Callable, Sequence, Set
from contextlib import AbstractAsyncContextManager
from typing import NoReturn, TypeVar

from hal.capabilities import Capability
from hal.errors import NotSupported, NotThere
from hal.linux.span_folder import OpenFolder, SpanFolder
from hal.model.inventory import Card, Port, Span
from hal.protocols.linetest import Tap
from hal.protocols.voice import (
    Alarm,
    ChannelConfig,
    ChannelState,
    Coding,
    HeldPort,
    LineConfig,
    Look,
    Loop,
    PortState,
    Signalling,
    SpanCounters,
    SpanState,
    check_timeslot,
)

T = TypeVar("T")

CAN = frozenset({Capability.SPAN_STATE, Capability.PORT_STATE})

_ALARM_BITS = {
    0x01: Alarm.RECOVERING,
    0x02: Alarm.LOOP,
    0x04: Alarm.YELLOW,
    0x08: Alarm.RED,
    0x10: Alarm.BLUE,
    0x20: Alarm.NOT_OPEN,
}
"""DAHDI_ALARM_* in dahdi/user.h."""
_ALARM_WORDS = {
    "RECOVERING": Alarm.RECOVERING,
    "LOOP": Alarm.LOOP,
    "YELLOW": Alarm.YELLOW,
    "RED": Alarm.RED,
    "BLUE": Alarm.BLUE,
    "NOTOPEN": Alarm.NOT_OPEN,
}
_UNCONFIGURED = "Unconfigured"
_SIGNALLING = {
    _UNCONFIGURED: Signalling.NONE,
    "FXSKS": Signalling.FXS_KEWL,
    "FXOKS": Signalling.FXO_KEWL,
    "FXSLS": Signalling.FXS_LOOP,
    "FXOLS": Signalling.FXO_LOOP,
    "Clear": Signalling.BEARER,
    "HDLCFCS": Signalling.DATA_LINK,
    "Hardware-assisted HDLC": Signalling.HARD_DATA_LINK,
    "MTP2": Signalling.MTP2,
    "CAS": Signalling.CAS,
}
"""sigstr() in dahdi-base.c."""


def _refuse(capability: Capability, who: str) -> NoReturn:
    raise NotSupported(f"{who} does not support {capability}", hint="sysfs shows spans and ports; DAHDI's ioctls act")


class SysfsSpan:
    capabilities: Set[Capability] = CAN & {Capability.SPAN_STATE}

    def __init__(self, folder: SpanFolder, span: Span) -> None:
        self._folder, self._span = folder, span
        self._who = folder.who

    async def state(self) -> SpanState:
        return await asyncio.to_thread(self._folder.read, _span_state)

    async def configure(self, line: LineConfig, clock_order: int = 0) -> None:
        _refuse(Capability.SPAN_CONFIGURE, self._who)

    async def start(self) -> None:
        _refuse(Capability.SPAN_CONFIGURE, self._who)

    async def counters(self) -> SpanCounters:
        _refuse(Capability.SPAN_COUNTERS, self._who)

    async def loop(self, where: Loop | None) -> None:
        _refuse(Capability.SPAN_LOOPBACK, self._who)


class SysfsPort:
    capabilities: Set[Capability] = CAN & {Capability.PORT_STATE}

    def __init__(self, folder: SpanFolder, port: Port) -> None:
        self._folder, self._port = folder, port
        self._who = f"port {port.position} of {folder.who}"

    async def state(self) -> PortState:
        """Of an E1: the signalling of its first channel, open when any channel is."""
        return await asyncio.to_thread(self._folder.read, functools.partial(_port_state, self._folder, self._port))

    async def channel(self, timeslot: int = 1) -> ChannelState:
        return await asyncio.to_thread(self._channel, timeslot)

    def _channel(self, timeslot: int) -> ChannelState:
        check_timeslot(self._port, timeslot, self._who)
        position = self._port.position + timeslot - 1
        return self._folder.read(functools.partial(_channel_state, self._folder, position))

    async def configure(self, config: ChannelConfig, timeslot: int = 1) -> None:
        _refuse(Capability.PORT_CONFIGURE, self._who)

    def hold(self, timeslot: int = 1) -> AbstractAsyncContextManager[HeldPort]:
        _refuse(Capability.PORT_EVENTS, self._who)

    def tap(self, timeslot: int = 1, *, speak: bool = True) -> AbstractAsyncContextManager[Tap]:
        _refuse(Capability.PORT_TAP, self._who)


class SysfsModule:
    capabilities: Set[Capability] = CAN

    def __init__(self, card: Card) -> None:
        self.card = card
        self._folders = {span.local: SpanFolder(card, span) for span in card.spans}

    def span(self, span: Span) -> SysfsSpan:
        return SysfsSpan(self._folders[span.local], span)

    def port(self, port: Port) -> SysfsPort:
        return SysfsPort(self._folders[port.span], port)

    async def look(self, spans: Sequence[Span], ports: Sequence[Port]) -> Look:
        return await asyncio.to_thread(self._look, spans, ports)

    def _look(self, spans: Sequence[Span], ports: Sequence[Port]) -> Look:
        return Look(
            tuple(_if_there(self._folders[span.local], _span_state) for span in spans),
            tuple(
                _if_there(folder, functools.partial(_port_state, folder, port))
                for port in ports
                for folder in [self._folders[port.span]]
            ),
        )

    async def assign(self, span: Span, number: int, first_channel: int) -> None:
        _refuse(Capability.SPAN_ASSIGN, str(self.card.id))


# ── what the folder of a span tells; None: something of it is gone ─────────────────────────────────────
def _if_there(folder: SpanFolder, look: Callable[[OpenFolder], T | None]) -> T | None:
    try:
        return folder.read(look)
    except NotThere:
        return None


def _span_state(of: OpenFolder) -> SpanState | None:
    alarms = of.text("alarms")
    return _span_words(alarms, of.text("lineconfig") or "", of.text("is_sync_master") or "") if alarms else None


@functools.lru_cache(maxsize=64)
def _span_words(alarms: str, line: str, sync_master: str) -> SpanState:
    """Ten times a second and span, and nearly always the same words."""
    bits = int(alarms, 0)
    return SpanState(
        alarms=frozenset(alarm for bit, alarm in _ALARM_BITS.items() if bits & bit),
        line=_line_config(line),
        clock_master=sync_master == "1",
    )


def _port_state(folder: SpanFolder, port: Port, of: OpenFolder) -> PortState | None:
    places = [folder.channel(port.position + offset) for offset in range(port.channels)]
    signalling = of.text(f"{places[0]}/sig")
    used = False
    for place in places:
        in_use = of.text(f"{place}/in_use")
        if not in_use:
            return None
        if used := in_use == "1":
            break  # whoever serves an E1 holds all of it: the first channel tells
    if not signalling:
        return None
    return PortState(
        signalling=None if signalling == _UNCONFIGURED else signalling,
        open=used,
        alarms=_alarms_of(of.text(f"{places[0]}/alarms") or ""),
    )


def _channel_state(folder: SpanFolder, position: int, of: OpenFolder) -> ChannelState | None:
    place = folder.channel(position)
    signalling, used = of.text(f"{place}/sig"), of.text(f"{place}/in_use")
    if not signalling or not used:
        return None
    return ChannelState(
        signalling=_SIGNALLING.get(signalling),
        open=used == "1",
        alarms=_alarms_of(of.text(f"{place}/alarms") or ""),
        echo_canceller=(of.text(f"{place}/ec_factory") or "").lower() or None,
    )


def _alarms_of(text: str) -> frozenset[Alarm]:
    """Of a channel: DAHDI's words, one after the other."""
    return frozenset(_ALARM_WORDS[word] for word in text.split() if word in _ALARM_WORDS)


def _line_config(text: str) -> LineConfig | None:
    """DAHDI's words: HDB3/CCS/CRC4."""
    words = set(text.split("/"))
    if not words & {"HDB3", "AMI"}:
        return None
    return LineConfig(Coding.HDB3 if "HDB3" in words else Coding.AMI, "CCS" in words, "CRC4" in words)
