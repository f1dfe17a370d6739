"""The way of the sound dies in a talk (ICE): the page says so, finds another one, and both sides hear again."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.desk import Desk, Stretch, hang_up, loudness, numbers, seated
from tests.browser.driver import hear
from tests.lab.exchange import Call
from tests.lab.lab import Box, Lab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

MENDED_S = 45.0
EVERY_PORT = "1-65535"

PORT = """
async () => {
  const stats = await window.__testHeard.connections.at(-1).getStats();
  const all = [...stats.values()];
  const pair = stats.get(all.find((one) => one.type === 'transport').selectedCandidatePairId);
  return stats.get(pair.localCandidateId).port;
}
"""
OFFERS = """
(count) => {
  const heard = window.__testHeard;
  heard.offers ??= new Set();
  heard.offers.add(/ice-ufrag:(\\S+)/.exec(heard.connections.at(-1).localDescription.sdp)[1]);
  return heard.offers.size > count;
}
"""
"""Whether that many offers with new ICE credentials were made since it was first asked."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with seated(lab, tmp_path_factory.mktemp("path")) as made:
        yield made


def nft(box: Box, *words: str) -> None:
    """A packet filter's command in the box's network; PID 1 of the box need not have the program."""
    inside = ["nsenter", f"--net=/run/netns/{box.plan.namespace}", "nft", *words]
    subprocess.run(inside, check=True, timeout=10, capture_output=True)


@contextmanager
def cut(box: Box, ports: str | int) -> Iterator[None]:
    """No sound passes between the box's RTP ports and these of the page's machine, in neither direction."""
    nft(box, "add table inet cut")
    try:
        for hook, far, own in ("input", "sport", "dport"), ("output", "dport", "sport"):
            nft(box, f"add chain inet cut {hook} {{ type filter hook {hook} priority 0; }}")
            page = f"ip {'saddr' if hook == 'input' else 'daddr'} != {exchange_of(box)}"
            nft(box, f"add rule inet cut {hook} {page} udp {far} {ports} udp {own} 10000-10999 drop")
        yield
    finally:
        nft(box, "delete table inet cut")


def exchange_of(box: Box) -> str:
    """The exchange's address: its sound goes on."""
    return box.address.rsplit(".", 1)[0] + ".2"


async def port_of(page: Page) -> int:
    """The page's UDP port that the sound of its newest call goes through."""
    return int(await page.evaluate(PORT))


async def mended(desk: Desk, since: float, what: str) -> None:
    await expect(desk.get("call-mending")).to_have_count(0, timeout=MENDED_S * 1000)
    print(f"{what}: the sound was back after {time.monotonic() - since:.1f} s")


async def both_hear(desk: Desk, call: Call, before: Stretch, after: Stretch) -> None:
    await hang_up(call)
    await desk.no_call()
    for name, stretch in {"before": before, "after": after}.items():
        assert stretch.page_share > 0.8, f"{name}: the page hears the caller"
        assert stretch.caller_share(call) > 0.8, f"{name}: the caller hears the seat"
    await desk.ready()


async def test_a_way_that_dies_is_replaced_by_another(desk: Desk) -> None:
    caller = str(next(numbers))
    call = await desk.talks(caller)
    before = await desk.listens()
    first = await port_of(desk.page)
    at = time.monotonic()
    with cut(desk.box, first):
        silent = await desk.listens(9)
        await expect(desk.get("call-mending")).to_be_visible(timeout=MENDED_S * 1000)
        print(f"the page saw it after {time.monotonic() - at:.1f} s")
        await mended(desk, at, "way dead for good")
        assert await port_of(desk.page) != first
        after = await desk.listens()
    await both_hear(desk, call, before, after)
    assert loudness(silent.page) < 0.01, "the cut was one"
    assert silent.caller_share(call) < 0.3, "the cut was one"
    record = await desk.api.record_of(caller)
    assert (record["result"], record["hangup_by"]) == ("answered", "caller")


async def test_the_search_goes_on_until_there_is_a_way(desk: Desk) -> None:
    call = await desk.talks(str(next(numbers)))
    before = await desk.listens()
    at = time.monotonic()
    await desk.page.evaluate(OFFERS, 0)
    with cut(desk.box, EVERY_PORT):
        await expect(desk.get("call-mending")).to_be_visible(timeout=MENDED_S * 1000)
        await desk.page.wait_for_function(OFFERS, arg=2, timeout=MENDED_S * 1000)
    await mended(desk, at, "nothing passed for two tries")
    after = await desk.listens()
    await both_hear(desk, call, before, after)


async def test_sound_and_socket_lost_together(desk: Desk) -> None:
    """As when the machine changes its network: once the socket is back, the re-INVITE brings a new way, too."""
    call = await desk.talks(str(next(numbers)))
    before = await desk.listens()
    await asyncio.to_thread(desk.box.stop_unit, "sa800-front")
    at = time.monotonic()
    with cut(desk.box, await port_of(desk.page)):
        await expect(desk.get("call-mending")).to_be_visible(timeout=MENDED_S * 1000)
        await asyncio.to_thread(desk.box.start_unit, "sa800-front")
        await mended(desk, at, "way and front dead")
        await hear(desk.page, 1)
        after = await desk.listens()
    await desk.phone("registered")
    await both_hear(desk, call, before, after)
