"""The emulated public exchange: a second Asterisk. Its subscribers call boxes, are called by them, and hear."""

import csv
import itertools
import math
import secrets
import struct
import subprocess
import threading
import time
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.callers.audio import read_wav
from tests.lab.ami import Ami, Message
from tests.lab.box import HERE, LabError, Machine
from tests.lab.waiting import until

RATE = 8000
CALLER_TONE_HZ = 437.0
CALLED_TONE_HZ = 523.0
LONGEST_CALL_S = 3600
MOST_BOXES = 16
FIRST_BOX_HOST = 10
ASTERISK_UID = 801


@dataclass(frozen=True, slots=True)
class Heard:
    """What a subscriber heard of one call."""

    answered: bool
    cause: int
    """Q.850 hang-up cause as the exchange saw it; 0 = not known."""
    cause_text: str
    duration_s: float
    """From answer to hang-up, by the exchange's clock; 0 when not answered."""
    wav: Path | None
    """What came from the box, from the answer on; gone with the lab."""
    seconds: float
    level_dbfs: float
    tone_hz: float
    """The strongest frequency of the last second before the hang-up; 0 in silence."""


def write_tone(path: Path, hz: float, seconds: int = 30, level: float = 0.35) -> None:
    """A steady tone, whole cycles, so that it can be looped without a click."""
    hz = round(hz * seconds) / seconds
    samples = (int(32767 * level * math.sin(2 * math.pi * hz * i / RATE)) for i in range(RATE * seconds))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


def files(own: str, address_of: dict[str, str], host_address: str, secret: str) -> dict[str, str]:
    """The exchange's configuration: static files, address:port of itself and of the boxes, the manager's secret."""
    texts = {f"etc/exchange/{path.name}": path.read_text() for path in (HERE / "exchange").glob("*.conf")}
    texts["usr/lib/systemd/system/exchange.service"] = (HERE / "exchange/exchange.service").read_text()
    transport = f"[udp]\ntype = transport\nprotocol = udp\nbind = {own}\n\n"
    texts["etc/exchange/boxes.conf"] = transport + "".join(
        f"[{name}](box)\naors = {name}\n[{name}]\ntype = aor\ncontact = sip:{address}\n"
        f"[{name}-identify]\ntype = identify\nendpoint = {name}\nmatch = {address.partition(':')[0]}\n\n"
        for name, address in address_of.items()
    )
    texts["etc/exchange/manager.conf"] = (
        f"[general]\nenabled = yes\nport = 5038\nbindaddr = {own.partition(':')[0]}\n"
        "timestampevents = yes\n"
        f"[lab]\nsecret = {secret}\ndeny = 0.0.0.0/0.0.0.0\npermit = {host_address}/255.255.255.255\n"
        f"permit = {own.partition(':')[0]}/255.255.255.255\n"
        "read = call,user,dtmf\nwrite = originate,call,command,system\nwritetimeout = 1000\n"
    )
    return texts


