"""The end that was asked: sends back what it is sent as many streams of, and reports what it heard."""

import contextlib
import socket

from appliance_agent.linkprobe.door import Opened
from appliance_agent.linkprobe.sockets import Arrival, now_us, prepared
from appliance_agent.linkprobe.streams import Streams
from appliance_agent.linkprobe.windows import Window
from appliance_agent.linkprobe.wire import REPORTED, Bye, End, Report, ReportAsk, opened, sealed

SILENCE_US = 6_000_000
"""The asking end wants a report twice a second: after so long without it is gone."""
PAUSE_US = 8_000_000
"""Between two steps, at most."""


class Answerer:
    def __init__(self, door: socket.socket, probe: Opened) -> None:
        self._door, self._probe = prepared(door), probe
        self._streams = Streams(probe.key, End.ANSWERER, probe.steps)
        self._over = False

    def run(self, *files: int) -> None:
        """Until the asking end is satisfied, or gone, or a file has something (or has ended)."""
        seconds = sum(step.seconds for step in self._probe.steps)
        end_us = now_us() + seconds * 1_000_000 + len(self._probe.steps) * PAUSE_US
        self._send(self._probe.answer)
        while not self._over and now_us() < min(end_us, self._streams.last_heard_us + SILENCE_US):
            if not self._streams.round([self._door], self._take, *files):
                return

    def _take(self, arrival: Arrival) -> None:
        if arrival.source != self._probe.source:
            return
        if arrival.datagram == self._probe.ask:  # the answer was lost
            self._send(self._probe.answer)
            return
        match opened(arrival.datagram, self._probe.key, End.CALLER):
            case ReportAsk(first):
                self._streams.last_heard_us = arrival.at_us
                windows = self._windows()[first : first + REPORTED]
                self._send(sealed(Report(first, tuple(windows)), self._probe.key, End.ANSWERER))
            case Bye():
                self._send(sealed(Bye(), self._probe.key, End.ANSWERER))
                self._over = True

    def _windows(self) -> list[Window]:
        return [window for hearing in self._streams.hearings for window in hearing.windows]

    def _send(self, datagram: bytes) -> None:
        with contextlib.suppress(OSError):
            self._door.sendto(datagram, self._probe.source)
