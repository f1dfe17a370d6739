"""Calls whose packets the tests make themselves: a bare RTP channel of the real Asterisk (chan_rtp), and a peer that
sends as a network would deliver. What comes back is heard as a telephone line hears it."""

import asyncio
import json
import random
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tests.callers.audio import Samples
from tests.golden.starter import Box

Found = TypeVar("Found")

PEER, SIP_PEER = (Path(__file__).with_name(name) for name in ("rtp_peer.py", "sip_peer.py"))
SIP_ADDRESS = "127.0.0.7"
ALAW_MAP, OPUS_MAP = "8 PCMA/8000", "111 opus/48000/2"
"""Codecs as SDP has them, with RTP's payload type."""
ROOT = PEER.parents[2]
PACKET = 160
ALAW, NOISE = 8, 13
SILENCE = b"\xd5" * PACKET
LIMIT_S, AGAIN_S = 30.0, 0.05
LINE_BLOCKS = 4
"""A line holds so many blocks of 20 ms that wait for it (DAHDI's own buffers)."""
MORE_MODULES = "".join(
    f"load = {name}.so\n" for name in ("res_rtp_multicast", "chan_rtp", "app_echo", "res_clioriginate")
)
DIALPLAN = """
[test]
exten => ours,1,Set(SA_JITTER()=on)
 same => n,Goto(echo,1)
exten => theirs,1,Set(JITTERBUFFER(adaptive)=default)
 same => n,Goto(echo,1)
exten => echo,1,Answer()
 same => n,Echo()
exten => wrong,1,Set(SA_JITTER()=much)
 same => n,Set(SA_JITTER(stats)=on)
 same => n,Set(ANSWER=${SA_JITTER(colour)})
 same => n,Goto(echo,1)
"""


ENDPOINT = f"""
[peer]
type = endpoint
context = test
allow = !all,opus,alaw
direct_media = no
[peer]
type = identify
endpoint = peer
match = {SIP_ADDRESS}
"""
"""From there a call may come by SIP."""


class Packet(NamedTuple):
    at_ms: float
    """When it is there."""
    sequence: int
    timestamp: int
    kind: int
    """RTP's payload type."""
    payload: str
    """In hex."""

    def at(self, at_ms: float) -> "Packet":
        return self._replace(at_ms=at_ms)


def _levels() -> NDArray[np.int16]:
    """What each byte of A-law means (G.711)."""
    code = np.arange(256) ^ 0x55
    exponent, mantissa = code >> 4 & 7, code & 15
    level = np.where(exponent == 0, 16 * mantissa + 8, (16 * mantissa + 264) << np.maximum(exponent, 1) - 1)
    return np.where(code & 0x80, level, -level).astype(np.int16)


LEVELS = _levels()


def alaw_tone(hertz: float, seconds: float) -> bytes:
    wanted = 8000 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * 8000)) / 8000)
    order = np.argsort(LEVELS)
    edges = (LEVELS[order][1:].astype(int) + LEVELS[order][:-1]) / 2
    return bytes(order[np.searchsorted(edges, wanted)].astype(np.uint8))


def decoded(alaw: bytes) -> Samples:
    return LEVELS[np.frombuffer(alaw, np.uint8)].astype(np.float64) / 32768.0


def stream(sound: bytes, *, first: int = 100, timestamp: int = 5000) -> list[Packet]:
    """20 ms a packet, each there as it is sent."""
    blocks = [sound[at : at + PACKET] for at in range(0, len(sound), PACKET)]
    return [Packet(20.0 * n, first + n, timestamp + PACKET * n, ALAW, block.hex()) for n, block in enumerate(blocks)]


