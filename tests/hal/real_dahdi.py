"""The real DAHDI as a world of the conformance suite, on the emulated board, as root: a card is one end of a pair of
cross-connected spans (dahdi_dynamic_loc), its other end stands for the exchange and for telephone sets.

The hands speak with DAHDI by their own ioctls (numbers and structures of dahdi/user.h), not by voicecore.
"""

import asyncio
import contextlib
import fcntl
import itertools
import os
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from hal.linux.box import LinuxBox
from hal.model.inventory import Card
from tests.hal.worlds import SLOT

UP_S, POLL_S = 60.0, 0.02
"""Alarms give no uevent."""
SPANS = Path("/sys/bus/dahdi_spans/devices")
AUTO_ASSIGN = Path("/sys/module/dahdi/parameters/auto_assign_spans")
SPAN = struct.Struct("20s40siii")  # dahdi_dynamic_span: driver, address, channels, timing, number
CHANNEL = struct.Struct("i40siiii16s")  # dahdi_chanconfig: number, name, signalling, law, master, idle bits, net device
INT = struct.Struct("i")


def request(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | 0xDA << 8 | number


WRITE, BOTH = 1, 3
CREATE, DESTROY = request(BOTH, 80, SPAN.size), request(WRITE, 81, SPAN.size)
CONFIGURE, SPECIFY, HOOK = request(WRITE, 19, CHANNEL.size), request(WRITE, 38, 4), request(WRITE, 7, 4)
LOOPBACK = request(WRITE, 58, 4)
FXS_KEWL, FXO_KEWL = 0x2004, 0x1020
OFF_HOOK, RING = 1, 5
ANALOG = (FXS_KEWL, FXS_KEWL, FXO_KEWL, 0)
"""Ours: two FXO ports, an FXS port, none."""
FACING = {FXS_KEWL: FXO_KEWL, FXO_KEWL: FXS_KEWL, 0: 0}
TONES = "loadzone=cn\ndefaultzone=cn\n"


def control(number: int, data: bytes) -> None:
    with Path("/dev/dahdi/ctl").open("rb+", buffering=0) as file:
        fcntl.ioctl(file, number, bytearray(data))


class RealDahdi:
    e1, has_framing = "emulated", False

    def __init__(self) -> None:
        self.box = LinuxBox()
        self._pairs: dict[str, tuple[int, int]] = {}
        """Slot → number of the pair, channels."""
        self._numbers = itertools.count(1)
        self._far: dict[int, int] = {}
        """Far channel → its open file."""

    @property
    def plugged(self) -> bool:
        return bool(self._pairs)

    async def card(self, slot: str = SLOT) -> Card:
        serial = f"DYN/loc/{self._pairs[slot][0]}:0"
        return next(card for card in (await self.box.inventory()).cards if card.id.serial == serial)

    async def up(self) -> None:
        """Until no span has an alarm: what is sent before is lost. Raises TimeoutError."""
        await asyncio.to_thread(self._up)

    def _up(self) -> None:
        deadline = time.monotonic() + UP_S
        while any(path.read_text().strip() != "0x0" for path in SPANS.glob("*/alarms")):
            if time.monotonic() > deadline:
                raise TimeoutError(f"a span has still an alarm after {UP_S:g} s")
            time.sleep(POLL_S)

    async def plug(self, kind: str, slot: str = SLOT, *, assign: bool = True) -> None:
        await asyncio.to_thread(self._plug, kind, slot, assign)

    def _plug(self, kind: str, slot: str, assign: bool) -> None:
        channels = {"emulated": 31, "analog": 4}[kind]
        pair = next(self._numbers)
        AUTO_ASSIGN.write_text(str(int(assign)))
        self._pairs[slot] = (pair, channels)
        for end in (0, 1):
            control(CREATE, SPAN.pack(b"loc", f"{pair}:{end}".encode(), channels, 0, 0))
        if kind == "analog":
            self._make_analog(slot)

    async def pull(self, slot: str = SLOT) -> None:
        await asyncio.to_thread(self._pull, slot)

    def _pull(self, slot: str) -> None:
        pair, channels = self._pairs.pop(slot)
        for end in (0, 1):
            control(DESTROY, SPAN.pack(b"loc", f"{pair}:{end}".encode(), channels, 0, 0))

    def _make_analog(self, slot: str) -> None:
        """A dynamic span can be anything: what its channels are configured as makes them ports."""
        first = Path(f"/sys/bus/dahdi_spans/devices/span-{1 + 2 * list(self._pairs).index(slot)}/basechan")
        channel = int(first.read_text())
        for place, signalling in enumerate(ANALOG):
            control(CONFIGURE, CHANNEL.pack(channel + place, b"", signalling, 0, 0, 0, b""))
            control(CONFIGURE, CHANNEL.pack(channel + place + 4, b"", FACING[signalling], 0, 0, 0, b""))

    def _hook(self, channel: int, position: int) -> None:
        """At the far end of one of ours, 1 … 4; it stays in use."""
        far = channel + 4
        self._open(far)
        with contextlib.suppress(BlockingIOError):  # EINPROGRESS: it goes on by itself
            fcntl.ioctl(self._far[far], HOOK, INT.pack(position))

    def _open(self, far: int) -> None:
        if far not in self._far:
            self._far[far] = os.open("/dev/dahdi/channel", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self._far[far], SPECIFY, INT.pack(far))

    async def rings(self, channel: int) -> None:
        """One second of ring, four of silence, again and again."""
        self._hook(channel, RING)

    async def quiet(self, channel: int) -> None:
        os.close(self._far.pop(channel + 4))

    async def lifts(self, channel: int) -> None:
        self._hook(channel, OFF_HOOK)

    async def loops(self, channel: int) -> None:
        await self.up()
        self._open(channel + 4)
        fcntl.ioctl(self._far[channel + 4], LOOPBACK, INT.pack(1))

    def close(self) -> None:
        for file in self._far.values():
            os.close(file)
        for slot in list(self._pairs):
            self._pull(slot)


@contextlib.contextmanager
def real_dahdi(folder: Path) -> Iterator[RealDahdi]:
    for module in ("dahdi", "dahdi_dynamic_loc"):
        subprocess.run(["modprobe", module], check=True, timeout=60)
    zone = folder / "system.conf"
    zone.write_text(TONES)
    subprocess.run(["dahdi_cfg", "-c", zone], check=True, timeout=60)
    world = RealDahdi()
    try:
        yield world
    finally:
        world.close()
