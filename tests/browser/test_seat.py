"""A seat's day in the browser: ring, answer, hold, mute, keys, transfer, hang up, wrap-up, dial out."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.box.office import host_address, phone_secrets
from tests.browser.desk import RATE, SEAT_HZ, Desk, ended, hang_up, loudness, numbers, seated
from tests.callers.audio import read_wav, tone_share
from tests.callers.client import phones
from tests.lab.ami import Message
from tests.lab.exchange import CALLED_TONE_HZ, CALLER_TONE_HZ, Exchange
from tests.lab.lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

COLLEAGUE = "1011"
COLLEAGUE_HZ = 611.0
SILENCE = 0.003
"""Root mean square; G.711's own quiet is below."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with seated(lab, tmp_path_factory.mktemp("seat")) as made:
        yield made


class Keys:
    """Digits that a subscriber's line receives."""

    def __init__(self, exchange: Exchange, call_id: str) -> None:
        self._call_id, self._news, self._got = call_id, threading.Condition(), ""
        exchange.ami.listeners.append(self._on_event)

    def _on_event(self, message: Message) -> None:
        ours = message["Event"] == "DTMFEnd" and message.get("Uniqueid") == self._call_id
        if ours and message.get("Direction") == "Received":
            with self._news:
                self._got += message["Digit"]
                self._news.notify_all()

    def wait(self, digits: str, limit_s: float = 10.0) -> str:
        with self._news:
            self._news.wait_for(lambda: len(self._got) >= len(digits), limit_s)
            return self._got


async def test_a_call_is_answered_held_muted_and_keyed(desk: Desk) -> None:
    caller = str(next(numbers))
    call = await desk.rings(caller)
    await expect(desk.get("pop-queue")).to_have_text("客服")
    await expect(desk.get("pop-did")).to_contain_text("总机")
    await expect(desk.get("pop-menu-path")).to_have_text("主菜单 → 1")
    await desk.state("ringing")
    await desk.get("btn-answer").click()
    await desk.call("talking")
    await desk.state("talking")
    talk = await desk.listens()

    await desk.get("btn-hold").click()
    await desk.call("held")
    held = await desk.listens()
    await desk.state("held")
    await desk.get("btn-hold").click()
    await desk.call("talking")
    again = await desk.listens()

    await desk.get("btn-mute").click()
    await expect(desk.get("call-muted")).to_be_visible()
    muted = await desk.listens()
    await desk.get("btn-mute").click()
    await expect(desk.get("call-muted")).to_have_count(0)

    keys = Keys(desk.lab.exchange, call.id)
    await desk.get("btn-keypad").click()
    for key in "5", "#":
        await desk.get(f"key-{key}").click()
    assert await asyncio.to_thread(keys.wait, "5#") == "5#"

    await hang_up(call)
    await desk.no_call()
    for name, stretch in {"talk": talk, "after hold": again}.items():
        assert stretch.page_share > 0.8, f"{name}: the page hears the caller"
        assert stretch.caller_share(call) > 0.8, f"{name}: the caller hears the seat"
    assert held.caller_share(call) < 0.3, "on hold the caller does not hear the seat"
    assert loudness(held.caller(call)) > SILENCE, "on hold the caller hears music"
    assert loudness(muted.caller(call)) < SILENCE, "muted, the caller hears nothing"
    assert muted.page_share > 0.8, "muted, the page hears the caller all the same"
    record = await desk.api.record_of(caller)
    assert (record["result"], record["extension"], record["hangup_by"]) == ("answered", "1001", "caller")
    assert record["hold_ms"] > 1000
    await desk.ready()


async def test_blind_transfer_to_a_sip_phone(desk: Desk, tmp_path: Path) -> None:
    caller = str(next(numbers))
    async with phones(host_address(desk.box)) as farm:
        await farm.add(
            COLLEAGUE, domain=desk.box.address, secret=phone_secrets(desk.box)[COLLEAGUE], tone_hz=COLLEAGUE_HZ,
            answer_after_s=0.3, record_dir=str(tmp_path),
        )  # fmt: skip
        call = await desk.talks(caller)
        await desk.get("btn-transfer").click()
        await desk.get("input-transfer").fill(COLLEAGUE)
        await desk.get("btn-transfer-blind").click()
        await farm.wait("answered", ext=COLLEAGUE)
        await desk.no_call()
        assert not await ended(call, 3), "the caller stays, now with the colleague"
        await hang_up(call)
        recorded = await farm.wait("ended", ext=COLLEAGUE)
    sound = read_wav(Path(recorded["wav"]))  # finished for certain once the phones have ended
    wav = call.heard().wav
    assert wav is not None
    caller_heard = read_wav(wav).channels[0][-2 * RATE :]
    assert tone_share(caller_heard, RATE, COLLEAGUE_HZ) > 0.8, "the caller hears the colleague"
    assert tone_share(sound.channels[0][-2 * sound.rate :], sound.rate, CALLER_TONE_HZ) > 0.8
    record = await desk.api.record_of(caller)
    assert (record["result"], record["transfers"], record["extension"]) == ("answered", 1, COLLEAGUE)
    assert {"1001", COLLEAGUE} <= {leg["extension"] for leg in record["legs"]}
    assert any(item["kind"] == "transfer" for item in record["timeline"])
    await desk.ready()


async def test_hang_up_at_the_page_then_wrap_up_counts_down_to_idle(desk: Desk) -> None:
    caller = str(next(numbers))
    call = await desk.talks(caller, digit="2")
    await desk.get("btn-hangup").click()
    assert await ended(call)
    await desk.state("wrap_up")
    left = desk.get("wrap-up-left")
    first = await left.inner_text()
    await expect(left).not_to_have_text(first)
    assert seconds_of(await left.inner_text()) < seconds_of(first) <= 10
    await desk.state("idle", 20)
    record = await desk.api.record_of(caller)
    assert (record["queue"], record["hangup_by"]) == ("sales", "callee")


def seconds_of(text: str) -> int:
    """Of a duration as the page writes it, such as 0:07."""
    minutes, seconds = re.findall(r"\d+", text)[-2:]
    return int(minutes) * 60 + int(seconds)


async def test_a_call_by_the_dial_box_is_heard_and_recorded(desk: Desk, tmp_path: Path) -> None:
    number = "075500000001"
    await desk.get("input-dial").fill(f"9 {number[:4]} {number[4:]}")
    await desk.get("btn-dial").click()
    await desk.call("dialling")
    await desk.call("talking")
    talk = await desk.listens()
    assert tone_share(talk.page, RATE, CALLED_TONE_HZ) > 0.8
    await desk.get("btn-hangup").click()
    await desk.no_call()
    record = await desk.api.record_of("1001")
    assert (record["direction"], record["result"]) == ("outbound", "answered")
    assert record["called_number"].endswith(number)
    assert 1 < record["recording"]["seconds"] < 15
    answer = await desk.page.request.get(f"/api/v1/records/{record['call_id']}/recording")
    (tmp_path / "recording.wav").write_bytes(await answer.body())
    sides = read_wav(tmp_path / "recording.wav").channels
    for tone_hz in SEAT_HZ, CALLED_TONE_HZ:
        assert max(tone_share(side[-RATE:], RATE, tone_hz) for side in sides) > 0.8, f"{tone_hz:g} Hz is recorded"
    await desk.state("idle")
