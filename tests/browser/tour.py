"""Opens a page of the panel and says all that is wrong with it: errors, foreign requests, policy, words, width."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from playwright.async_api import ConsoleMessage, Page, Request, Response, Route, expect
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

WORDS = Path(__file__).resolve().parents[2] / "web/panel/src/locales/zh"
WIDE, PHONE = (1366, 768), (390, 844)

POLICY = """
window.__violations = [];
addEventListener('securitypolicyviolation', (event) =>
  window.__violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""
NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
"""Chromium drops what it loads when links of the machine come or go: another lab begins or ends beside this one."""
TRIES = 4

SEEN = """
() => {
  const texts = [document.body.innerText, document.title];
  for (const one of document.body.querySelectorAll('[placeholder], [title], [aria-label]'))
    for (const name of ['placeholder', 'title', 'aria-label'])
      if (one.hasAttribute(name)) texts.push(one.getAttribute(name));
  const beyond = (one) => one.getBoundingClientRect().right > innerWidth + 1;
  const wide = [...document.body.querySelectorAll('main *')].filter(beyond);
  return {
    text: texts.join('\\n'), violations: window.__violations, width: document.documentElement.scrollWidth,
    body: document.body.scrollWidth, window: innerWidth,
    widest: wide.slice(0, 3).map((one) => one.className || one.tagName),
  };
}
"""


@cache
def key_pattern() -> re.Pattern[str]:
    """A word's key as it would stand on the page if nobody had written the word: `records.csv`."""
    groups = sorted(group for file in WORDS.glob("*.json") for group in json.loads(file.read_text()))
    assert groups, "the panel's words were not found"
    return re.compile(rf"(?<![\w./@-])(?:{'|'.join(groups)})(?:\.[A-Za-z_]\w*)+(?![\w/-])")


@dataclass
class Tour:
    page: Page
    origin: str
    wrong: list[str] = field(default_factory=list)
    where: str = ""
    disturbed: bool = False

    async def begin(self) -> None:
        """Watches the page from its next load on; requests to anywhere else are stopped."""
        await self.page.add_init_script(POLICY)
        await self.page.route(lambda url: not self._ours(url), self._stop)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._say(f"script error: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)
        self.page.on("requestfailed", self._failed)

    def _ours(self, url: str) -> bool:
        return url.startswith((self.origin, "data:", "blob:", "about:"))

    def _say(self, what: str) -> None:
        self.wrong.append(f"{self.where}: {what}")

    async def _stop(self, route: Route) -> None:
        await route.abort()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and NETWORK_CHANGED not in message.text:
            self._say(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if not self._ours(request.url):
            self._say(f"asks elsewhere: {request.url}")

    def _failed(self, request: Request) -> None:
        self.disturbed |= NETWORK_CHANGED in (request.failure or "")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._say(f"{response.status} {response.url}")

    async def visit(self, path: str, wait_for: str, sizes: tuple[tuple[int, int], ...], shots: Path, name: str) -> None:
        """Opens the path at the first size, looks at it, then at each further size; again when it was disturbed."""
        before = len(self.wrong)
        for _ in range(TRIES):
            del self.wrong[before:]
            self.disturbed = False
            await self._visit(path, wait_for, sizes, shots, name)
            if not self.disturbed:
                return

    async def _visit(
        self, path: str, wait_for: str, sizes: tuple[tuple[int, int], ...], shots: Path, name: str
    ) -> None:
        self.where = f"{name} {path}"
        await self.page.set_viewport_size({"width": sizes[0][0], "height": sizes[0][1]})
        try:
            await self.page.goto(path)
        except PlaywrightError as error:
            self._say(str(error))
            self.disturbed |= NETWORK_CHANGED in str(error)
            return
        for size in sizes:
            self.where = f"{name} {path} {size[0]}"
            await self.page.set_viewport_size({"width": size[0], "height": size[1]})
            try:
                await self.page.locator(wait_for).first.wait_for(timeout=8_000)
                await expect(self.page.locator("[aria-busy=true], .el-loading-mask:visible")).to_have_count(0)
            except (PlaywrightTimeout, AssertionError):
                self._say(f"never shows {wait_for}")
                if self.disturbed:
                    return
            await self.page.screenshot(path=shots / f"{name}-{size[0]}.png")
            await self.look()

    async def look(self) -> None:
        seen = await self.page.evaluate(SEEN)
        for violation in seen["violations"]:
            self._say(f"content policy: {violation}")
        if max(seen["width"], seen["body"]) > seen["window"]:
            self._say(f"scrolls sideways: {seen['width']} in {seen['window']}, {seen['widest']}")
        for key in sorted(set(key_pattern().findall(seen["text"]))):
            if not key.endswith(".conf"):  # a file of Asterisk's
                self._say(f"untranslated: {key}")
