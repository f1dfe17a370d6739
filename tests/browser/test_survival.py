"""The browser phone outlives us: front killed, agent killed or stopped, page reloaded, session ended.

Times are printed (`pytest -s`); what is asserted is generous, the product's target for registering again is 3 s.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Dialog, expect

from tests.box.api import PASSWORD, answers
from tests.box.office import ADMIN
from tests.browser.desk import Desk, ended, hang_up, numbers, seated
from tests.browser.driver import hear
from tests.browser.seat import take_seat
from tests.lab.lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

REGISTER_S = 15.0
STOPPED_S = 6.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with seated(lab, tmp_path_factory.mktemp("survival")) as made:
        yield made


async def registers_again(desk: Desk, what: str, since: float) -> None:
    await desk.phone("registered", REGISTER_S)
    print(f"{what}: registered again after {time.monotonic() - since:.1f} s")


async def the_next_call_is_answered(desk: Desk) -> None:
    await desk.ready()
    call = await desk.talks(str(next(numbers)))
    await hang_up(call)
    await desk.no_call()
    await desk.ready()


async def test_front_killed_in_a_talk(desk: Desk) -> None:
    caller = str(next(numbers))
    call = await desk.talks(caller)
    await hear(desk.page, 4)
    at = time.monotonic()
    desk.box.kill("sa800-front")
    meanwhile = await desk.listens(settle=0)
    await registers_again(desk, "front killed", at)
    after = await desk.listens()
    await desk.call("talking")
    await hang_up(call)
    await desk.no_call()
    for name, stretch in {"meanwhile": meanwhile, "after": after}.items():
        assert stretch.page_share > 0.8, f"{name}: the page hears the caller"
        assert stretch.caller_share(call) > 0.8, f"{name}: the caller hears the seat"
    record = await desk.api.record_of(caller)
    assert (record["result"], record["hangup_by"]) == ("answered", "caller")
    await desk.ready()


async def test_a_far_hang_up_while_the_front_is_dead_leaves_no_ghost(desk: Desk) -> None:
    call = await desk.talks(str(next(numbers)))
    await asyncio.to_thread(desk.box.stop_unit, "sa800-front")
    await desk.phone("reconnecting")
    await hang_up(call)
    await desk.call("talking")  # nobody could tell the page yet
    at = time.monotonic()
    await asyncio.to_thread(desk.box.start_unit, "sa800-front")
    await registers_again(desk, "front started", at)
    await desk.no_call()
    print(f"the ghost is gone after {time.monotonic() - at:.1f} s")
    await the_next_call_is_answered(desk)


async def test_agent_killed_in_a_talk(desk: Desk) -> None:
    starts = desk.box.units()["sa800-agent"]["starts"]
    call = await desk.talks(str(next(numbers)))
    await hear(desk.page, 4)
    desk.box.kill("sa800-agent")
    meanwhile = await desk.listens(settle=0)
    await asyncio.to_thread(desk.box.wait_unit, "sa800-agent", 30.0, starts + 1)
    await answers(desk.box.panel_url)
    await expect(desk.get("banner-manager-away")).to_have_count(0, timeout=20_000)
    await desk.call("talking")
    await desk.state("talking")
    await hang_up(call)
    await desk.no_call()
    assert meanwhile.page_share > 0.8
    assert meanwhile.caller_share(call) > 0.8
    await the_next_call_is_answered(desk)


async def test_agent_stopped_in_a_talk(desk: Desk) -> None:
    call = await desk.talks(str(next(numbers)))
    desk.box.kill("sa800-agent", signal.SIGSTOP)
    at = time.monotonic()
    try:
        blocks = int(STOPPED_S / 0.128)
        meanwhile = await desk.listens(blocks)
        stood = time.monotonic() - at
        await desk.call("talking")
        await expect(desk.get("banner-manager-away")).to_be_visible(timeout=20_000)
        print(f"agent stopped: banner seen after at most {time.monotonic() - at:.1f} s")
    finally:
        desk.box.kill("sa800-agent", signal.SIGCONT)
    assert stood > STOPPED_S
    await expect(desk.get("banner-manager-away")).to_have_count(0, timeout=20_000)
    await desk.state("talking")
    await hang_up(call)
    await desk.no_call()
    assert meanwhile.page_share > 0.8
    assert meanwhile.caller_share(call) > 0.8
    await the_next_call_is_answered(desk)


async def test_reload_in_a_talk_ends_the_call_and_registers_again(desk: Desk) -> None:
    asked: list[str] = []

    async def agree(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.accept()

    caller = str(next(numbers))
    call = await desk.talks(caller)
    desk.page.on("dialog", agree)
    try:
        await desk.page.reload()
    finally:
        desk.page.remove_listener("dialog", agree)
    at = time.monotonic()
    assert asked == ["beforeunload"], "the page asks before it gives up a talk"
    assert await ended(call, 10), "the caller is told that the call is over"
    await registers_again(desk, "page reloaded", at)
    await desk.no_call()
    record = await desk.api.record_of(caller)
    assert (record["result"], record["hangup_by"]) == ("answered", "callee")
    await the_next_call_is_answered(desk)


async def test_a_session_that_ended_leads_to_log_in_and_back(desk: Desk) -> None:
    where = "/records?result=answered"
    await desk.page.goto(where)
    await desk.get("record-table").wait_for()
    # Logged out in another page of the same browser.
    other = await desk.page.context.new_page()
    await other.goto("/board")
    await other.get_by_test_id("user-menu").click()
    await other.get_by_test_id("btn-logout").click()
    await other.wait_for_url(lambda url: "/login" in url)
    await other.close()
    await desk.page.wait_for_url(lambda url: "/login" in url, timeout=20_000)
    await desk.get("input-login").fill(ADMIN)
    await desk.get("input-password").fill(PASSWORD)
    await desk.get("btn-login").click()
    await desk.get("record-table").wait_for()
    assert desk.page.url.removeprefix(desk.box.panel_url) == where, urlsplit(desk.page.url)
    await desk.page.goto("/desk")
    await take_seat(desk.page)
    await the_next_call_is_answered(desk)
