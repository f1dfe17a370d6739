"""Calls outlive the agent: killed with -9, kept dead, or stopped, at each stage of a call.

The call goes on, is answered, is heard both ways, and its record is complete and there once. `SOAK=1` (make soak) stops
the agent for the full 30 s; here 6 s, which is longer than any reconnect of ours.
"""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.box.api import answers, until_async
from tests.box.office import Office, office
from tests.callers.audio import read_wav, tone_share
from tests.lab.exchange import CALLER_TONE_HZ, Call
from tests.lab.lab import Box, Lab

pytestmark = pytest.mark.lab

DID = "075588886666"
STOPPED_S = 30.0 if os.environ.get("SOAK") else 6.0
SEAT = "1011"
numbers = itertools.count(13700000001)


@asynccontextmanager
async def fault(box: Box, kind: str) -> AsyncIterator[None]:
    """The agent is broken when the block begins and whole again when it has ended."""
    starts = box.units()["sa800-agent"]["starts"]
    if kind == "stopped":
        box.kill("sa800-agent", signal.SIGSTOP)
        stopped_at = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            left = STOPPED_S - (asyncio.get_running_loop().time() - stopped_at)
            await asyncio.sleep(max(0.0, left))  # the fault itself: how long the agent stands still
            box.kill("sa800-agent", signal.SIGCONT)
        return
    box.kill("sa800-agent", signal.SIGKILL)
    if kind == "dead":
        await asyncio.to_thread(box.stop_unit, "sa800-agent")
    try:
        yield
    finally:
        if kind == "dead":
            await asyncio.to_thread(box.start_unit, "sa800-agent")
        await asyncio.to_thread(box.wait_unit, "sa800-agent", 30.0, starts + 1)
        await answers(box.panel_url)


async def in_menu(it: Office, caller: str) -> Call:
    call = it.lab.exchange.dial(caller, DID, digits="", limit_s=120)
    assert await asyncio.to_thread(call.wait, "answered", 20)
    return call


async def after_menu(it: Office, call: Call) -> None:
    call.send_digits("1")
    await it.phones.wait("answered", ext=SEAT, since=0, limit_s=40)


async def ringing(it: Office, caller: str) -> Call:
    await it.phones.send("set", ext=SEAT, answer="ring")
    call = it.lab.exchange.dial(caller, DID, digits="1", digits_after_s=2.0, limit_s=120)
    await it.phones.wait("ringing", ext=SEAT)
    return call


async def after_ringing(it: Office, call: Call) -> None:
    await it.phones.send("answer", ext=SEAT)
    await it.phones.wait("answered", ext=SEAT)


async def talking(it: Office, caller: str) -> Call:
    call = it.lab.exchange.dial(caller, DID, digits="1", digits_after_s=2.0, limit_s=120)
    await it.phones.wait("answered", ext=SEAT, limit_s=40)
    return call


async def nothing(it: Office, call: Call) -> None:
    return None


async def held(it: Office, caller: str) -> Call:
    call = await talking(it, caller)
    await it.phones.send("hold", ext=SEAT, on=True)
    await until_async(
        lambda: it.admin.get("/live"), lambda live: any(one["state"] == "held" for one in live["calls"]), 20, "held"
    )
    return call


async def after_hold(it: Office, call: Call) -> None:
    await it.phones.send("hold", ext=SEAT, on=False)


async def queued(it: Office, caller: str) -> Call:
    """The only seat talks to somebody else; the caller waits."""
    it.other_calls.append(await talking(it, str(next(numbers))))
    call = it.lab.exchange.dial(caller, DID, digits="1", digits_after_s=2.0, limit_s=120)
    await until_async(
        lambda: it.admin.get("/live"), lambda live: any(queue["waiting"] for queue in live["queues"]), 30, "queued"
    )
    return call


async def after_queue(it: Office, call: Call) -> None:
    mark = it.phones.mark()
    it.other_calls.pop().hang_up()
    await it.phones.wait("answered", ext=SEAT, since=mark, limit_s=60)


Stage = tuple[Callable[[Office, str], Awaitable[Call]], Callable[[Office, Call], Awaitable[None]]]
STAGES: dict[str, Stage] = {
    "menu": (in_menu, after_menu),
    "queue": (queued, after_queue),
    "ringing": (ringing, after_ringing),
    "talk": (talking, nothing),
    "hold": (held, after_hold),
}


@pytest.mark.parametrize("kind", ["killed", "dead", "stopped"])
@pytest.mark.parametrize("stage", STAGES)
async def test_the_call_goes_on_and_is_written_down_once(lab: Lab, tmp_path: Path, stage: str, kind: str) -> None:
    caller = str(next(numbers))
    begin, go_on = STAGES[stage]
    async with office(lab, (SEAT,), record_dir=tmp_path) as it:
        call = await begin(it, caller)
        async with fault(it.box, kind):
            await go_on(it, call)
            await asyncio.to_thread(call.wait, "ended", 3.0)  # three seconds of talk while the agent is away
            assert not call.over, "the call ended with the agent"
            call.hang_up()
            ended = await it.phones.wait("ended", ext=SEAT, since=_last_answer(it))
        heard = call.heard()
        sound = read_wav(heard.wav)  # type: ignore[arg-type]
        assert tone_share(sound.channels[0][-2 * sound.rate :], sound.rate, it.tones[SEAT]) > 0.8
        seat = read_wav(Path(ended["wav"]))
        assert tone_share(seat.channels[0][-2 * seat.rate :], seat.rate, CALLER_TONE_HZ) > 0.8

        record = await it.admin.record_of(caller, limit_s=40)
        assert (record["result"], record["extension"], record["queue"]) == ("answered", SEAT, "service")
        assert record["menu_path"] == ["main:1"]
        assert abs(record["talk_ms"] / 1000 - ended["seconds"]) < 1.0
        assert record["recording"], "the recording is complete"
        listed = await it.admin.get(f"/records?number={caller}")
        assert listed["total"] == 1


def _last_answer(it: Office) -> int:
    return max(index for index, event in enumerate(it.phones.events) if event["event"] == "answered")
