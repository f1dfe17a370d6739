"""One direction of a step: what came, through a jitter buffer a stream, second by second. Does no I/O.

What comes is kept with its time and played a second and a half later, so that neither the buffers' work delays what is
sent, nor a busy box what is heard. To the buffer the times are those at which a sender with a steady hand would have
been heard: how late each packet left stands in it.
"""

import math
from array import array
from dataclasses import dataclass, field
from functools import cache
from statistics import fmean, median_low

from voicecore.g711 import Law, encode
from voicecore.jitter import JitterBuffer

from appliance_agent.linkprobe.plan import PACKET_MS, PACKET_US, PACKETS_PER_SECOND, SOUND_BYTES, Step
from appliance_agent.linkprobe.sound import Packet
from appliance_agent.linkprobe.windows import Window

SECOND_US = 1_000_000
BEHIND_US = 3 * SECOND_US // 2
LONGEST_WAIT_US = 4 * SECOND_US
"""After its end a second is closed, whatever is missing."""
MOST_JITTER_US = 60 * SECOND_US
"""A sender's clock that jumps is no network's jitter."""
PITCH_HZ = 125
LEVEL = 6000


@cache
def voice() -> tuple[bytes, ...]:
    """A steady voice, packet by packet: the buffer stretches and presses sound that has a pitch."""
    samples = 8000 // PITCH_HZ * 5
    harmonics = range(1, 16)
    wave = [sum(math.sin(2 * math.pi * PITCH_HZ * one * at / 8000) / one for one in harmonics) for at in range(samples)]
    coded = encode(Law.ALAW, array("h", [round(LEVEL * value) for value in wave]).tobytes())
    return tuple(coded[at : at + SOUND_BYTES] for at in range(0, samples, SOUND_BYTES))


@dataclass(slots=True)
class Second:
    """Of one stream."""

    transits_us: list[int] = field(default_factory=list)
    changes_us: list[int] = field(default_factory=list)
    late_us: list[int] = field(default_factory=list)
    concealed_ms: int = 1000
    """Nothing was heard, until it was."""
    buffer_ms: int = 0


