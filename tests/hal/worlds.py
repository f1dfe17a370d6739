"""The boxes that the conformance suite runs on, each with the same hands to drive it.

What is real in "linux": the drivers, libudev's monitor, the reading and writing of attributes, the pty, the ioctl
numbers and their memory. What is played: the kernel's side of sysfs and of /dev/watchdog0 (tests/hal/kernel.py,
watchdog_device.py), and systemctl, which is a program that writes down what it was asked. Real cards, a real LED class,
a real watchdog and a real systemd are for the emulated board and the bench.
"""

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from hal.capabilities import Capability
from hal.linux.box import LinuxBox
from hal.linux.voice import SysfsModule
from hal.model.inventory import Card
from hal.protocols.box import Box
from hal.protocols.led import OFF, ON, Blink, Light
from hal.protocols.sensor import Reading, SensorKind
from hal.protocols.voice import Alarm, ChannelConfig, Coding, LineConfig, PortEvent, Signalling
from hal.sim import cards as sim_cards
from hal.sim.box import LEDS, SimBox
from hal.sim.cards import Blueprint
from hal.sim.line import SimLine
from hal.sim.parts import SimSerial
from hal.sim.script import Alarms, Carries, Happens, Measures
from tests.hal import cards
from tests.hal.bed import Bed
from tests.hal.cards import CardSpec
from tests.hal.kernel import Kernel, Plugged
from tests.hal.watchdog_device import WatchdogDevice

CARDS: dict[str, tuple[Callable[[], CardSpec], Callable[[], Blueprint]]] = {
    "quad_e1": (cards.wct4xxp, lambda: sim_cards.e1("Wildcard TE410P (4th Gen)", 4)),
    "dual_e1": (lambda: cards.wct4xxp(spans=2), lambda: sim_cards.e1("Wildcard TE210P (4th Gen)", 2)),
    "serial_e1": (lambda: cards.wcte43x("1TE435F221"), lambda: sim_cards.serial_e1("1TE435F221")),
    "analog": (lambda: cards.wctdm24xxp("oos-"), lambda: sim_cards.analog("oos-")),
    "astribank": (lambda: cards.astribank("usb:X7"), lambda: sim_cards.astribank("usb:X7")),
    "emulated": (lambda: cards.dynamic("1:0"), lambda: sim_cards.emulated_e1("1:0")),
    "stranger": (cards.stranger, sim_cards.stranger),
}
"""Kind → as its driver registers it, as the simulated box builds it."""
SLOT = "05:04.0"
"""The one that is meant when none is said."""
SLOTS = {"astribank": "1-2", "emulated": ""}


class Peer(Protocol):
    """The other end of a serial line."""

    name: str

    def say(self, data: bytes) -> None: ...
    async def hear(self, count: int) -> bytes: ...
    def take_no_more(self) -> None: ...
    def hang_up(self) -> None: ...


class World(Protocol):
    e1: str
    """The kind of card with an E1 that it can plug in. All have "analog"."""
    has_framing: bool
    """Its E1 can be framed: read back as it was configured."""

    @property
    def box(self) -> Box: ...

    async def card(self, slot: str = SLOT) -> Card: ...
    async def rings(self, channel: int) -> None:
        """The exchange rings the FXO port with this channel."""

    async def quiet(self, channel: int) -> None:
        """It no longer does."""

    async def lifts(self, channel: int) -> None:
        """The set at the FXS port with this channel is lifted."""

    async def loops(self, channel: int) -> None:
        """The far end of this channel sends back what it hears."""

    async def plug(self, kind: str, slot: str = SLOT, *, assign: bool = True) -> None: ...
    async def pull(self, slot: str = SLOT) -> None: ...
    async def assign(self, kind: str, slot: str = SLOT) -> None: ...
    def alarms(self, span: int, alarms: set[Alarm]) -> None: ...
    def framed(self, span: int, line: LineConfig) -> None: ...
    def seized(self, span: int, position: int, channel: int, signalling: str) -> None: ...
    def light(self, name: str) -> Light: ...
    def measures(self, *readings: Reading) -> None: ...
    def feeds(self) -> int: ...
    def peer(self) -> Peer: ...
    def restarts_asked(self) -> list[tuple[Capability, str]]: ...


class SimPeer:
    def __init__(self, port: SimSerial, name: str) -> None:
        self.name, self._port = name, port
        self.say, self.hang_up = port.say, port.hang_up

    async def hear(self, count: int) -> bytes:
        heard = bytes(self._port.sent[:count])
        del self._port.sent[:count]
        return heard

    def take_no_more(self) -> None:
        self._port.takes = False


