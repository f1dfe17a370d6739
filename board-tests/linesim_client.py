"""The line simulator (linesim/, on the board) as tests see it: sounds go there, scripts are run, events come back."""

import json
import socket
import time
from collections.abc import Sequence
from typing import Any

from ami import LIMIT_S
from sounds import Sound, linear

Event = dict[str, Any]
Step = dict[str, Any]


class LineSimError(Exception):
    """The simulator is not there, a script failed, or what was waited for did not come."""


def hook(to: str) -> Step:
    """on, off, flash, ring or ring-off."""
    return {"do": "hook", "to": to}


def play(sound: str, *, times: int = 1, until: str = "") -> Step:
    return {"do": "play", "sound": sound, "times": times, "until": until}


def wait(event: str, limit_s: float = 60.0) -> Step:
    """onhook, offhook, flash, ring or digit; the limit is of the board's clock."""
    return {"do": "wait", "event": event, "limit_s": limit_s}


def pause(seconds: float) -> Step:
    return {"do": "pause", "seconds": seconds}


def record(name: str) -> Step:
    """From here on; `record("")` ends it and makes heard/NAME.wav."""
    return {"do": "record", "name": name}


class LineSim:
    def __init__(self, address: tuple[str, int]) -> None:
        """Raises LineSimError when no simulator greets in LIMIT_S."""
        self.events: list[Event] = []
        self._data = b""
        self._socket = self._greeted(address, time.monotonic() + LIMIT_S)

    def _greeted(self, address: tuple[str, int], deadline: float) -> socket.socket:
        """The emulator's port accepts at once, a greeting tells that the simulator is there."""
        while time.monotonic() < deadline:
            connection = socket.create_connection(address, timeout=5)
            try:
                if b"ready" in connection.recv(1024):
                    return connection
            except OSError:
                pass
            connection.close()
        raise LineSimError(f"no line simulator at {address[0]}:{address[1]}; /tmp/linesim.log on the board says why")

    def _send(self, request: dict[str, Any], more: bytes = b"") -> None:
        self._socket.settimeout(LIMIT_S)
        self._socket.sendall(json.dumps(request).encode() + b"\n" + more)

    def load(self, name: str, sound: Sound) -> None:
        raw = linear(sound)
        self._send({"load": name, "bytes": len(raw)}, raw)

    def run(self, channel: int, *script: Step) -> None:
        """Starts a script on a line: what happens there from now on is the script's. `finish` tells how it ended."""
        since = len(self.events)
        self._send({"run": channel, "script": script})
        self.wait(channel, "began", since=since)

    def stop(self, channel: int) -> None:
        self._send({"stop": channel})

    def _read(self, deadline: float) -> Event | None:
        while b"\n" not in self._data:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                return None
            if not data:
                raise LineSimError("the simulator closed the connection; /tmp/linesim.log on the board says why")
            self._data += data
        line, _, self._data = self._data.partition(b"\n")
        event: Event = json.loads(line)
        self.events.append(event)
        return event

    def wait(self, channel: int, *names: str, since: int = 0, limit_s: float = LIMIT_S) -> Event:
        """The first event of one of these names on a line, from `events[since]` on, past or to come."""
        deadline = time.monotonic() + limit_s
        seen = since
        while True:
            for event in self.events[seen:]:
                if event.get("channel") == channel and event["event"] in names:
                    return event
            seen = len(self.events)
            if self._read(deadline) is None:
                mine = [one for one in self.events[since:] if one.get("channel") == channel]
                raise LineSimError(f"channel {channel}: none of {names} in {limit_s:g} s; there came {mine}")

    def finish(self, channel: int, since: int = 0) -> Sequence[Event]:
        """The events of a line from `events[since]` on until its script has ended. Raises LineSimError if it failed."""
        end = self.wait(channel, "done", "failed", since=since)
        if end["event"] == "failed":
            raise LineSimError(f"channel {channel}: step {end['step']}: {end['why']}")
        return [one for one in self.events[since : self.events.index(end) + 1] if one.get("channel") == channel]
