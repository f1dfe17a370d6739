"""Spans and ports as sysfs shows them: it can look. What acts (configure, hook, loop, counters, events) takes DAHDI's
ioctls: `dahdi.py` adds those, where voicecore can be imported, and declares more."""

import asyncio
from collections.abc import Set
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NoReturn

from hal.capabilities import Capability
from hal.detect.catalogue import model_of
from hal.errors import NotSupported, NotThere
from hal.linux.sysfs import folder, read_int, read_text
from hal.model.inventory import Card, Port, Span
from hal.protocols.linetest import Tap
from hal.protocols.voice import (
    Alarm,
    ChannelConfig,
    ChannelState,
    Coding,
    HeldPort,
    LineConfig,
    Loop,
    PortState,
    Signalling,
    SpanCounters,
    SpanState,
    check_timeslot,
)

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

    def __init__(self, card: Card, span: Span) -> None:
        self._card, self._span = card, span
        self._who = f"span {span.local} of {card.id}"

    async def state(self) -> SpanState:
        return await asyncio.to_thread(self._state)

    def _state(self) -> SpanState:
        place = where_is(self._card, self._span)
        alarms = read_int(place / "alarms")
        if alarms is None:
            raise NotThere(f"{self._who} vanished while it was read", hint="probe again")
        return SpanState(
            alarms=frozenset(alarm for bit, alarm in _ALARM_BITS.items() if alarms & bit),
            line=_line_config(read_text(place / "lineconfig") or ""),
            clock_master=read_text(place / "is_sync_master") == "1",
        )

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

    def __init__(self, card: Card, port: Port) -> None:
        self._card, self._port = card, port
        self._who = f"port {port.position} of span {port.span} of {card.id}"

    async def state(self) -> PortState:
        """Of an E1: the signalling of its first channel, open when any channel is."""
        return await asyncio.to_thread(self._state)

    def _state(self) -> PortState:
        places = self._places()
        signalling, used = read_text(places[0] / "sig"), [read_text(place / "in_use") for place in places]
        if signalling is None or None in used:
            raise NotThere(f"{self._who} vanished while it was read", hint="probe again")
        return PortState(
            signalling=None if signalling == _UNCONFIGURED else signalling,
            open="1" in used,
            alarms=_alarms_of(read_text(places[0] / "alarms") or ""),
        )

    async def channel(self, timeslot: int = 1) -> ChannelState:
        return await asyncio.to_thread(self._channel, timeslot)

    def _channel(self, timeslot: int) -> ChannelState:
        check_timeslot(self._port, timeslot, self._who)
        place = self._places()[timeslot - 1]
        signalling, used = read_text(place / "sig"), read_text(place / "in_use")
        if signalling is None or used is None:
            raise NotThere(f"{self._who} vanished while it was read", hint="probe again")
        return ChannelState(
            signalling=_SIGNALLING.get(signalling),
            open=used == "1",
            alarms=_alarms_of(read_text(place / "alarms") or ""),
            echo_canceller=(read_text(place / "ec_factory") or "").lower() or None,
        )

    def _places(self) -> list[Path]:
        """The folders of its channels."""
        span = next(span for span in self._card.spans if span.local == self._port.span)
        place = where_is(self._card, span)
        first = self._port.position
        return [place / f"dahdi!chan!{span.number:03}!{first + offset:03}" for offset in range(self._port.channels)]

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

    def span(self, span: Span) -> SysfsSpan:
        return SysfsSpan(self.card, span)

    def port(self, port: Port) -> SysfsPort:
        return SysfsPort(self.card, port)

    async def assign(self, span: Span, number: int, first_channel: int) -> None:
        _refuse(Capability.SPAN_ASSIGN, str(self.card.id))


def where_is(card: Card, span: Span) -> Path:
    """The span's folder, made sure to be this card's: a number can be another span's by now."""
    who = f"span {span.local} of {card.id}"
    if span.number is None:
        raise NotThere(f"{who} has no number", hint="assign it first, then probe again")
    place = folder("dahdi_spans", f"span-{span.number}")
    device = place / "ddev"
    ours = (
        read_int(place / "local_spanno") == span.local
        and model_of(read_text(device / "type") or "") == card.id.model
        and (read_text(device / "hardware_id") or None) == card.id.serial
    )
    if not ours:
        raise NotThere(f"{who} is no longer span {span.number}", hint="the card was pulled or renumbered: probe again")
    return place


def _alarms_of(text: str) -> frozenset[Alarm]:
    """Of a channel: DAHDI's words, one after the other."""
    return frozenset(_ALARM_WORDS[word] for word in text.split() if word in _ALARM_WORDS)


def _line_config(text: str) -> LineConfig | None:
    """DAHDI's words: HDB3/CCS/CRC4."""
    words = set(text.split("/"))
    if not words & {"HDB3", "AMI"}:
        return None
    return LineConfig(Coding.HDB3 if "HDB3" in words else Coding.AMI, "CCS" in words, "CRC4" in words)