class SimWorld:
    e1, has_framing = "dual_e1", True

    def __init__(self, lacks: frozenset[Capability] = frozenset()) -> None:
        self.box: SimBox = SimBox(lacks)

    async def plug(self, kind: str, slot: str = SLOT, *, assign: bool = True) -> None:
        blueprint = CARDS[kind][1]()
        blueprint = replace(blueprint, location=Kernel.location(CARDS[kind][0](), slot))
        self.box.plug(blueprint, _position(kind, slot), assign=assign)

    async def pull(self, slot: str = SLOT) -> None:
        self.box.pull(_position("", slot))

    async def card(self, slot: str = SLOT) -> Card:
        return await _card_at(self.box, slot)

    async def rings(self, channel: int) -> None:
        self.box.play([Happens(channel, PortEvent.RING)])

    async def quiet(self, channel: int) -> None:
        pass

    async def lifts(self, channel: int) -> None:
        self.box.play([Happens(channel, PortEvent.OFF_HOOK)])

    async def loops(self, channel: int) -> None:
        self.box.play([Carries(channel, SimLine(loop_db=0))])

    async def assign(self, kind: str, slot: str = SLOT) -> None:
        """Into an empty box, one after the other."""
        card = await self.card(slot)
        for span in card.spans:
            await self.box.voice(card).assign(span, span.local, 1 + 31 * (span.local - 1))

    def alarms(self, span: int, alarms: set[Alarm]) -> None:
        self.box.play([Alarms(span, frozenset(alarms))])

    def framed(self, span: int, line: LineConfig) -> None:
        world = self.box.world.span(span)
        world.state = replace(world.state, line=line, clock_master=True)

    def seized(self, span: int, position: int, channel: int, signalling: str) -> None:
        world = self.box.world.port(channel)
        world.config = ChannelConfig(Signalling(signalling.lower()))
        world.open, world.alarms = True, frozenset({Alarm.RED})

    def light(self, name: str) -> Light:
        return next(led.light for led in self.box.sim_leds if led.name == name)

    def measures(self, *readings: Reading) -> None:
        self.box.play([Measures(reading) for reading in readings])

    def feeds(self) -> int:
        return self.box.sim_watchdog.feeds

    def peer(self) -> Peer:
        port = self.box.console.ports.setdefault("sim0", SimSerial())
        return SimPeer(port, "sim0")

    def restarts_asked(self) -> list[tuple[Capability, str]]:
        return self.box.sim_power.asked


class PtyPeer:
    def __init__(self) -> None:
        self._own, self._theirs = os.openpty()
        os.set_blocking(self._own, False)
        self.name = os.ttyname(self._theirs)
        os.close(self._theirs)  # the driver opens it by its name

    def say(self, data: bytes) -> None:
        os.write(self._own, data)

    async def hear(self, count: int) -> bytes:
        loop, ready, heard = asyncio.get_running_loop(), asyncio.Event(), b""
        loop.add_reader(self._own, ready.set)
        try:
            async with asyncio.timeout(30):
                while len(heard) < count:
                    await ready.wait()
                    ready.clear()
                    heard += os.read(self._own, count - len(heard))
        finally:
            loop.remove_reader(self._own)
        return heard

    def take_no_more(self) -> None:
        """Nobody reads: the kernel's buffer fills up."""

    def hang_up(self) -> None:
        if self._own >= 0:
            os.close(self._own)
            self._own = -1


