"""`make proof-call [SEED=n] [OUT=dir] [BREAK=…]`: a fresh lab and one call from the exchange to a seat in the browser.

Every figure is measured here: on the exchange's recording, on what Chromium heard, on the box's recording, by the
page's own performance marks and by asking the API. Wav, pcap, CEL, CDR, screenshots and logs stay in OUT.
"""

import asyncio
import json
import os
import random
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from tests.box.api import today
from tests.browser.driver import chromium, marks, save_heard, write_tone
from tests.browser.seat import first_start, take_seat
from tests.callers.audio import correlation, middle, read_wav, tone_share
from tests.lab.exchange import Call
from tests.lab.lab import Lab
from tests.proof import breaks
from tests.proof.capture import capture
from tests.proof.plan import DID, JUDGED_S, TALK_S, Plan, failures

PRESS_S = 0.3
"""SendDTMF's 150 ms tone and 150 ms pause: the exchange says "digits" after them; the press began so much earlier."""
API = "/api/v1"
Figures = dict[str, Any]


@dataclass
class Run:
    """One proof under way."""

    plan: Plan
    lab: Lab
    page: Page
    out: Path
    figures: Figures


def say(text: str) -> None:
    print(f"proof-call: {text}", file=sys.stderr, flush=True)


async def answer_json(page: Page, path: str) -> Any:
    answer = await page.request.get(f"{API}{path}")
    if not answer.ok:
        raise RuntimeError(f"GET {path}: {answer.status} {await answer.text()}")
    return await answer.json()


async def prompts_of(page: Page, out: Path) -> list[Path]:
    """The menu's prompts as the box keeps them, in the order in which they are played."""
    document = (await answer_json(page, "/config"))["document"]
    menu = next(menu for menu in document["menus"] if menu["id"] == "main")
    files = []
    for number, prompt in enumerate(menu["prompts"]):
        file = out / f"prompt-{number}.wav"
        answer = await page.request.get(f"{API}/prompts/{prompt}/audio")
        file.write_bytes(await answer.body())
        files.append(file)
    return files


async def talk(run: Run, call: Call) -> None:
    """From the digit to the hang-up."""
    plan, page, figures, out = run.plan, run.page, run.figures, run.out
    offset = time.time() - time.monotonic()
    if not await asyncio.to_thread(call.wait, "digits", 60):
        raise RuntimeError("the exchange could not key the digit")
    pressed = (call.when("digits") or 0) + offset - PRESS_S
    number = page.get_by_test_id("pop-number")
    await number.wait_for(timeout=15_000)
    shown = (await number.inner_text()).replace(" ", "")
    if plan.caller not in shown:
        raise RuntimeError(f"the pop shows {shown!r}, not {plan.caller}")
    await page.screenshot(path=out / "pop.png")
    at = await marks(page)
    figures["agent_rang_ms"] = round((at["sa800-invite"] - pressed) * 1000, 1)
    figures["pop_ms"] = round((at["sa800-pop"] - at["sa800-invite"]) * 1000, 1)
    await page.get_by_test_id("btn-answer").click()
    await page.locator("[data-testid=call-card][data-state=talking]").wait_for()
    breaks.put_into_talk(os.environ.get("BREAK", ""), run.lab)
    await asyncio.to_thread(call.wait, "ended", TALK_S)
    await page.screenshot(path=out / "talk.png")
    if plan.caller_hangs_up:
        await asyncio.to_thread(call.hang_up)
    else:
        await page.get_by_test_id("btn-hangup").click()
        await asyncio.to_thread(call.wait, "ended", 10)


async def record_of(plan: Plan, page: Page, ended_at: float, figures: Figures) -> Any:
    """Asks for the record every 50 ms until its recording can be had too."""
    while time.time() - ended_at < 15:
        items = (await answer_json(page, f"/records?number={plan.caller}"))["items"]
        if items and items[0]["recording"]:
            figures["record_visible_ms"] = round((time.time() - ended_at) * 1000, 1)
            return items[0]
        await asyncio.sleep(0.05)
    return None


async def judge_sound(run: Run, call: Call, prompts: list[Path]) -> float:
    """What the caller and the seat heard; returns the seconds from answer to hang-up."""
    plan, figures, out = run.plan, run.figures, run.out
    heard = call.heard()
    assert heard.wav is not None
    shutil.copy(heard.wav, out / "caller-heard.wav")
    caller = read_wav(out / "caller-heard.wav")
    samples = caller.channels[0]
    figures["menu_heard"] = round(min(correlation(samples, read_wav(file).channels[0]) for file in prompts), 3)
    judged = middle(samples[-int(TALK_S * caller.rate) :], caller.rate, JUDGED_S)
    figures["tone_share_caller"] = round(tone_share(judged, caller.rate, plan.agent_hz), 3)
    agent = read_wav(out / "agent-heard.wav")
    judged = middle(agent.channels[0][-int(TALK_S * agent.rate) :], agent.rate, JUDGED_S)
    figures["tone_share_agent"] = round(tone_share(judged, agent.rate, plan.caller_hz), 3)
    return heard.duration_s