def make_share(folder: Path) -> Path:
    """The folder that host and exchange share: sounds to play, what was heard, the exchange's own count."""
    for name in ("audio", "heard", "log/cdr-csv"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_tone(folder / "audio/caller.wav", CALLER_TONE_HZ)
    write_tone(folder / "audio/called.wav", CALLED_TONE_HZ)
    subprocess.run(["chown", "-R", f"{ASTERISK_UID}:{ASTERISK_UID}", str(folder)], check=True, timeout=10)
    return folder


class Call:
    """One call that a subscriber made; end it with `hang_up`, then read `heard`."""

    def __init__(self, exchange: "Exchange", call_id: str) -> None:
        self._exchange, self.id = exchange, call_id
        self._news = threading.Condition()
        self._steps: dict[str, float] = {}
        self._stamps: dict[str, float] = {}
        """The same by the exchange's own clock: the machine may be busy and this process late."""
        self._cause = (0, "")

    def on_event(self, message: Message) -> None:
        with self._news:
            match message["Event"]:
                case "UserEvent" if message.get("LabId") == self.id:
                    self._steps.setdefault(message["Step"], time.monotonic())
                    self._stamps.setdefault(message["Step"], float(message["Timestamp"]))
                case "Hangup" if message.get("Uniqueid") == self.id:
                    self._cause = (int(message.get("Cause") or 0), message.get("Cause-txt", ""))
                    self._steps["ended"] = time.monotonic()
                    self._stamps["ended"] = float(message["Timestamp"])
                case "OriginateResponse" if message.get("ActionID") == self.id and message["Response"] == "Failure":
                    if self._exchange.has_channel(self.id):
                        return  # its Hangup follows, with the cause
                    self._steps.setdefault("ended", time.monotonic())
                case _:
                    return
            self._news.notify_all()

    def when(self, step: str) -> float | None:
        """Monotonic second of a step: answered, keying (before the digits), digits, talk, ended. None: not (yet)."""
        return self._steps.get(step)

    def wait(self, step: str, limit_s: float) -> bool:
        """Until the step, or the call's end, or the limit; says whether the step came."""
        with self._news:
            self._news.wait_for(lambda: step in self._steps or "ended" in self._steps, limit_s)
            return step in self._steps

    @property
    def over(self) -> bool:
        return "ended" in self._steps

    def hang_up(self, cause: int = 16) -> None:
        if not self.over:
            self._exchange.hang_up(self.id, cause)
            if not self.wait("ended", 10):
                raise LabError(f"call {self.id} did not end 10 s after its hang-up")

    def send_digits(self, digits: str) -> None:
        """DTMF now, beside what is being played."""
        for digit in digits:
            self._exchange.ami.action("PlayDTMF", Channel=self._exchange.channel(self.id), Digit=digit, Duration="150")

    def heard(self) -> Heard:
        """Reads the recording; the call must be over."""
        if not self.over:
            raise LabError(f"call {self.id} is still up")
        if self.when("answered") is None:
            return Heard(False, *self._cause, 0.0, None, 0.0, -math.inf, 0.0)
        wav = self._exchange.share / f"heard/{self.id}.wav"
        until(f"{wav.name} is closed", wav.with_suffix(".done").exists, limit_s=10)
        sound = read_wav(wav)
        samples = sound.channels[0]
        rms = float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0
        level = 20 * math.log10(rms) if rms > 0 else -math.inf
        duration = self._stamps["ended"] - self._stamps["answered"]
        return Heard(True, *self._cause, duration, wav, sound.seconds, level, strongest_hz(samples[-sound.rate :]))


def strongest_hz(samples: "np.ndarray[tuple[int], np.dtype[np.float64]]", rate: int = RATE) -> float:
    """The frequency with the most energy, to about 1 Hz; 0 below −60 dBFS."""
    if len(samples) < rate // 10 or float(np.mean(samples**2)) < 1e-6:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 16))
    return float(np.argmax(spectrum[1:]) + 1) * rate / (1 << 16)


class Exchange(Machine):
    """Usable also from another process than the lab's owner (`sa800-lab call`): give it the lab's record."""

    ami: Ami
    share: Path

    def connect(self, secret: str) -> None:
        assert self.plan.share is not None
        self.share = self.plan.share
        self.ami = Ami(self.address, "lab", secret)
        self._ids = itertools.count(1)
        self._prefix = f"call-{secrets.token_hex(3)}"
        self._channels: dict[str, str] = {}
        self._received: list[Message] = []
        self._news = threading.Condition()
        self.ami.listeners.append(self._on_event)

    def _on_event(self, message: Message) -> None:
        with self._news:
            match message["Event"]:
                case "Newchannel":
                    self._channels[message["Uniqueid"]] = message["Channel"]
                case "Hangup":
                    self._channels.pop(message["Uniqueid"], None)
                case "UserEvent" if message.get("UserEvent") == "LabIn":
                    self._received.append(message)
                case _:
                    return
            self._news.notify_all()

    def has_channel(self, unique_id: str) -> bool:
        with self._news:
            return unique_id in self._channels

    def channel(self, unique_id: str) -> str:
        """Raises LabError when the call has no channel (any more)."""
        with self._news:
            if unique_id not in self._channels:
                raise LabError(f"no channel for {unique_id}")
            return self._channels[unique_id]

    def hang_up(self, unique_id: str, cause: int) -> None:
        with self._news:
            channel = self._channels.get(unique_id)
        if channel is not None:
            self.ami.action("Hangup", Channel=channel, Cause=str(cause))

    def channels(self) -> int:
        """How many calls the exchange has up, in and out."""
        with self._news:
            return len(self._channels)

    def dial(
        self, from_: str, to: str, *, digits: str = "", digits_after_s: float | None = None, audio: Path | None = None,
        silent: bool = False, box: str = "box1", name: str = "", limit_s: int = LONGEST_CALL_S, ring_s: float = 60.0,
    ) -> Call:  # fmt: skip
        """A subscriber calls; returns at once.

        `digits` are keyed once the menu was heard (a pause after some sound), or `digits_after_s` after the answer.
        Then `audio` (any sound file; None = a steady tone of CALLER_TONE_HZ) is played until somebody hangs up.
        """
        call_id = f"{self._prefix}-{next(self._ids)}"
        call = Call(self, call_id)
        self.ami.listeners.append(call.on_event)
        variables = {
            "LAB_ID": call_id, "LAB_LIMIT": str(limit_s), "LAB_DIGITS": digits,
            "LAB_DIGITS_AFTER": "" if digits_after_s is None else f"{digits_after_s:.3f}",
            "LAB_AUDIO": "" if silent else self._audio(call_id, audio),
        }  # fmt: skip
        self.ami.action(
            "Originate", variables, Channel=f"PJSIP/{to}@{box}", ChannelId=call_id, Context="caller", Exten="s",
            Priority="1", CallerID=f'"{name}" <{from_}>' if name else f"<{from_}>", Async="true",
            Timeout=str(int(ring_s * 1000)), ActionID=call_id,
        )  # fmt: skip
        return call

    def call(
        self, from_: str, to: str, *, talk_s: float = 5.0, answer_s: float = 30.0, digits: str = "",
        digits_after_s: float | None = None, audio: Path | None = None, box: str = "box1", name: str = "",
    ) -> Heard:  # fmt: skip
        """A whole call: dial, key `digits`, talk `talk_s` seconds, hang up (or be hung up), say what was heard."""
        call = self.dial(
            from_, to, digits=digits, digits_after_s=digits_after_s, audio=audio, box=box, name=name, ring_s=answer_s
        )
        if call.wait("answered", answer_s + 5) and call.wait("talk", 75):
            call.wait("ended", talk_s)
        call.hang_up()
        return call.heard()

    def _audio(self, call_id: str, given: Path | None) -> str:
        if given is None:
            return "/srv/lab/audio/caller"
        target = self.share / f"audio/{call_id}.wav"
        command = ["sox", str(given), "-r", str(RATE), "-c", "1", "-b", "16", str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise LabError(f"{given} cannot be played: {done.stderr.strip()}")
        return f"/srv/lab/audio/{call_id}"

    def received(self, limit_s: float, count: int = 1) -> list[Message]:
        """Calls that boxes made to the public network so far (Number, From, LabId); waits for the `count`-th."""
        with self._news:
            if not self._news.wait_for(lambda: len(self._received) >= count, limit_s):
                raise LabError(f"{len(self._received)} calls came from boxes within {limit_s:g} s, not {count}")
            return list(self._received)

    def cdrs(self) -> list[dict[str, str]]:
        """The exchange's own count: one row a finished call, as its own CDR says."""
        path = self.share / "log/cdr-csv/Master.csv"
        names = (
            "accountcode", "src", "dst", "context", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start",
            "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
        )  # fmt: skip
        if not path.is_file():
            return []
        with path.open(newline="") as file:
            return [dict(zip(names, row, strict=False)) for row in csv.reader(file)]
