"""One line and the script it follows: what the exchange, or a telephone, does on it."""

import time
import wave
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .channel import BLOCK, Channel, Hook
from .dtmf import Ear

Tell = Callable[..., None]
HEARD = Path("/srv/heard")
TICK_MS = 500.0
LIMIT_S = 60.0
HOOKS = {"on": Hook.ON, "off": Hook.OFF, "flash": Hook.FLASH, "ring": Hook.RING, "ring-off": Hook.RING_OFF}


class ScriptError(Exception):
    """A step was not possible, or what it waited for did not come."""


class Line:
    def __init__(self, channel: Channel, sounds: dict[str, bytes], tell: Tell) -> None:
        """`tell(event, at=second of the board's monotonic clock, **more)`."""
        self._channel, self._sounds, self._tell = channel, sounds, tell
        self._ear, self._hears = Ear(), False
        """Digits are listened for only while a step waits for one: it costs most of this program's time."""
        self._tape: bytearray | None = None
        self._echo = 0.0
        """How loud what is heard goes back."""
        self._come: list[str] = []
        """Events of this script that no step has taken yet."""
        self._stopped = False

    def run(self, script: list[dict[str, Any]]) -> None:
        """Follows the script; whatever comes of it, the line is idle afterwards."""
        self._come.clear()
        self._tape, self._echo, self._stopped = None, 0.0, False
        while self._channel.event() or self._channel.read():  # what came before the script
            pass
        self._tell("began", at=time.monotonic())
        number = 0
        try:
            for number, step in enumerate(script):  # noqa: B007 - told when it fails
                self._step(**step)
            self._tell("done", at=time.monotonic())
        except (ScriptError, OSError, KeyError, TypeError) as error:
            self._tell("failed", at=time.monotonic(), step=number, why=f"{script[number]}: {error!r}")
        finally:
            self._channel.hook(Hook.ON)

    def stop(self) -> None:
        self._stopped = True

    def _step(self, do: str, **given: Any) -> None:
        steps: dict[str, Callable[..., None]] = {
            "hook": self.hook, "play": self.play, "wait": self.wait, "pause": self.pause, "record": self.record,
            "echo": self.echo,
        }  # fmt: skip
        if do not in steps:
            raise ScriptError(f"unknown step {do!r}; there are {sorted(steps)}")
        steps[do](**given)

    # steps

    def hook(self, to: str) -> None:
        self._channel.hook(HOOKS[to])
        self._tell("hook", at=time.monotonic(), to=to)

    def play(self, sound: str, times: int = 1, until: str = "") -> None:
        """Plays so many times (0: for LIMIT_S, which is an error), or till an event, which cuts it off.

        `playing` is told when it is handed to the kernel, up to BUFFERS × 20 ms before it is on the line.
        """
        raw = self._sounds[sound]
        self._hears = until == "digit"
        self._tell("playing", at=time.monotonic(), sound=sound)
        count, deadline = 0, time.monotonic() + LIMIT_S
        while not times or count < times:
            if not times and time.monotonic() > deadline:
                raise ScriptError(f"{sound}: no {until} in {LIMIT_S:g} s; waiting: {self._come}")
            for start in range(0, len(raw), 2 * BLOCK):
                block = raw[start : start + 2 * BLOCK].ljust(2 * BLOCK, b"\0")
                while not self._channel.write(block):
                    self._tick(TICK_MS, room=True)
                    if self._took(until):
                        self._channel.flush()
                        self._tell("played", at=time.monotonic(), sound=sound, until=until)
                        return
            count += 1
        self._tell("played", at=time.monotonic(), sound=sound)

    def wait(self, event: str, limit_s: float = LIMIT_S) -> None:
        """For an event, come since the step before it was taken, or to come."""
        deadline, self._hears = time.monotonic() + limit_s, event == "digit"
        while not self._took(event):
            if time.monotonic() > deadline:
                raise ScriptError(f"no {event} in {limit_s:g} s; waiting: {self._come}")
            self._tick(TICK_MS)

    def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._tick(min(1000 * left, TICK_MS))

    def echo(self, seconds: float, times: float) -> None:
        """What is heard goes back, that many times as loud, as from a line whose hybrid does not fit."""
        end, self._echo = time.monotonic() + seconds, times
        self._channel.write(bytes(2 * BLOCK))  # ahead, so that the line is never without a block
        while (left := end - time.monotonic()) > 0:
            self._tick(min(1000 * left, TICK_MS))
        self._echo = 0.0

    def record(self, name: str) -> None:
        """From now on; with an empty name: what was heard becomes the file that was named."""
        if name:
            self._tape, self._name = bytearray(), name
            return
        HEARD.mkdir(parents=True, exist_ok=True)
        part = HEARD / f"{self._name}.part"
        with wave.open(str(part), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(self._tape or b"")
        part.rename(HEARD / f"{self._name}.wav")
        self._tape = None

    # what happens meanwhile

    def _took(self, event: str) -> bool:
        if event not in self._come:
            return False
        del self._come[: self._come.index(event) + 1]
        return True

    def _tick(self, limit_ms: float, *, room: bool = False) -> None:
        """Waits for the line to do something, and takes it in."""
        if self._stopped:
            raise ScriptError("stopped")
        self._channel.wait(limit_ms, room=room)
        while event := self._channel.event():
            at = time.monotonic() - (self._channel.late_s if event == "onhook" else 0)
            self._happened(event, at)
        while block := self._channel.read():
            if self._tape is not None:
                self._tape += block
            if self._echo:
                sent = array("h", [round(self._echo * sample) for sample in array("h", block)])
                self._channel.write(sent.tobytes())
            if self._hears and (digit := self._ear.feed(block)):
                self._happened("digit", time.monotonic(), digit=digit)

    def _happened(self, event: str, at: float, **more: str) -> None:
        self._come.append(event)
        self._tell(event, at=at, **more)
