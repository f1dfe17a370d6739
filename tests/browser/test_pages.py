"""Every page, in both languages, wide and on a phone; and two changes of the configuration made by hand."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.desk import DID, Desk, hang_up, numbers, seated
from tests.browser.driver import chromium
from tests.browser.tour import PHONE, WIDE, Tour
from tests.callers.audio import correlation, read_wav
from tests.lab.lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PAGES = {
    "desk": ("/desk", "[data-testid=seat-card]"),
    "board": ("/board", "[data-testid=board-figures][data-connected=true]"),
    "records": ("/records", "[data-testid=record-row]"),
    "record": ("/records/{call_id}", "[data-testid=record-timeline]"),
    "reports": ("/reports", "[data-testid=report-chart] canvas, [data-testid=report-chart] svg"),
    "quality": ("/reports/quality", "[data-testid=quality-row], [data-testid=quality-empty]"),
    "extensions": ("/admin/extensions", "[data-testid=extension-row]"),
    "queues": ("/admin/queues", "[data-testid=queue-row]"),
    "menus": ("/admin/menus", "[data-testid=menu-row]"),
    "prompts": ("/admin/prompts", "[data-testid=prompt-row]"),
    "dids": ("/admin/dids", "[data-testid=did-row]"),
    "lines": ("/lines", "[data-testid=no-cards]"),
    "trunks": ("/admin/trunks", "[data-testid=trunk-row]"),
    "links": ("/links", "[data-testid=link-no-peers]"),
    "site": ("/admin/site", "[data-testid=site-form]"),
    "versions": ("/admin/versions", "[data-testid=version-row]"),
    "users": ("/admin/users", "[data-testid=user-row]"),
    "alarms": ("/alarms", "[data-testid=alarm-row], [data-testid=alarm-empty]"),
    "audit": ("/audit", "[data-testid=audit-row]"),
    "missing": ("/no-such-page", "main"),
}

SPOIL = """
() => {
  console.error('spoilt');
  const main = document.querySelector('main');
  const wide = main.appendChild(document.createElement('p'));
  wide.textContent = 'records.csv';
  wide.style.width = '5000px';
  main.appendChild(new Image()).src = 'http://192.0.2.1/elsewhere.png';
}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with seated(lab, tmp_path_factory.mktemp("pages")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def call_id(desk: Desk) -> str:
    """An answered call, and besides it one that was lost in the menu and one to a busy number."""
    lost = desk.lab.exchange.dial(str(next(numbers)), DID, limit_s=60)
    assert await asyncio.to_thread(lost.wait, "talk", 20)
    await hang_up(lost)
    await desk.get("input-dial").fill("9075500000098")
    await desk.get("btn-dial").click()
    await expect(desk.get("last-cause")).to_be_visible(timeout=20_000)
    caller = str(next(numbers))
    call = await desk.talks(caller)
    await desk.listens()
    await hang_up(call)
    await desk.no_call()
    record = await desk.api.record_of(caller)
    await desk.ready()
    return str(record["call_id"])


async def speaks(page: Page, language: str) -> None:
    """The panel's own switch, whatever it speaks now."""
    html = page.locator("html")
    wanted = {"zh": "zh-CN", "en": "en"}[language]
    if await html.get_attribute("lang") != wanted:
        await page.get_by_test_id("btn-language").click()
    await expect(html).to_have_attribute("lang", wanted)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_every_page(desk: Desk, call_id: str, tmp_path: Path, language: str) -> None:
    tour = Tour(desk.page, desk.box.panel_url)
    await speaks(desk.page, language)
    await tour.begin()
    sizes = (WIDE, PHONE) if language == "zh" else (PHONE, WIDE)
    for name, (path, wait_for) in PAGES.items():
        await tour.visit(path.format(call_id=call_id), wait_for, sizes, tmp_path, name)
    assert not tour.wrong, "\n".join(tour.wrong)
    await desk.page.goto("/desk")


async def test_times_and_days_are_the_sites_wherever_the_page_is(desk: Desk, call_id: str) -> None:
    zone = ZoneInfo((await desk.api.get("/config"))["document"]["site"]["timezone"])
    record = await desk.api.get(f"/records/{call_id}")
    started = datetime.fromisoformat(record["started_at"]).astimezone(zone)
    await desk.page.goto(f"/records/{call_id}")
    await expect(desk.get("fact-started")).to_have_text(f"{started:%Y-%m-%d %H:%M:%S}")
    await expect(desk.get("fact-menuPath")).to_have_text("主菜单 → 1")
    await desk.page.goto("/reports")
    await expect(desk.get("report-total-answered")).to_have_attribute("data-value", "1")
    await expect(desk.page.locator(".el-date-editor input").first).to_have_value(f"{datetime.now(zone):%Y-%m-%d}")


async def test_what_is_wrong_is_seen(desk: Desk) -> None:
    """The four rules of the tour, each broken on a page of the panel."""
    tour = Tour(desk.page, desk.box.panel_url)
    await tour.begin()
    await desk.page.goto("/board")
    await desk.get("board-figures").wait_for()
    await desk.page.evaluate(SPOIL)
    await desk.page.wait_for_function("() => window.__violations.length > 0")
    await tour.look()
    text = "\n".join(tour.wrong)
    for sign in "console error: spoilt", "content policy: img-src", "untranslated: records.csv", "scrolls sideways":
        assert sign in text, f"{sign}: not among\n{text}"


async def test_the_log_in_page(desk: Desk, call_id: str, tmp_path: Path) -> None:
    async with chromium(panel=desk.box.panel_url) as browser:
        page = await browser.new_page()
        tour = Tour(page, desk.box.panel_url)
        await tour.begin()
        for language in "zh", "en":
            await page.goto("/login")
            await speaks(page, language)
            await tour.visit("/login", "[data-testid=login-form]", (WIDE, PHONE), tmp_path, f"login-{language}")
    assert not tour.wrong, "\n".join(tour.wrong)


async def review_and_apply(page: Page, path: str) -> None:
    """From the bar of what waits to what runs; `path`: what must stand in the difference."""
    await page.get_by_test_id("pending-bar").wait_for()
    await page.get_by_test_id("btn-review").click()
    await page.locator(f"[data-testid=diff-change][data-path^='{path}']").first.wait_for()
    await expect(page.get_by_test_id("apply-no-calls-end")).to_be_visible()
    await page.get_by_test_id("btn-apply").click()
    await expect(page.get_by_test_id("apply-job")).to_have_attribute("data-state", "done", timeout=30_000)
    await page.get_by_test_id("btn-close-apply").click()
    await expect(page.get_by_test_id("pending-bar")).to_have_count(0)


async def test_a_queues_ring_time_is_changed_and_runs(desk: Desk) -> None:
    page = desk.page
    await page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    await speaks(page, "zh")
    await page.goto("/admin/queues")
    await page.get_by_test_id("queue-row").filter(has_text="service").click()
    ring = page.get_by_test_id("field-ring_s").locator("input")
    await ring.fill("27")
    await ring.press("Tab")
    await page.get_by_test_id("btn-save").click()
    await expect(page.get_by_test_id("pending-bar")).to_have_attribute("data-count", "1")
    await review_and_apply(page, "queues/service")
    assert "timeout = 27" in desk.box.path("/var/lib/sa800/asterisk/current/queues.conf").read_text()
    await page.goto("/admin/versions")
    await expect(page.get_by_test_id("version-row").first).to_contain_text("运行中")


async def test_an_apply_that_waits_for_calls_is_cancelled(desk: Desk) -> None:
    """A new SIP port needs a restart: while somebody talks, it waits."""
    page = desk.page
    await page.goto("/desk")
    await desk.ready()
    call = await desk.talks(str(next(numbers)))
    other = await page.context.new_page()
    await other.goto("/admin/site")
    port = other.get_by_test_id("network-form").locator("input").first
    await port.fill("5070")
    await port.press("Tab")
    await other.get_by_test_id("btn-save-network").click()
    await other.get_by_test_id("btn-review").click()
    await expect(other.get_by_test_id("apply-restart")).to_be_visible()
    await other.get_by_test_id("apply-comment").fill("换端口")
    await other.get_by_test_id("btn-apply").click()
    job = other.get_by_test_id("apply-job")
    await expect(job).to_have_attribute("data-state", "waiting", timeout=20_000)
    await other.get_by_test_id("btn-cancel-apply").click()
    await other.locator(".el-message-box .el-button--danger").click()
    await expect(job).to_have_attribute("data-state", "failed", timeout=20_000)
    await expect(other.get_by_test_id("btn-cancel-apply")).to_have_count(0)
    await other.goto("/admin/versions")
    cancelled = other.get_by_test_id("version-row").filter(has_text="换端口")
    await expect(cancelled.locator("[data-value=cancelled]")).to_be_visible()
    await other.get_by_test_id("pending-bar").wait_for()  # the draft keeps the change
    await other.close()
    await desk.api.delete("/config/draft")
    await desk.call("talking")
    await hang_up(call)
    await desk.ready()


async def test_a_menu_says_a_new_prompt_spoken_from_text(desk: Desk, tmp_path: Path) -> None:
    page = desk.page
    await page.goto("/admin/menus")
    await page.get_by_test_id("menu-row").first.click()
    prompts = page.get_by_test_id("menu-prompts")
    await page.get_by_test_id("btn-new-prompt").click()
    await page.get_by_test_id("field-text").fill("您好，今天休息，请明天再来电。")
    maker = page.locator(".el-drawer").filter(has=page.get_by_test_id("field-text"))
    await maker.get_by_test_id("field-name").fill("休息日")
    await maker.get_by_test_id("btn-save").click()
    await expect(prompts).to_contain_text("休息日")
    await expect(maker).to_be_hidden()
    for _ in range(2):
        await prompts.get_by_role("button", name="删除").first.click()
    await page.get_by_test_id("btn-save").first.click()
    await review_and_apply(page, "menus/main")

    menu = (await desk.api.get("/config"))["document"]["menus"][0]
    assert len(menu["prompts"]) == 1
    prompt = tmp_path / "prompt.wav"
    prompt.write_bytes(await desk.api.get(f"/prompts/{menu['prompts'][0]}/audio"))
    said = read_wav(prompt)
    call = desk.lab.exchange.dial(str(next(numbers)), DID, silent=True, limit_s=60)
    assert await asyncio.to_thread(call.wait, "talk", 20)
    await asyncio.to_thread(call.wait, "ended", said.seconds + 2)
    await hang_up(call)
    wav = call.heard().wav
    assert wav is not None
    assert correlation(read_wav(wav).channels[0], said.channels[0]) > 0.7
