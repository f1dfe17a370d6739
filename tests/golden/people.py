"""A box that runs the golden case `full`, with phones of two addresses: the exchange's 127.0.0.2, the seats' 127.0.0.3.

The exchange is a phone too: what comes from its address is the trunk `exchange`, whatever it calls itself.
"""

import asyncio
import io
import wave
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from appliance_agent.render.render import render
from contracts.paths import RECORDING_SIDES
from tests.callers.client import Phones, phones
from tests.golden import cases
from tests.golden.starter import Box, running

CASE = "full"
EXCHANGE_PORT = 5062
TRUNK = "trunk-exchange"
AGAIN_S = 0.1
"""Between two questions to Asterisk: it tells nobody by itself that a contact answers."""
SIP = "127.0.0.1:5060"
CALLER = "13800138000"
CALLER_HZ, PROMPT_HZ, MUSIC_HZ = 440, 600, 300
SEATS = {"1001": 700, "1002": 900, "9001": 1100}
"""Extension → its tone."""


@dataclass(slots=True)
class Scene:
    box: Box
    exchange: Phones
    seats: Phones
    folder: Path

    async def seat(self, ext: str, **options: Any) -> None:
        """A seat's phone: registers, plays its tone, records what it hears."""
        secret = f"phone{ext}Secret"
        await self.seats.add(
            ext,
            domain=SIP,
            secret=secret,
            tone_hz=SEATS[ext],
            record_dir=str(self.folder),
            **{"answer": "auto", **options},
        )

    async def outside(self, number: str = CALLER, **options: Any) -> None:
        """A party in the public network. It does not register: the trunk is known by its address."""
        options = {"register": False, "record_dir": str(self.folder), **options}
        await self.exchange.send("add", ext=number, domain=SIP, secret="none", tone_hz=CALLER_HZ, **options)

    async def log_in(self, queue: str, *extensions: str) -> None:
        for extension in extensions:
            out = await self.box.cli(f"queue add member PJSIP/{extension} to {queue} penalty 0 as {extension}")
            assert "Added interface" in out, out

    def recording(self, name: str) -> Path:
        """Its base in the spool: see `sides`."""
        return self.box.root / "var/spool/asterisk/sa800" / name

    async def recorded(self, name: str, seconds: float) -> None:
        """Waits until the recording is that much longer than now."""
        files = sides(self.recording(name))
        wanted = [file.stat().st_size + int(seconds * 8000 * 2) for file in files]
        await self.box.row(lambda _: all(file.stat().st_size >= size for file, size in zip(files, wanted, strict=True)))


async def reachable(box: Box, trunk: str, limit_s: float = 30.0) -> None:
    """Until Asterisk has seen the other end of the trunk answer: it asked already, perhaps before that end was up."""
    end = asyncio.get_running_loop().time() + limit_s
    while " Avail " not in (said := await box.cli(f"pjsip show aor {trunk}")):
        assert asyncio.get_running_loop().time() < end, said
        await box.cli(f"pjsip qualify {trunk}")
        await asyncio.sleep(AGAIN_S)


def sides(base: Path) -> tuple[Path, Path]:
    came, went = (base.with_name(base.name + side) for side in RECORDING_SIDES)
    return came, went


def tone(hertz: int, seconds: float) -> bytes:
    """A wav of one tone, 8 kHz mono."""
    time = np.arange(int(8000 * seconds)) / 8000
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((np.sin(2 * np.pi * hertz * time) * 8000).astype("<i2").tobytes())
    return out.getvalue()


async def open_scene(stack: AsyncExitStack, root: Path, folder: Path) -> Scene:
    desired = cases.desired(CASE)
    prompts = {prompt.id: tone(PROMPT_HZ, 1.0) for prompt in desired.prompts}
    prompts["4" * 32] = tone(MUSIC_HZ, 5.0)
    files = render(desired, cases.facts(CASE))
    box = await stack.enter_async_context(running(root, files, folder / "box", prompts=prompts))
    exchange = await stack.enter_async_context(phones("127.0.0.2", enter=box.enter, port=EXCHANGE_PORT))
    await reachable(box, TRUNK)
    seats = await stack.enter_async_context(phones("127.0.0.3", enter=box.enter))
    return Scene(box, exchange, seats, folder)