class Stream:
    def __init__(self, number: int, seconds: int) -> None:
        self.seconds = [Second() for _ in range(seconds)]
        self._came = bytearray(seconds * PACKETS_PER_SECOND)
        self._buffer = JitterBuffer(Law.ALAW)
        self._waiting: list[tuple[int, int]] = []
        """(time, sequence) of what came and was not put yet."""
        self._last_transit_us: int | None = None
        self._phase_us = (PACKET_US // 2 + 7000 * number) % PACKET_US
        """The line's clock stands to each stream in another way, as to calls."""
        self._next_tick_us: int | None = None
        """None: nothing came yet."""
        self._tick = self._concealed_ms = 0

    def take(self, packet: Packet, arrival_us: int) -> int | None:
        """A packet with a sequence that the step has. Returns when the stream's first one would have been heard; None:
        it came again."""
        if self._came[packet.sequence]:
            return None
        self._came[packet.sequence] = 1
        heard_us = arrival_us - packet.late_us
        second = self.seconds[packet.sequence // PACKETS_PER_SECOND]
        transit_us = arrival_us - packet.sent_us
        second.transits_us.append(transit_us)
        second.late_us.append(packet.late_us)
        if self._last_transit_us is not None:
            second.changes_us.append(abs(transit_us - self._last_transit_us))
        self._last_transit_us = transit_us
        begin_us = max(heard_us - packet.sequence * PACKET_US, 0)
        if self._next_tick_us is None:
            self._next_tick_us = begin_us + self._phase_us
        self._waiting.append((heard_us, packet.sequence))
        return begin_us

    def play(self, until_us: int) -> None:
        """What the line would have asked for until then."""
        if self._next_tick_us is None:
            return
        self._waiting.sort()
        sound, put = voice(), 0
        while self._next_tick_us <= until_us and self._tick < len(self._came):
            while put < len(self._waiting) and self._waiting[put][0] <= self._next_tick_us:
                heard_us, sequence = self._waiting[put]
                payload = sound[sequence % len(sound)]
                self._buffer.put(sequence, sequence * SOUND_BYTES, payload, max(heard_us, 0))
                put += 1
            self._buffer.get(self._next_tick_us)
            self._next_tick_us += PACKET_US
            self._tick += 1
            if self._tick % PACKETS_PER_SECOND == 0:
                self._end_second()
        del self._waiting[:put]

    def played(self, second: int) -> bool:
        return self._tick >= (second + 1) * PACKETS_PER_SECOND

    def lost(self, second: int) -> tuple[int, int]:
        """Packets of this second that did not come, and in how many runs they begin."""
        first = second * PACKETS_PER_SECOND
        here = self._came[first : first + PACKETS_PER_SECOND]
        before = self._came[first - 1 : first] or b"\1"
        return here.count(0), (before + here).count(b"\1\0")

    def _end_second(self) -> None:
        told = self._buffer.statistics
        second = self.seconds[self._tick // PACKETS_PER_SECOND - 1]
        second.concealed_ms = told.concealed_ms - self._concealed_ms
        second.buffer_ms = told.delay_ms
        self._concealed_ms = told.concealed_ms


class Hearing:
    def __init__(self, number: int, step: Step) -> None:
        self.windows: list[Window] = []
        self._number, self._step = number, step
        self._streams = [Stream(stream, step.seconds) for stream in range(step.streams)]
        self.missed = 0
        """Datagrams since the last window for which nobody had time, a stranger's among them."""
        self._begin_us: int | None = None
        self._turn = 0

    @property
    def complete(self) -> bool:
        return len(self.windows) == self._step.seconds

    def take(self, packet: Packet, arrival_us: int) -> None:
        """A packet of this step."""
        if packet.stream >= self._step.streams or packet.sequence >= self._step.packets:
            return
        if packet.sequence // PACKETS_PER_SECOND < len(self.windows):
            return  # its second is closed: it is lost
        begin_us = self._streams[packet.stream].take(packet, arrival_us)
        if self._begin_us is None:
            self._begin_us = begin_us

    def nothing_came(self, now_us: int) -> None:
        """The step should have begun by now."""
        if self._begin_us is None:
            self._begin_us = now_us

    def work(self, now_us: int) -> None:
        """A little at a time: one stream is played on; a second that is over is closed.

        now_us: all that came until then has been taken."""
        if self._begin_us is None or self.complete:
            return
        self._streams[self._turn].play(now_us - BEHIND_US)
        self._turn = (self._turn + 1) % len(self._streams)
        second = len(self.windows)
        over_us = self._begin_us + (second + 1) * SECOND_US
        everywhere = now_us > over_us + BEHIND_US and all(stream.played(second) for stream in self._streams)
        late = now_us > over_us + LONGEST_WAIT_US
        for stream in self._streams if late else ():
            stream.play(now_us - BEHIND_US)
        if everywhere or late:
            self.windows.append(self._window(second))
            self.missed = 0

    def _window(self, second: int) -> Window:
        seconds = [stream.seconds[second] for stream in self._streams]
        losses = [stream.lost(second) for stream in self._streams]
        transits = [one for part in seconds for one in part.transits_us] or [0]
        changes = [one for part in seconds for one in part.changes_us] or [0]
        late = [one for part in seconds for one in part.late_us] or [0]
        lost = sum(lost for lost, _ in losses)
        return Window(
            self._number, second, len(seconds), len(seconds) * PACKETS_PER_SECOND,
            lost=lost, bursts=sum(bursts for _, bursts in losses),
            concealed_ms=sum(part.concealed_ms for part in seconds), buffer_ms=sum(part.buffer_ms for part in seconds),
            transit_us=median_low(transits), least_transit_us=min(transits),
            jitter_us=min(round(fmean(changes)), MOST_JITTER_US),
            late_us=round(fmean(late)), latest_us=max(late), missed=min(self.missed, lost),
        )  # fmt: skip


assert PACKET_MS * PACKETS_PER_SECOND == 1000
