"""A seat at its desk: one real browser on a real box, calls from the exchange, and what both sides heard of them."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Locator, Page, expect

from tests.box.api import Api, person
from tests.box.office import ADMIN
from tests.browser.driver import chromium, hear, write_tone
from tests.browser.seat import first_start, take_seat
from tests.callers.audio import read_wav, tone_share
from tests.lab.exchange import CALLER_TONE_HZ, Call
from tests.lab.lab import Box, Lab

DID = "075588886666"
SEAT_HZ = 797.0
RATE = 8000
EDGE_S = 0.25
"""Cut from both ends of a stretch in the exchange's recording: the way through the box, jitter buffers."""
SETTLE_BLOCKS = 5
JUDGED_BLOCKS = 12

Samples = NDArray[np.float64]
numbers = itertools.count(13900000001)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a talk: what the page heard of it, and when it was (monotonic seconds)."""

    page: Samples
    begin: float
    end: float

    @property
    def page_share(self) -> float:
        """How much of what the page heard is the caller's tone."""
        return tone_share(self.page, RATE, CALLER_TONE_HZ)

    def caller(self, call: Call) -> Samples:
        """What the caller heard meanwhile; the call must be over."""
        wav, answered = call.heard().wav, call.when("answered")
        assert wav is not None
        assert answered is not None
        sound = read_wav(wav)
        first, last = self.begin - answered + EDGE_S, self.end - answered - EDGE_S
        piece = sound.channels[0][int(first * sound.rate) : int(last * sound.rate)]
        assert len(piece) > sound.rate / 2, "the exchange's recording does not hold the stretch"
        return piece

    def caller_share(self, call: Call) -> float:
        """How much of what the caller heard is the seat's tone."""
        return tone_share(self.caller(call), RATE, SEAT_HZ)


def loudness(samples: Samples) -> float:
    """Root mean square, full scale 1."""
    return float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0


@dataclass
class Desk:
    lab: Lab
    page: Page
    api: Api

    @property
    def box(self) -> Box:
        return self.lab.box()

    def get(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    async def state(self, state: str, limit_s: float = 30.0) -> None:
        await expect(self.get("desk-state")).to_have_attribute("data-state", state, timeout=limit_s * 1000)

    async def phone(self, state: str, limit_s: float = 15.0) -> None:
        await expect(self.get("phone-state")).to_have_attribute("data-state", state, timeout=limit_s * 1000)

    async def call(self, state: str, limit_s: float = 20.0) -> None:
        await expect(self.get("call-card")).to_have_attribute("data-state", state, timeout=limit_s * 1000)

    async def no_call(self, limit_s: float = 15.0) -> None:
        await expect(self.get("call-card")).to_have_count(0, timeout=limit_s * 1000)

    async def rings(self, caller: str, digit: str = "1") -> Call:
        """A subscriber calls, keys the digit, and the page rings with their number on it."""
        call = self.lab.exchange.dial(caller, DID, digits=digit, digits_after_s=1.5, limit_s=120)
        await self.call("ringing", 40)
        await expect(self.get("pop-number")).to_have_text(caller)
        return call

    async def talks(self, caller: str, digit: str = "1") -> Call:
        call = await self.rings(caller, digit)
        await self.get("btn-answer").click()
        await self.call("talking")
        return call

    async def listens(self, blocks: int = JUDGED_BLOCKS, *, settle: int = SETTLE_BLOCKS) -> Stretch:
        """About 1.5 s of the talk, after a moment for the last change to take effect."""
        if settle:
            await hear(self.page, 0, skip=settle)
        begin = time.monotonic()
        return Stretch(await hear(self.page, blocks), begin, time.monotonic())

    async def ready(self) -> None:
        """Idle without waiting for the end of wrap-up."""
        await self.no_call()
        if await self.get("desk-state").get_attribute("data-state") != "idle":
            await self.get("btn-idle").click()
        await self.state("idle")


async def hang_up(call: Call) -> None:
    """The subscriber hangs up."""
    await asyncio.to_thread(call.hang_up)


async def ended(call: Call, limit_s: float = 15.0) -> bool:
    """Whether the subscriber was hung up on."""
    return await asyncio.to_thread(call.wait, "ended", limit_s)


@asynccontextmanager
async def seated(lab: Lab, folder: Path, namespace: str = "") -> AsyncIterator[Desk]:
    """First start by the one-time link, then the seat; both as a newcomer does it, in the network `namespace`."""
    microphone = folder / "seat.wav"
    write_tone(microphone, SEAT_HZ)
    box = lab.box()
    async with chromium(microphone, panel=box.panel_url, namespace=namespace) as browser:
        page = await browser.new_page()
        await first_start(page, box, ADMIN)
        await take_seat(page)
        async with person(box.panel_url, ADMIN, trust=box.trust()) as api:
            yield Desk(lab, page, api)
