"""A seat's real browser: Debian's Chromium, driven by Playwright, with a tone as its microphone.

What the page hears is taken from its peer connection by a script of the test's (not of the product's) and comes
back as samples: a ScriptProcessor, because the panel's content policy rightly refuses worklets from elsewhere.
"""

import os
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import BrowserContext, Page, async_playwright

CHROMIUM = "/usr/bin/chromium"
IN_NAMESPACE = Path(__file__).with_name("chromium-in-namespace")
"""The same in the network namespace that SA8_NAMESPACE names."""
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--mute-audio",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
RATE = 8000

LISTEN = """
(() => {
  const heard = { blocks: [], began: 0, connections: [] };
  window.__testHeard = heard;
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      heard.connections.push(this);
      this.addEventListener('track', (event) => {
        // Only the newest call is listened to: an ended one would go on adding its silence.
        if (heard.keep) heard.keep[0].close();
        const context = new AudioContext({ sampleRate: 8000 });
        const source = context.createMediaStreamSource(new MediaStream([event.track]));
        const tap = context.createScriptProcessor(1024, 1, 1);
        tap.onaudioprocess = (audio) => {
          if (!heard.began) heard.began = Date.now();
          heard.blocks.push(Array.from(audio.inputBuffer.getChannelData(0)));
        };
        source.connect(tap);
        tap.connect(context.destination);
        heard.keep = [context, source, tap];
      });
    }
  };
})();
"""


def write_tone(path: Path, frequency_hz: float, seconds: float = 20.0) -> None:
    """A steady tone for the fake microphone; 48 kHz because Chromium resamples others with gaps."""
    rate = 48000
    samples = 0.3 * np.sin(2 * np.pi * frequency_hz * np.arange(int(rate * seconds)) / rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


@asynccontextmanager
async def chromium(
    microphone: Path | None = None, *, panel: str = "", width: int = 1366, height: int = 768, language: str = "zh-CN",
    namespace: str = "",
) -> AsyncIterator[BrowserContext]:  # fmt: skip
    """A browser with one empty profile. `microphone`: a wav played in a loop. `panel`: what paths are relative to.
    `namespace`: the network it lives in. It accepts any certificate, as a person does who clicked through the warning.
    """
    flags = [*FLAGS, *([f"--use-file-for-fake-audio-capture={microphone}"] if microphone else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=IN_NAMESPACE if namespace else CHROMIUM, headless=True, args=flags,
            env={**os.environ, "SA8_NAMESPACE": namespace},
        )  # fmt: skip
        try:
            context = await browser.new_context(
                viewport={"width": width, "height": height},
                locale=language,
                permissions=["microphone"],
                base_url=panel or None,
                ignore_https_errors=True,
            )
            context.set_default_timeout(30_000)
            await context.add_init_script(LISTEN)
            yield context
        finally:
            await browser.close()


async def heard_blocks(page: Page) -> int:
    """How many blocks (1024 samples) the page has heard so far: a mark for `hear`."""
    return int(await page.evaluate("() => window.__testHeard.blocks.length"))


async def hear(page: Page, blocks: int, *, skip: int = 0, limit_s: float = 20.0) -> NDArray[np.float64]:
    """Listens until `skip` and then `blocks` more blocks of 128 ms have come; returns the latter's samples (8 kHz)."""
    first = await heard_blocks(page) + skip
    await page.wait_for_function(
        "count => window.__testHeard.blocks.length >= count", arg=first + blocks, timeout=limit_s * 1000
    )
    wanted = "([first, count]) => window.__testHeard.blocks.slice(first, first + count).flat()"
    return np.asarray(await page.evaluate(wanted, [first, blocks]), dtype=np.float64)


async def save_heard(page: Page, path: Path) -> float:
    """Writes what the page heard since its call began as a wav (8 kHz mono); returns seconds."""
    blocks = await page.evaluate("() => window.__testHeard.blocks")
    samples = np.concatenate([np.asarray(block) for block in blocks]) if blocks else np.zeros(0)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return len(samples) / RATE


async def marks(page: Page) -> dict[str, float]:
    """The page's performance marks as seconds since the epoch (the last of each name)."""
    return await page.evaluate(  # type: ignore[no-any-return]
        "() => Object.fromEntries(performance.getEntriesByType('mark').map((m) =>"
        " [m.name, (performance.timeOrigin + m.startTime) / 1000]))"
    )
