"""make bench-listening: how soon a listening sounds, and what eight of them cost, on a lab's box. Needs root.

`start_ms`: from the page's connection to sound on both sides, through the front. `cpu`: per cent of one processor, of
each process, with none and with eight listening. `answer_ms`: from a question to the agent that needs nothing but its
loop, one every 10 ms, to the answer: how late the loop is, with none and with eight. `gap_ms`: between one frame and
the next as they reach the pages, without and while the API is asked for lists without a pause: what a busy loop of the
agent's adds.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence

import aiohttp
import numpy as np
import numpy.typing as npt
import psutil

from tests.box.api import Api
from tests.box.listener import Listener, listening
from tests.box.office import Office, office
from tests.box.test_listening import MOST, SEAT, nobody_listens, talk
from tests.lab.lab import Box, Lab

STARTS, SECONDS = 20, 15.0
ASK_S = 0.01
UNITS = ("asterisk", "sa800-agent", "sa800-front")


async def starts(it: Office, call_id: str) -> list[int]:
    found = []
    for _ in range(STARTS):
        async with listening(it.admin, call_id) as ear:
            await ear.both_sound()
            found.append(round(1000 * max(ear.sounds_after_s.values())))
        await nobody_listens(it.box)
    return sorted(found)


def used_s(box: Box) -> dict[str, float]:
    """Processor seconds of each process so far."""
    times = {unit: psutil.Process(pid).cpu_times() for unit, pid in box.pids().items() if unit in UNITS and pid}
    return {unit: one.user + one.system for unit, one in times.items()}


async def cpu(box: Box) -> dict[str, float]:
    before, began = used_s(box), time.monotonic()
    await asyncio.sleep(SECONDS)
    passed = time.monotonic() - began
    return {unit: round(100 * (used - before[unit]) / passed, 1) for unit, used in used_s(box).items()}


def spread(values: Sequence[float] | npt.NDArray[np.float64]) -> dict[str, float]:
    shares = {"p50": 50, "p99": 99, "max": 100}
    return {name: round(float(np.percentile(values, share)), 1) for name, share in shares.items()}


async def answers_ms(box: Box) -> dict[str, float]:
    """Of the agent itself, without the front between."""
    took = []
    door = aiohttp.UnixConnector(str(box.path("/run/sa800/agent.sock")))
    async with aiohttp.ClientSession(connector=door, base_url="http://box.test") as agent:
        ends = time.monotonic() + SECONDS
        while (began := time.monotonic()) < ends:
            async with agent.get("/api/v1/no-such-thing") as answer:
                assert answer.status == 404
            took.append(1000 * (time.monotonic() - began))
            await asyncio.sleep(ASK_S)  # the beat of the questions; waits for nothing
    return spread(took)


async def ask_on(api: Api) -> None:
    """Until cancelled."""
    while True:
        for path in ("/records?limit=200", "/audit?limit=200", "/live", "/config"):
            await api.get(path)


def gaps_ms(ears: list[Listener]) -> dict[str, float]:
    return spread(1000 * np.concatenate([np.diff(ear.came_at) for ear in ears]))


async def measure(lab: Lab) -> dict[str, object]:
    async with office(lab, (SEAT,)) as it, talk(it) as one, contextlib.AsyncExitStack() as stack:
        found: dict[str, object] = {"start_ms": await starts(it, one.id), "cpu_none": await cpu(it.box)}
        found["answer_ms_none"] = await answers_ms(it.box)
        ears = [await stack.enter_async_context(listening(it.admin, one.id)) for _ in range(MOST)]
        await asyncio.gather(*(ear.both_sound() for ear in ears))
        found["cpu_eight"] = await cpu(it.box)
        found["answer_ms_eight"] = await answers_ms(it.box)
        for name, busy in (("gap_ms", False), ("gap_ms_busy", True)):
            for ear in ears:
                ear.came_at.clear()
            asking = asyncio.create_task(ask_on(it.admin)) if busy else None
            await asyncio.sleep(SECONDS)
            if asking is not None:
                asking.cancel()
            found[name] = gaps_ms(ears)
        return found


if __name__ == "__main__":
    with Lab() as opened:
        print(json.dumps(asyncio.run(measure(opened))))
