"""Attended transfer at the page: the colleague is asked first, then connected with the caller, or not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.box.office import host_address, phone_secrets
from tests.browser.desk import RATE, SEAT_HZ, Desk, ended, hang_up, numbers, seated
from tests.callers.audio import read_wav, tone_share
from tests.callers.client import Phones, phones
from tests.lab.exchange import CALLER_TONE_HZ, Call
from tests.lab.lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

COLLEAGUE = "1011"
COLLEAGUE_HZ = 611.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with seated(lab, tmp_path_factory.mktemp("consultation")) as made:
        yield made


@asynccontextmanager
async def colleague(desk: Desk, recordings: Path) -> AsyncIterator[Phones]:
    """A SIP phone that answers by itself and says its tone."""
    async with phones(host_address(desk.box)) as farm:
        await farm.add(
            COLLEAGUE, domain=desk.box.address, secret=phone_secrets(desk.box)[COLLEAGUE], tone_hz=COLLEAGUE_HZ,
            answer_after_s=0.3, record_dir=str(recordings),
        )  # fmt: skip
        yield farm


async def asks(desk: Desk, caller: str) -> Call:
    """The seat talks with the caller, holds them, and talks with the colleague."""
    call = await desk.talks(caller)
    await desk.listens()
    await desk.get("btn-transfer").click()
    await desk.get("input-transfer").fill(COLLEAGUE)
    await desk.get("btn-transfer-attended").click()
    await expect(desk.get("consultation")).to_have_attribute("data-state", "talking", timeout=20_000)
    await desk.call("held")
    return call


async def test_the_caller_is_connected_with_the_colleague(desk: Desk, tmp_path: Path) -> None:
    caller = str(next(numbers))
    async with colleague(desk, tmp_path) as farm:
        call = await asks(desk, caller)
        asked = await desk.listens()
        await desk.get("btn-join").click()
        await desk.no_call()
        assert not await ended(call, 3), "the caller stays, now with the colleague"
        await hang_up(call)
        recorded = await farm.wait("ended", ext=COLLEAGUE)
    assert tone_share(asked.page, RATE, COLLEAGUE_HZ) > 0.8, "the seat hears the colleague"
    assert asked.caller_share(call) < 0.3, "the caller does not hear the consultation"
    sound = read_wav(Path(recorded["wav"]))  # finished for certain once the phones have ended
    assert tone_share(sound.channels[0][-2 * sound.rate :], sound.rate, CALLER_TONE_HZ) > 0.8
    wav = call.heard().wav
    assert wav is not None
    assert tone_share(read_wav(wav).channels[0][-2 * RATE :], RATE, COLLEAGUE_HZ) > 0.8, (
        "the caller hears the colleague"
    )
    record = await desk.api.record_of(caller)
    assert (record["result"], record["transfers"], record["extension"]) == ("answered", 1, COLLEAGUE)
    assert {"1001", COLLEAGUE} <= {leg["extension"] for leg in record["legs"]}
    said = [item["detail"] for item in record["timeline"] if item["kind"] == "transfer"]
    assert said == [{"kind": "attended", "by": "1001", "to": COLLEAGUE}]
    assert (await desk.api.get("/records"))["total"] == 1, "the consultation is part of the caller's record"
    await desk.ready()


async def test_back_to_the_caller(desk: Desk, tmp_path: Path) -> None:
    caller = str(next(numbers))
    async with colleague(desk, tmp_path) as farm:
        call = await asks(desk, caller)
        await desk.get("btn-consult-back").click()
        await farm.wait("ended", ext=COLLEAGUE)
        await desk.call("talking")
        again = await desk.listens()
        assert not await asyncio.to_thread(call.wait, "ended", 0)
        await hang_up(call)
    await desk.no_call()
    assert again.page_share > 0.8, "the seat hears the caller again"
    assert tone_share(again.caller(call), RATE, SEAT_HZ) > 0.8, "the caller hears the seat again"
    record = await desk.api.record_of(caller)
    assert (record["result"], record["transfers"], record["extension"]) == ("answered", 0, "1001")
    assert record["hold_ms"] > 0
    await desk.ready()
