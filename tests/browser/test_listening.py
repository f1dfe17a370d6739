"""A supervisor listens to a call on the board, in a real browser: what its speakers get is measured there."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.box.office import ADMIN, Office, office
from tests.box.test_listening import SEAT, nobody_listens, talk
from tests.browser.driver import chromium, marks
from tests.browser.seat import log_in
from tests.browser.tour import PHONE, WIDE, Tour
from tests.lab.exchange import CALLER_TONE_HZ
from tests.lab.lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FIGURE_MS = 1000
"""From the press until it sounds."""
STRONG_DB, NEAR_HZ = -50.0, 8.0

SPEAKERS = """
(() => {
  // Beside whatever goes to the speakers: a meter for the test.
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) {
      window.__speakers = new AnalyserNode(this.context, { fftSize: 4096, smoothingTimeConstant: 0 });
      connect.call(this, window.__speakers);
    }
    return connect.call(this, target, ...rest);
  };
})();
"""
SPECTRUM = """
() => {
  const meter = window.__speakers;
  if (!meter || meter.context.state !== 'running') return [];
  const levels = new Float32Array(meter.frequencyBinCount);
  meter.getFloatFrequencyData(levels);
  return Array.from(levels, (level) => Math.max(level, -200));
}
"""


@dataclass
class Board:
    office: Office
    page: Page
    tour: Tour

    def get(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    async def state(self, state: str) -> None:
        await expect(self.get("listen-dock")).to_have_attribute("data-state", state, timeout=20_000)

    async def sounds(self, tone_hz: float) -> bool:
        """Whether the speakers get that tone now, 8 kHz in 2048 bins."""
        levels = np.array(await self.page.evaluate(SPECTRUM))
        if not len(levels):
            return False
        width = 4000 / len(levels)
        near = levels[int((tone_hz - NEAR_HZ) / width) : int((tone_hz + NEAR_HZ) / width) + 1]
        return bool(np.max(near) > STRONG_DB)

    async def until(self, tone_hz: float, sounds: bool) -> None:
        async with asyncio.timeout(20):
            while await self.sounds(tone_hz) != sounds:
                await self.page.evaluate("() => new Promise(requestAnimationFrame)")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def board(lab: Lab) -> AsyncIterator[Board]:
    async with office(lab, (SEAT,)) as it, chromium(panel=it.box.panel_url) as browser:
        page = await browser.new_page()
        await page.add_init_script(SPEAKERS)
        tour = Tour(page, it.box.panel_url)
        await tour.begin()
        await log_in(page, it.box, ADMIN)
        await page.goto("/board")
        yield Board(it, page, tour)


async def test_press_hear_stop(board: Board, tmp_path: Path) -> None:
    starts = []
    async with talk(board.office) as one:
        row = board.page.locator(f'[data-testid=board-call-row][data-id="{one.id}"]')
        button = row.get_by_test_id("btn-listen")
        for attempt in range(3):
            await expect(button).to_have_attribute("aria-pressed", "false")
            await button.press("Enter" if attempt else "Space")
            await board.state("on")
            seen = await marks(board.page)
            starts.append(round(1000 * (seen["sa800-listen-sound"] - seen["sa800-listen-press"])))
            await expect(button).to_have_attribute("aria-pressed", "true")
            for tone_hz in (CALLER_TONE_HZ, board.office.tones[SEAT]):
                await board.until(tone_hz, sounds=True)
            for side in ("said", "heard"):
                level = float(await board.get(f"listen-{side}").get_attribute("data-level") or 0)
                assert level > 0.05, side
            if attempt == 0:
                await turn_down(board)
            await board.tour.look()
            await (button if attempt else board.get("btn-listen-stop")).press("Enter")
            await expect(board.get("listen-dock")).to_have_count(0)
            await nobody_listens(board.office.box)
        print(json.dumps({"press_to_sound_ms": starts}))
        assert max(starts) < 5 * FIGURE_MS
    assert board.tour.wrong == []


async def turn_down(board: Board) -> None:
    """By the keyboard, until nothing is heard; and up again."""
    volume = board.get("listen-volume")
    await volume.press("Home")
    await board.until(CALLER_TONE_HZ, sounds=False)
    await volume.press("End")
    await board.until(CALLER_TONE_HZ, sounds=True)


async def test_the_end_of_the_call_is_told_and_other_pages_show_it(board: Board, tmp_path: Path) -> None:
    async with talk(board.office) as one:
        await board.get("btn-listen").click()
        await board.state("on")
        for page in ("records", "board"):
            await board.get(f"nav-{page}").click()
            await board.page.wait_for_url(f"**/{page}*")
            await board.state("on")
        for language, size in itertools.product(("zh", "en"), (WIDE, PHONE)):
            if size == WIDE and language == "en":
                await board.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
                await board.get("btn-language").click()
            await shoot(board, size, tmp_path / f"listening-{language}-{size[0]}.png")
        await board.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        await board.get("btn-language").click()
        await asyncio.to_thread(one.call.hang_up)
        await board.state("ended")
        await expect(board.get("listen-dock")).to_have_attribute("data-end", "listen.call_ended")
        await board.page.screenshot(path=tmp_path / "ended.png")
        await board.tour.look()
        await board.get("btn-listen-stop").click()
        await expect(board.get("listen-dock")).to_have_count(0)
    assert board.tour.wrong == []


async def shoot(board: Board, size: tuple[int, int], path: Path) -> None:
    await board.page.set_viewport_size({"width": size[0], "height": size[1]})
    await board.state("on")
    await board.page.screenshot(path=path)
    await board.tour.look()


async def test_a_page_that_closes_listens_no_more(board: Board) -> None:
    async with talk(board.office):
        other = await board.page.context.new_page()
        await other.goto("/board")
        await other.get_by_test_id("btn-listen").click()
        await expect(other.get_by_test_id("listen-dock")).to_have_attribute("data-state", "on", timeout=20_000)
        await other.close()
        await nobody_listens(board.office.box)
