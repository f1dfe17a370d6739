"""The page of the telephone lines, with simulated cards: a port set up by the guide, an alarm, a card pulled."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from hal.setup.report import LineReport, Report, to_json
from tests.box.api import Api, person
from tests.box.office import ADMIN
from tests.browser.driver import chromium
from tests.browser.seat import first_start
from tests.browser.test_pages import speaks
from tests.browser.tour import PHONE, WIDE, Tour
from tests.lab.lab import Box, Lab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CARDS = "e1:2 ports:oos-"
E1_SLOT, ANALOG_SLOT = "pci:0000:05:00.0", "pci:0000:05:01.0"


@dataclass
class Room:
    box: Box
    page: Page
    api: Api

    def get(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    def port(self, line: str) -> Locator:
        return self.page.locator(f"[data-testid=port][data-line={line}]")

    async def shows(self, line: str, state: str) -> None:
        await expect(self.port(line)).to_have_attribute("data-state", state, timeout=20_000)

    async def happens(self, step: str) -> None:
        await asyncio.to_thread(self.box.happens, step)

    async def lines_page(self) -> None:
        await self.page.goto("/lines")
        await self.get("chassis").wait_for()

    async def apply(self, path: str) -> None:
        """From the bar of what waits to what runs; nobody talks, so a restart of Asterisk waits for nothing."""
        await self.get("btn-review").click()
        await self.page.locator(f"[data-testid=diff-change][data-path^='{path}']").first.wait_for()
        await self.get("btn-apply").click()
        await expect(self.get("apply-job")).to_have_attribute("data-state", "done", timeout=60_000)
        await self.get("btn-close-apply").click()
        await expect(self.get("pending-bar")).to_have_count(0)

    async def close_drawer(self) -> None:
        await self.page.keyboard.press("Escape")
        await expect(self.get("line-drawer")).to_have_count(0)


@pytest.fixture(scope="module")
def equipped(nothing_left: None) -> Iterator[Lab]:
    with Lab(cards=CARDS) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(equipped: Lab) -> AsyncIterator[Room]:
    box = equipped.box()
    async with chromium(panel=box.panel_url) as browser:
        page = await browser.new_page()
        await first_start(page, box, ADMIN)
        await page.get_by_test_id("desk-state").wait_for()
        async with person(box.panel_url, ADMIN, trust=box.trust()) as api:
            yield Room(box, page, api)


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def begins_in_chinese(room: Room) -> None:
    """Also after a test that failed while the page spoke English."""
    await speaks(room.page, "zh")


async def test_the_box_is_shown_with_its_cards(room: Room) -> None:
    await room.lines_page()
    await expect(room.get("simulated")).to_be_visible()
    await expect(room.get("card-face")).to_have_count(2)
    for line in "e1-1", "e1-2", "fxo-1", "fxo-2", "fxs-1":
        await room.shows(line, "not_configured")


async def test_an_outside_line_is_set_up_by_the_guide_and_runs(room: Room) -> None:
    await room.lines_page()
    await room.port("fxo-1").click()
    await room.get("btn-setup").click()
    await room.get("btn-next").click()
    await expect(room.get("setup-missing")).to_be_visible()
    await room.get("field-number").fill("075588880001")
    await room.get("field-name").fill("电信外线")
    await room.get("btn-next").click()
    await room.get("field-caller_id").wait_for()
    await room.get("btn-next").click()
    await room.get("field-trunk").click()
    await room.page.locator(".el-select-dropdown__item:visible").last.click()
    await room.get("field-trunk-name").fill("市话")
    await room.get("field-prefix").fill("8")
    await room.get("btn-next").click()
    for path in "fxo_ports/fxo-1", "dids/075588880001", "line_trunks/lines1", "outbound/8":
        await expect(room.get("setup-review").locator(f"[data-path='{path}']")).to_be_visible()
    await room.get("btn-finish").click()
    await expect(room.get("line-setup")).to_have_count(0)
    await room.close_drawer()
    await room.apply("fxo_ports/fxo-1")
    await room.shows("fxo-1", "in_service")
    await expect(room.port("fxo-1")).to_contain_text("电信外线")


async def test_an_alarm_comes_and_goes(room: Room) -> None:
    """On the picture, in the drawer, in the history, among the alarms; told, not asked for."""
    await room.api.change("e1_spans/e1-1", {"line": "e1-1", "name": "市话 E1", "signalling": {"kind": "pri"}})
    await room.lines_page()
    await room.apply("e1_spans/e1-1")
    await room.shows("e1-1", "in_service")
    await room.port("e1-1").click()
    await expect(room.get("line-fact-framing")).to_contain_text("HDB3")
    await expect(room.get("timeslots").locator("[data-use=signalling]")).to_have_text("16信令")
    await room.happens("alarm 1 red")
    await expect(room.get("line-alarm")).to_have_attribute("data-alarm", "red")
    await expect(room.get("alarm-count")).to_have_text("1")
    await room.happens("alarm 1 yellow")
    await expect(room.get("line-alarm")).to_have_attribute("data-alarm", "yellow")
    await room.happens("alarm 1")
    await expect(room.get("line-state")).to_have_attribute("data-value", "in_service")
    await expect(room.get("history-row")).to_have_count(2)
    await expect(room.get("alarm-count")).to_have_count(0)
    await room.close_drawer()


async def test_what_is_refused_is_told_in_the_language_of_the_page(room: Room) -> None:
    await room.lines_page()
    await room.port("e1-1").click()
    await room.get("btn-trace").click()
    alert = room.get("line-traces").get_by_test_id("error-alert")
    await expect(alert).to_have_attribute("data-key", "lines.simulated")
    await expect(alert).to_have_text("这是模拟线路，上面没有信令")
    await room.close_drawer()


async def test_what_is_wrong_with_a_field_is_told_in_the_language_of_the_page(room: Room) -> None:
    """By the key and the values that the box sends with its English sentence."""
    await room.page.goto("/admin/site")
    form = room.get("network-form")
    await form.locator("input").first.fill("5038")
    await form.get_by_test_id("btn-save-network").click()
    field = form.get_by_test_id("error-alert").locator("li")
    for language, words in ("zh", "5038 已由本机内部使用，请换一个"), ("en", "5038 is the agent's line to Asterisk"):
        await speaks(room.page, language)
        await expect(field).to_contain_text(words)
    await speaks(room.page, "zh")


async def test_a_line_is_tested_and_its_result_is_told(room: Room) -> None:
    """Followed while it runs, judged in words, kept; what cannot be tested there says why."""
    channel = (await room.api.get("/lines/fxo-1"))["channel"]
    await room.lines_page()
    await room.port("fxo-1").click()
    result = room.get("line-tests").get_by_test_id("test-result")
    for noise, verdict in ("-40", "bad"), ("-72", "good"):
        await room.happens(f"line {channel} noise_dbm0p={noise}")
        await room.get("test-seconds").locator("input").fill("3")
        await room.get("btn-test").click()
        await expect(room.get("test-running")).to_contain_text("2")
        await expect(room.get("test-running")).to_have_count(0, timeout=20_000)
        await expect(result.first).to_have_attribute("data-verdict", verdict)
    await expect(result.first.get_by_test_id("figure-noise")).to_have_text("-72 dBm0p")
    await expect(room.get("test-chart")).to_have_attribute("data-points", "2")
    await room.get("test-kind").click()
    impossible = room.page.locator(".el-select-dropdown__item:visible.is-disabled")
    await expect(impossible).to_have_count(1)
    await expect(impossible).to_contain_text("误码")
    await room.page.keyboard.press("Escape")
    await room.lines_page()
    await room.port("fxo-1").click()
    await expect(result.first).to_have_attribute("data-verdict", "good")
    await room.get("test-seconds").locator("input").fill("60")
    await room.get("btn-test").click()
    await expect(room.get("line-state")).to_have_attribute("data-value", "testing")
    await room.get("btn-test-stop").click()
    await expect(result.first).to_have_attribute("data-state", "stopped", timeout=20_000)
    await room.close_drawer()


async def test_a_line_is_taken_out_of_service_and_given_back(room: Room) -> None:
    await room.lines_page()
    await room.port("fxo-1").click()
    await room.get("btn-block").click()
    await room.page.locator(".el-message-box .el-button--danger").click()
    await expect(room.get("line-state")).to_have_attribute("data-value", "blocked")
    await room.get("btn-unblock").click()
    await expect(room.get("line-state")).to_have_attribute("data-value", "in_service")
    await room.close_drawer()


async def test_a_pulled_card_is_missed_and_its_names_are_freed(room: Room) -> None:
    await room.lines_page()
    await room.happens(f"pull {E1_SLOT}")
    await room.shows("e1-1", "missing")
    await expect(room.get("btn-forget")).to_be_visible()
    await room.happens(f"plug e1:2 {E1_SLOT}")
    await room.shows("e1-1", "in_service")
    await room.happens(f"pull {E1_SLOT}")
    await room.get("btn-forget").click()
    await room.page.locator(".el-message-box .el-button--danger").click()
    await expect(room.port("e1-2")).to_have_count(0)
    await room.shows("e1-1", "missing")  # it is configured: it is not forgotten
    await room.happens(f"plug e1:2 {E1_SLOT}")
    await room.shows("e1-1", "in_service")


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_page_in_both_languages_wide_and_on_a_phone(room: Room, tmp_path: Path, language: str) -> None:
    await room.lines_page()
    await speaks(room.page, language)
    tour = Tour(room.page, room.box.panel_url)
    await tour.begin()
    for name, size in ("wide", WIDE), ("phone", PHONE):
        await tour.visit("/lines", "[data-testid=chassis][data-connected=true]", (size,), tmp_path, name)
        for line in "e1-1", "fxo-1", "fxs-1":
            await room.port(line).click()
            await room.get("line-facts").wait_for()
            await tour.look()
            await room.page.screenshot(path=tmp_path / f"{name}-{line}.png")
            await room.close_drawer()
    assert not tour.wrong, "\n".join(tour.wrong)


async def sa800_lines_reports(room: Room, *lines: str) -> None:
    """What `sa800-lines` writes when a card came; behind simulated cards there is no kernel for it to run on."""
    found = {line: await room.api.get(f"/lines/{line}") for line in lines}
    told = [LineReport(line, one["span"], one["channel"], 1, configured=True) for line, one in found.items()]
    report = room.box.path("/run/sa800-lines/report.json")
    await asyncio.to_thread(report.parent.mkdir, exist_ok=True)
    await asyncio.to_thread(report.write_text, to_json(Report(tuple(told))))


async def test_a_version_that_the_box_made_says_why_in_the_language_of_the_page(room: Room, tmp_path: Path) -> None:
    """A card that was away when what runs was applied comes back: the box takes its line in by itself."""
    await room.happens(f"pull {ANALOG_SLOT}")
    await room.lines_page()
    await room.shows("fxo-1", "missing")
    await room.happens(f"plug ports:oos- {ANALOG_SLOT}")
    await room.shows("fxo-1", "in_service")
    before = (await room.api.get("/config/versions"))[0]["version"]
    await sa800_lines_reports(room, "fxo-1")
    await room.page.goto("/admin/versions")
    row = room.page.locator(f"[data-testid=version-row][data-id='{before + 1}']")
    tour = Tour(room.page, room.box.panel_url)
    await tour.begin()
    for language, by, why in (("zh", "系统", "板卡已装回：fxo-1"), ("en", "System", "The card is back: fxo-1")):
        await speaks(room.page, language)
        await expect(row).to_contain_text(why, timeout=30_000)
        await expect(row).to_contain_text(by)
        await tour.visit(
            "/admin/versions", "[data-testid=version-row]", (WIDE, PHONE), tmp_path, f"versions-{language}"
        )
    assert not tour.wrong, "\n".join(tour.wrong)