async def judge_recording(plan: Plan, page: Page, record: Any, out: Path) -> Figures:
    answer = await page.request.get(f"{API}/records/{record['call_id']}/recording")
    (out / "recording.wav").write_bytes(await answer.body())
    sound = read_wav(out / "recording.wav")
    left, right = (middle(one[-int(TALK_S * sound.rate) :], sound.rate, JUDGED_S) for one in sound.channels)
    return {
        "seconds": round(sound.seconds, 2),
        "left": round(tone_share(left, sound.rate, plan.caller_hz), 3),
        "right": round(tone_share(right, sound.rate, plan.agent_hz), 3),
    }


async def report_total(page: Page) -> int:
    return int((await answer_json(page, f"/reports/calls?by=hour&{today()}"))["total"]["answered"])


async def report_shows(page: Page, before: int, out: Path) -> bool:
    """Counted by the API, and standing on the report's page."""
    await page.goto("/reports")
    total = page.get_by_test_id("report-total-answered")
    await total.wait_for()
    shown = await total.get_attribute("data-value")
    await page.screenshot(path=out / "report.png")
    return await report_total(page) == before + 1 and shown == str(before + 1)


async def one_call(plan: Plan, lab: Lab, browser: BrowserContext, out: Path, figures: Figures) -> list[str]:
    box = lab.box()
    page = await browser.new_page()
    run = Run(plan, lab, page, out, figures)
    await first_start(page, box)
    await take_seat(page)
    await breaks.put_in(os.environ.get("BREAK", ""), box, browser)
    if os.environ.get("BREAK") == "no_pop":
        await page.reload()
        await take_seat(page)
    prompts = await prompts_of(page, out)
    length_s = sum(read_wav(file).seconds for file in prompts)
    before = await report_total(page)
    say(f"{plan.caller} calls {DID}; digit {plan.digit} after {length_s:.1f} s of menu")
    write_tone(out / "caller-tone.wav", plan.caller_hz)
    call = lab.exchange.dial(
        plan.caller, DID, digits=plan.digit, digits_after_s=length_s + 1.5, audio=out / "caller-tone.wav"
    )
    try:
        await talk(run, call)
    finally:
        await asyncio.to_thread(call.hang_up)
    ended_at = (call.when("ended") or 0) + time.time() - time.monotonic()
    await save_heard(page, out / "agent-heard.wav")  # at once: the page's tap goes on with silence
    record = await record_of(plan, page, ended_at, figures)
    call_s = await judge_sound(run, call, prompts)
    if record is not None:
        (out / "record.json").write_text(json.dumps(await answer_json(page, f"/records/{record['call_id']}"), indent=1))
        figures["recording"] = await judge_recording(plan, page, record, out)
        figures["report_counted"] = await report_shows(page, before, out)
    return failures(figures, figures["recording"], call_s)


def keep_evidence(lab: Lab, out: Path) -> None:
    box = lab.box()
    shutil.copy(box.journal, out / "cel.jsonl")
    for unit in box.plan.units:
        (out / f"{unit}.log").write_text(box.log(unit))
    (out / "exchange-cdr.json").write_text(json.dumps(lab.exchange.cdrs(), indent=1))


async def prove(plan: Plan, out: Path) -> tuple[Figures, list[str]]:
    figures: Figures = {
        "seed": plan.seed, "menu_heard": None, "agent_rang_ms": None, "pop_ms": None, "tone_share_caller": None,
        "tone_share_agent": None, "recording": {"seconds": None, "left": None, "right": None},
        "record_visible_ms": None, "report_counted": False,
    }  # fmt: skip
    write_tone(out / "agent-tone.wav", plan.agent_hz)
    lab = Lab(say=say)
    try:
        await asyncio.to_thread(lab.open)
        assert lab.record is not None
        async with (
            capture(f"sa8-{lab.record.number}", out / "call.pcap"),
            chromium(out / "agent-tone.wav", panel=lab.box().panel_url) as browser,
        ):
            try:
                wrong = await one_call(plan, lab, browser, out, figures)
            except (PlaywrightError, RuntimeError, AssertionError) as error:
                wrong = [f"{type(error).__name__}: {error}"]
            finally:
                keep_evidence(lab, out)
    finally:
        await asyncio.to_thread(lab.close)
    return figures, wrong


def main() -> int:
    seed = int(os.environ.get("SEED") or random.randrange(1_000_000))
    out = Path(os.environ.get("OUT") or f"out/proof-call-{seed}").resolve()
    out.mkdir(parents=True, exist_ok=True)
    plan = Plan.of(seed)
    say(f"seed {seed}, evidence in {out}")
    figures, wrong = asyncio.run(prove(plan, out))
    for what in wrong:
        say(f"FAILED: {what}")
    (out / "figures.json").write_text(json.dumps(figures))
    print(json.dumps(figures))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
