"""A lossy call on the panel: its legs over time in the record, its trunk in the report."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.box.api import until_async
from tests.box.lossy import RTP, SOUND_BYTES, dropping
from tests.browser.desk import Desk, hang_up, numbers, seated
from tests.browser.test_pages import speaks
from tests.browser.tour import PHONE, WIDE, Tour
from tests.lab.lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

TALK_S = 22.0
"""Asterisk reports every five seconds: two windows and a little."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with seated(lab, tmp_path_factory.mktemp("quality")) as made:
        yield made


async def test_a_lossy_call_is_seen(desk: Desk, tmp_path: Path) -> None:
    lossy = f"input ip saddr {desk.lab.exchange.address} udp dport {RTP} udp length {SOUND_BYTES} numgen inc mod 6 == 0"
    caller = str(next(numbers))
    with dropping(desk.box, lossy):
        call = await desk.talks(caller)
        await asyncio.to_thread(call.wait, "ended", TALK_S)
        await hang_up(call)
    await desk.no_call()
    record = await desk.api.record_of(caller)
    await until_async(lambda: desk.api.get(f"/records/{record['call_id']}/quality"), lambda got: len(got["legs"]) == 2)
    await desk.page.goto(f"/records/{record['call_id']}")
    await _legs(desk)
    tour = Tour(desk.page, desk.box.panel_url)
    await tour.begin()
    for language in "zh", "en":
        await speaks(desk.page, language)
        for name, path, wait_for in (
            ("record", f"/records/{record['call_id']}", "[data-testid=quality-chart] canvas >> nth=1"),
            ("quality", "/reports/quality", "[data-testid=quality-heat] canvas"),
        ):
            await tour.visit(path, wait_for, (WIDE, PHONE), tmp_path, f"{name}-{language}")
    assert not tour.wrong, "\n".join(tour.wrong)
    assert await desk.get("quality-heat").get_attribute("data-cells") == "2", "the trunk and the phone, in this hour"
    await expect(desk.get("quality-row")).to_have_count(3)


async def _legs(desk: Desk) -> None:
    """The trunk's leg lost one of six on its way in; the page heard the gaps."""
    trunk, seat = desk.get("quality-leg").nth(0), desk.get("quality-leg").nth(1)
    for leg, way, verdict in (
        (trunk, "came", "poor"),
        (trunk, "went", "best"),
        (seat, "came", "best"),
        (seat, "went", "poor"),
    ):
        await expect(leg.get_by_test_id(f"quality-{way}").locator("[data-value]")).to_have_attribute(
            "data-value", verdict
        )
    await expect(desk.get("quality-buffer")).to_have_count(0)
    for shown in "loss", "jitter", "rtt", "r":
        await desk.get(f"quality-{shown}").click()
        await expect(trunk.locator("canvas")).to_be_visible()
