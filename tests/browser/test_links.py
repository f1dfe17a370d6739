"""The page of link probes: a peer is added, the link to it probed over a bottleneck; the page says what it carries."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.box.api import Api, person, until_async
from tests.box.office import ADMIN, make_admin
from tests.browser.driver import chromium
from tests.browser.seat import first_start
from tests.browser.test_pages import speaks
from tests.browser.tour import PHONE, WIDE, Tour
from tests.lab.badlink import bottleneck
from tests.lab.lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SECRET = "theSameAtBothBoxes24"


@dataclass
class Room:
    lab: Lab
    page: Page
    api: Api

    def get(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    async def ended(self) -> None:
        await expect(self.get("link-running")).to_have_count(0, timeout=90_000)


@pytest.fixture(scope="module")
def two(nothing_left: None) -> Iterator[Lab]:
    with Lab(boxes=2) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(two: Lab) -> AsyncIterator[Room]:
    box, other = two.boxes
    await make_admin(other)
    async with person(other.panel_url, ADMIN, trust=other.trust()) as there:
        await there.change("peers/head", {"id": "head", "name": "总部", "secret": SECRET})
        assert (await there.apply())["state"] == "done"
        await until_async(partial(there.get, "/link-probes"), lambda got: got["listening"], 30, "the port is shut")
        async with chromium(panel=box.panel_url) as browser:
            page = await browser.new_page()
            await first_start(page, box, ADMIN)
            await page.get_by_test_id("desk-state").wait_for()
            async with person(box.panel_url, ADMIN, trust=box.trust()) as api:
                yield Room(two, page, api)


async def test_a_peer_is_added_and_applied(room: Room) -> None:
    await room.page.goto("/links")
    await expect(room.get("link-no-peers")).to_be_visible()
    await room.get("btn-add-peer").click()
    await room.get("field-name").fill("深圳分店")
    await room.get("field-host").fill(room.lab.boxes[1].address)
    await room.get("field-secret").fill(SECRET)
    await room.get("btn-save").click()
    await expect(room.get("peer-row")).to_contain_text("深圳分店")
    await room.get("btn-review").click()
    await room.get("btn-apply").click()
    await expect(room.get("apply-job")).to_have_attribute("data-state", "done", timeout=60_000)
    await room.get("btn-close-apply").click()
    await room.page.reload()
    await expect(room.get("link-peer")).to_contain_text("深圳分店")


async def test_a_bottleneck_is_seen_and_said(room: Room) -> None:
    await room.page.goto("/links")
    await room.get("link-seconds").locator("input").fill("4")
    with bottleneck(room.lab.boxes[0].plan.namespace, "1500kbit"):
        await room.get("btn-probe").click()
        await expect(room.get("link-running").get_by_test_id("link-chart")).to_be_visible(timeout=60_000)
        await room.ended()
    shown = room.get("link-result")
    await expect(shown).to_have_attribute("data-state", "done")
    await expect(shown).to_have_attribute("data-good", "10")
    said = room.get("link-conclusion")
    await expect(said).to_contain_text("10 路同时通话，质量良好。")
    await expect(said).to_contain_text("30 路时质量差：本机 → 深圳分店，主要因为丢包。")
    await expect(room.get("link-early")).to_be_visible()
    await expect(room.get("link-figures-row")).to_have_count(6)
    await expect(room.get("probe-row")).to_have_count(1)


async def test_a_probe_is_stopped_and_an_earlier_one_is_looked_at(room: Room) -> None:
    await room.page.goto("/links")
    await room.get("link-step-30").click()
    await room.get("btn-probe").click()
    await expect(room.get("link-running").get_by_test_id("link-chart")).to_be_visible(timeout=60_000)
    await room.get("btn-probe-stop").click()
    await room.ended()
    await expect(room.get("link-result")).to_have_attribute("data-state", "stopped")
    await expect(room.get("probe-row")).to_have_count(2)
    await room.get("probe-row").last.click()
    await expect(room.get("link-result")).to_have_attribute("data-good", "10")


async def test_calls_are_asked_about(room: Room) -> None:
    call = room.lab.exchange.dial("13800138000", "075588886666", box=room.lab.boxes[1].name)
    try:
        there = room.lab.boxes[1]
        async with person(there.panel_url, ADMIN, trust=there.trust()) as api:
            await until_async(partial(api.get, "/link-probes"), lambda got: got["calls"] == 1, 30, "no call is up")
        await room.page.goto("/links")
        await room.get("link-step-10").click()
        await room.get("link-step-30").click()
        await room.get("link-seconds").locator("input").fill("3")
        await room.get("btn-probe").click()
        await expect(room.get("link-result")).to_have_attribute("data-reason", "calls", timeout=30_000)
        await room.get("btn-in-spite").click()
        await room.page.locator(".el-message-box .el-button--danger").click()
        await room.get("link-running").wait_for()
        await room.ended()
        await expect(room.get("link-result")).to_have_attribute("data-good", "1")
    finally:
        call.hang_up()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_page_in_both_languages_wide_and_on_a_phone(room: Room, tmp_path: Path, language: str) -> None:
    tour = Tour(room.page, room.lab.boxes[0].panel_url)
    await tour.begin()
    for name, size in ("wide", WIDE), ("phone", PHONE):
        await tour.visit("/links", "[data-testid=link-result]", (size,), tmp_path, f"{name}-{language}")
        await speaks(room.page, language)
        await room.get("probe-row").last.click()
        await expect(room.get("link-result")).to_have_attribute("data-good", "10")
        await tour.look()
        await room.page.screenshot(path=tmp_path / f"{name}-{language}-full.png", full_page=True)
    assert not tour.wrong, "\n".join(tour.wrong)
