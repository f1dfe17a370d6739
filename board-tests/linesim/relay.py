"""python3 -m linesim.relay JSON: joins channels two by two and does to what passes exactly what it is told.

It is what line tests are judged by: what they measure has been put there. JSON: a list of pairs, each
{"ends": [channel, channel], "kind": "sound" | "bits", "ways": [way, …]}. A way is {"from": 0, "to": 1} (indices of
`ends`; the same twice is an echo) and what happens on it: "delay" (samples); of sound also "loss_db" and "noise_dbm0"
(white) with its "seed"; of bits also "errors": [count, first byte, last byte, seed], counted from the first block that
is not idle. Prints "ready", and at SIGTERM what it did, in JSON.
"""

import fcntl
import json
import os
import random
import select
import signal
import struct
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from .alaw import IDLE as SILENCE
from .alaw import decoded, encoded
from .channel import BLOCK, FLUSH, GET_EVENT, INT, LAST_EVENT, SET_BUFINFO, SPECIFY, _write

BUFFER_EVENTS, FLUSH_BOTH = _write(105), 3
RUNS = (29, 30)
"""Events: sound came that nobody had taken, or nothing was there to send."""
LEAD = 3
"""Blocks of silence that go ahead, so that a block may be late by two."""
BUFFERS = 8
IDLE = 0xFF
"""Of bits."""
LONG_S = 300.0
"""Nothing has come for so long: the lines are gone."""


class End:
    """One bearer, byte by byte: the kernel knows of no sound."""

    def __init__(self, number: int, idle: int) -> None:
        self.idle = bytes([idle]) * BLOCK
        self.file = os.open("/dev/dahdi/channel", os.O_RDWR | os.O_NONBLOCK)
        self._ask(SPECIFY, number)
        fcntl.ioctl(self.file, SET_BUFINFO, struct.pack("6i", 0, 0, BUFFERS, BLOCK, 0, 0))
        self.late: list[float] = []
        """When it was too late, one way or the other (seconds of the monotonic clock): then nothing measured counts."""

    def _ask(self, request: int, value: int) -> None:
        fcntl.ioctl(self.file, request, INT.pack(value))

    def begin(self) -> None:
        self._ask(FLUSH, FLUSH_BOTH)
        for _ in range(LEAD):
            self.write(self.idle)
        self._ask(BUFFER_EVENTS, 1)

    def _take_events(self) -> None:
        while number := INT.unpack(fcntl.ioctl(self.file, GET_EVENT, bytes(INT.size)))[0]:
            if number in RUNS:
                self.late.append(time.monotonic())

    def read(self) -> bytes:
        """A block, or nothing yet."""
        while True:
            try:
                return os.read(self.file, BLOCK)
            except BlockingIOError:
                return b""
            except OSError as error:
                if error.errno != LAST_EVENT:
                    raise
                self._take_events()

    def write(self, block: bytes) -> None:
        try:
            os.write(self.file, block)
        except BlockingIOError:
            self.late.append(time.monotonic())
        except OSError as error:
            if error.errno != LAST_EVENT:
                raise
            self._take_events()
            self.write(block)


class Way:
    """From one end to the other, or back to itself: late by so many samples, else untouched."""

    def __init__(self, told: dict[str, Any], idle: int) -> None:
        self.source, self.target = told["from"], told["to"]
        self._waiting: bytes = bytes([idle]) * told.get("delay", 0)

    def pass_on(self, block: bytes) -> bytes:
        whole = self._waiting + block
        self._waiting = whole[BLOCK:]
        return whole[:BLOCK]


class SoundWay(Way):
    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told, SILENCE)
        self._factor, noise = 10 ** (-told.get("loss_db", 0.0) / 20), told.get("noise_dbm0")
        # G.711: a sine of full scale has 3.14 dBm0.
        self._spread = 0.0 if noise is None else 32768 / 2**0.5 * 10 ** ((noise - 3.14) / 20)
        self._chance = random.Random(told.get("seed"))
        self.changes = self._factor != 1 or noise is not None

    def sound(self, block: bytes) -> Sequence[float]:
        samples = decoded(self.pass_on(block))
        gauss, factor, spread = self._chance.gauss, self._factor, self._spread
        return [factor * one + gauss(0.0, spread) for one in samples] if spread else [factor * one for one in samples]


class BitWay(Way):
    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told, IDLE)
        count, first, last, seed = told.get("errors", (0, 0, 0, 0))
        self._wrong: dict[int, int] = {}
        """Byte → what is turned round in it."""
        for bit in random.Random(seed).sample(range(8 * first, 8 * last), count):
            self._wrong[bit // 8] = self._wrong.get(bit // 8, 0) | 1 << bit % 8
        self._passed = 0

    def pass_on(self, block: bytes) -> bytes:
        out = bytearray(super().pass_on(block))
        if self._passed or out.count(IDLE) != BLOCK:
            for place in range(BLOCK):
                out[place] ^= self._wrong.get(self._passed + place, 0)
            self._passed += BLOCK
        return bytes(out)


def joined(ways: Sequence[SoundWay | BitWay], blocks: Sequence[bytes], idle: bytes) -> bytes:
    """What an end is sent: of sound the sum of all ways that lead there, of bits the one."""
    match ways:
        case []:
            return idle
        case [BitWay() as way]:
            return way.pass_on(blocks[way.source])
        case [SoundWay(changes=False) as way]:
            return way.pass_on(blocks[way.source])
        case _:
            sounds = [way.sound(blocks[way.source]) for way in ways if isinstance(way, SoundWay)]
            return encoded([sum(parts) for parts in zip(*sounds, strict=True)])


@dataclass
class Pair:
    ends: list[End]
    ways: list[SoundWay | BitWay]
    came: list[deque[bytes]] = field(default_factory=lambda: [deque(), deque()])
    ticks: int = 0

    @classmethod
    def of(cls, told: dict[str, Any]) -> Self:
        sound = told["kind"] == "sound"
        ways = [SoundWay(way) if sound else BitWay(way) for way in told["ways"]]
        return cls([End(number, SILENCE if sound else IDLE) for number in told["ends"]], ways)

    def tick(self) -> None:
        """Blocks go in step, so that nothing but what was told delays one."""
        for end, came in zip(self.ends, self.came, strict=True):
            while block := end.read():
                came.append(block)
        while all(self.came):
            blocks = [came.popleft() for came in self.came]
            for index, end in enumerate(self.ends):
                end.write(joined([way for way in self.ways if way.target == index], blocks, end.idle))
            self.ticks += 1


def main(told: str) -> None:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))  # what it judges may be late, it may not
    pairs = [Pair.of(one) for one in json.loads(told)]
    poll, stopped = select.poll(), []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    for pair in pairs:
        for end in pair.ends:
            poll.register(end.file, select.POLLIN | select.POLLPRI)
            end.begin()
    began = time.monotonic()
    print("ready", flush=True)
    while not stopped:
        if not poll.poll(LONG_S * 1000) and not stopped:
            sys.exit(f"no sound for {LONG_S:g} s: are the spans up?")
        for pair in pairs:
            pair.tick()
    late = sorted(at for pair in pairs for end in pair.ends for at in end.late)
    print(json.dumps({"began": began, "over": time.monotonic(), "late": late, "ticks": [pair.ticks for pair in pairs]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