class LinuxWorld:
    e1, has_framing = "dual_e1", True

    def __init__(self, bed: Bed, folder: Path, *, bare: bool = False) -> None:
        self._bed, self._folder = bed, folder
        self.kernel = Kernel(bed)
        self._plugged: dict[str, Plugged] = {}
        self._asked = folder / "asked"
        self.peers: list[PtyPeer] = []
        runs = folder / "systemd"
        self.watchdog: WatchdogDevice | None = None
        if not bare:
            runs.mkdir()
            self.watchdog = WatchdogDevice(bed)
            for name in LEDS:
                led = {"brightness": "0", "max_brightness": "255", "trigger": "[none] timer heartbeat"}
                for attribute, text in (led | {"delay_on": "", "delay_off": ""}).items():
                    self.kernel.write(f"class/leds/{name}/{attribute}", f"{text}\n")
            self.kernel.write("class/hwmon/hwmon0/name", "sim\n")
            self.kernel.write("class/hwmon/hwmon0/temp9_input", "1000\n")
        program = folder / "systemctl"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> "{self._asked}"\n')
        program.chmod(0o755)
        self.box: LinuxBox = LinuxBox(str(program), runs, SysfsModule)

    async def card(self, slot: str = SLOT) -> Card:
        return await _card_at(self.box, slot)

    async def rings(self, channel: int) -> None:
        raise NotImplementedError("sysfs has no events")

    quiet = lifts = loops = rings

    async def plug(self, kind: str, slot: str = SLOT, *, assign: bool = True) -> None:
        plugged = await asyncio.to_thread(self.kernel.plug, CARDS[kind][0](), slot, assign=assign)
        self._plugged[slot] = plugged

    async def pull(self, slot: str = SLOT) -> None:
        await asyncio.to_thread(self.kernel.pull, self._plugged.pop(slot))

    async def assign(self, kind: str, slot: str = SLOT) -> None:
        await asyncio.to_thread(self.kernel.assign, self._plugged[slot], CARDS[kind][0]())

    def alarms(self, span: int, alarms: set[Alarm]) -> None:
        bits = {Alarm.RECOVERING: 1, Alarm.LOOP: 2, Alarm.YELLOW: 4, Alarm.RED: 8, Alarm.BLUE: 16, Alarm.NOT_OPEN: 32}
        self.kernel.set(span, "alarms", hex(sum(bits[alarm] for alarm in alarms)))

    def framed(self, span: int, line: LineConfig) -> None:
        words = [line.coding.upper(), *(["CCS"] if line.common_channel else []), *(["CRC4"] if line.crc4 else [])]
        self.kernel.set(span, "lineconfig", "/".join(words))
        self.kernel.set(span, "is_sync_master", "1")

    def seized(self, span: int, position: int, channel: int, signalling: str) -> None:
        for attribute, text in (("sig", signalling), ("in_use", "1"), ("alarms", "RED ")):
            self.kernel.set_channel(span, position, attribute, text)

    def light(self, name: str) -> Light:
        folder = self._bed.sys / "class/leds" / name
        if (folder / "trigger").read_text() == "timer":
            return Blink(int((folder / "delay_on").read_text()), int((folder / "delay_off").read_text()))
        return ON if int((folder / "brightness").read_text()) == 255 else OFF

    def measures(self, *readings: Reading) -> None:
        (self._bed.sys / "class/hwmon/hwmon0/temp9_input").unlink()
        prefixes = {
            SensorKind.TEMPERATURE: ("temp", 1000),
            SensorKind.FAN: ("fan", 1),
            SensorKind.VOLTAGE: ("in", 1000),
        }
        for number, reading in enumerate(readings, 1):
            prefix, factor = prefixes[reading.kind]
            chip = f"class/hwmon/hwmon{1 + sorted({one.chip for one in readings}).index(reading.chip)}"
            values = {"input": reading.value, "min": reading.low, "max": reading.high, "crit": reading.critical}
            self.kernel.write(f"{chip}/name", f"{reading.chip}\n")
            self.kernel.write(f"{chip}/{prefix}{number}_label", f"{reading.label}\n")
            for what, value in values.items():
                if value is not None:
                    self.kernel.write(f"{chip}/{prefix}{number}_{what}", f"{round(value * factor)}\n")
            if reading.value is None:
                self.kernel.write(f"{chip}/{prefix}{number}_input", "-128000\n")
                self.kernel.write(f"{chip}/{prefix}{number}_fault", "1\n")

    def feeds(self) -> int:
        return self.watchdog.feeds if self.watchdog else 0

    def peer(self) -> Peer:
        peer = PtyPeer()
        self.peers.append(peer)
        return peer

    def restarts_asked(self) -> list[tuple[Capability, str]]:
        verbs = {"reboot": Capability.REBOOT, "poweroff": Capability.POWER_OFF}
        lines = self._asked.read_text().splitlines() if self._asked.exists() else []
        found = [re.fullmatch(r"--no-ask-password --message=(.*) (\w+)", line) for line in lines]
        return [(verbs[match[2]], match[1]) for match in found if match]


async def _card_at(box: Box, slot: str) -> Card:
    return next(card for card in (await box.inventory()).cards if card.id.position == _position("", slot))


def _position(kind: str, slot: str) -> str:
    if kind == "emulated":
        return "dynamic:loc:0"
    return f"usb-0000:00:1d.7-{slot.partition('-')[2]}" if "-" in slot else f"pci:0000:{slot}"


BARE = frozenset(Capability)
WORLDS = ("linux", "linux without parts", "sim", "sim that lacks everything")


@contextmanager
def world_of(name: str, folder: Path) -> Iterator[World]:
    if name.startswith("sim"):
        yield SimWorld(BARE if "lacks" in name else frozenset())
        return
    with Bed() as bed:
        world = LinuxWorld(bed, folder, bare="without" in name)
        try:
            yield world
        finally:
            for peer in world.peers:
                peer.hang_up()


HDB3_CCS_CRC4 = LineConfig(Coding.HDB3, common_channel=True, crc4=True)
