"""The line simulator (linesim/, on the board) as tests see it: sounds go there, scripts are run, events come back."""

import json
import time
from collections.abc import Sequence
from typing import Any

from sounds import Sound, linear
from wire import LIMIT_S, Wire, WireError

Event = dict[str, Any]
Step = dict[str, Any]
WHO = "the line simulator (/tmp/linesim.log on the board tells more)"


class LineSimError(WireError):
    """A script failed, or what was waited for did not come."""


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


def echo(seconds: float, loss_db: float) -> Step:
    """What the line hears goes back, so much quieter, some 40 ms later."""
    return {"do": "echo", "seconds": seconds, "times": 10 ** (-loss_db / 20)}


def record(name: str) -> Step:
    """From here on; `record("")` ends it and makes heard/NAME.wav."""
    return {"do": "record", "name": name}


class LineSim:
    def __init__(self, address: tuple[str, int]) -> None:
        """Raises WireError when no simulator greets in LIMIT_S."""
        self.events: list[Event] = []
        self._wire = Wire(address, WHO, greeting=b"ready", end=b"\n", limit_s=LIMIT_S)

    def _send(self, request: dict[str, Any], more: bytes = b"") -> None:
        self._wire.send(json.dumps(request).encode() + b"\n" + more)

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
        line = self._wire.read(deadline)
        if line is None:
            return None
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