def impaired(packets: list[Packet], seed: int) -> list[Packet]:
    """3 % lost, each delayed by up to 40 ms, and a stall of 200 ms in the middle."""
    chance = random.Random(seed)
    stall_ms = packets[len(packets) // 2].at_ms
    late = [packet.at(packet.at_ms + chance.random() * 40) for packet in packets if chance.random() >= 0.03]
    return [packet.at(max(packet.at_ms, stall_ms + 200)) if packet.at_ms > stall_ms else packet for packet in late]


def on_a_line(heard: list[Packet]) -> Samples:
    """As a line plays it: a block each 20 ms, silence where none is there, and what does not fit is not heard."""
    waiting: list[bytes] = []
    played: list[bytes] = []
    packets = list(heard)
    tick_ms = packets[0].at_ms + 20
    while packets or waiting:
        while packets and packets[0].at_ms <= tick_ms:
            block = bytes.fromhex(packets.pop(0).payload)
            if len(waiting) < LINE_BLOCKS:
                waiting.append(block)
        played.append(waiting.pop(0) if waiting else SILENCE)
        tick_ms += 20
    return decoded(b"".join(played))


def with_calls(files: Mapping[str, str]) -> dict[str, str]:
    """What render() gave, and what these calls need."""
    more = {"modules.conf": MORE_MODULES, "extensions.conf": DIALPLAN, "pjsip.conf": ENDPOINT}
    return {name: text + more.get(name, "") for name, text in files.items()}


@dataclass(frozen=True, slots=True)
class RtpCall:
    box: Box
    channel: str
    port: int
    """The peer's."""
    to: int
    """Asterisk's."""

    @classmethod
    async def begin(cls, box: Box, extension: str, port: int = 4000, codec: str = "alaw") -> "RtpCall":
        peer = f"127.0.0.1:{port}"
        await box.cli(f"channel originate UnicastRTP/{peer}/c({codec}) extension {extension}@test")
        name = re.compile(rf"^(UnicastRTP/{peer}[^!\n]*)!test!", re.MULTILINE)
        (channel,) = (await _until(lambda: _channels(box), name.search)).groups()
        number = re.compile(r"UNICASTRTP_LOCAL_PORT=(\d+)")
        (to,) = (await _until(lambda: box.cli(f"core show channel {channel}"), number.search)).groups()
        return cls(box, channel, port, int(to))

    @classmethod
    async def begin_sip(cls, box: Box, extension: str, port: int = 4000, codec: str = ALAW_MAP) -> "RtpCall":
        """The same by SIP: a PJSIP channel, and codecs whose payload type is agreed upon."""
        to = await _python(box, str(SIP_PEER), SIP_ADDRESS, extension, str(port), codec)
        name = re.compile(rf"^(PJSIP/peer-\w+)!(?:[^!\n]*!){{6}}{port}!", re.MULTILINE)
        (channel,) = (await _until(lambda: _channels(box), name.search)).groups()
        return cls(box, channel, port, int(to))

    async def talk(self, packets: list[Packet], more_ms: float = 500) -> list[Packet]:
        """Sends, and returns what came back until so long after the last one."""
        last_ms = max(packet.at_ms for packet in packets)
        job = {"port": self.port, "to": self.to, "packets": packets, "until_ms": last_ms + more_ms}
        return [Packet(*row) for row in json.loads(await _python(self.box, str(PEER), stdin=json.dumps(job)))]

    async def stats(self) -> dict[str, int]:
        """`${SA_JITTER(stats)}` by AMI; empty: no buffer."""
        said = await ask(self.box, "Getvar", Channel=self.channel, Variable="SA_JITTER(stats)")
        return {key: int(value) for key, value in (pair.split("=") for pair in said["Value"].split(",") if pair)}

    async def end(self) -> None:
        await self.box.cli(f"channel request hangup {self.channel}")
        await _until(lambda: _channels(self.box), lambda said: self.channel not in said)


async def listen(box: Box, port: int, for_ms: float) -> list[Packet]:
    """What comes to that port meanwhile."""
    job = {"port": port, "to": 0, "packets": [], "until_ms": for_ms}
    return [Packet(*row) for row in json.loads(await _python(box, str(PEER), stdin=json.dumps(job)))]


async def ask(box: Box, action: str, **fields: str) -> dict[str, str]:
    """One action of AMI."""
    pairs = (f"{key}={value}" for key, value in fields.items())
    answer: dict[str, str] = json.loads(await _python(box, "-m", "tests.golden.ami_ask", action, *pairs))
    return answer


async def _until(look: Callable[[], Awaitable[str]], holds: Callable[[str], Found | None]) -> Found:
    """Once Asterisk says so: it tells nobody by itself."""
    end = asyncio.get_running_loop().time() + LIMIT_S
    while not (found := holds(said := await look())):
        assert asyncio.get_running_loop().time() < end, said
        await asyncio.sleep(AGAIN_S)
    return found


async def _channels(box: Box) -> str:
    return await box.cli("core show channels concise")


async def _python(box: Box, *arguments: str, stdin: str = "") -> str:
    process = await asyncio.create_subprocess_exec(
        *box.enter, sys.executable, *arguments, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(stdin.encode())
    assert process.returncode == 0, f"{arguments}: exit {process.returncode}"
    return out.decode()
