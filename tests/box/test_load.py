"""Two calls a second through the whole path, many seats: each answered, heard, recorded, written down, counted alike.

`SOAK=1` (make soak): 200 calls, 21 seats, 3–10 s of talk, each recording scored, memory looked at 60 s later. Else a
small one. `SEED=n` chooses numbers, digits, lengths, and who hangs up.
"""

import asyncio
import json
import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.box.api import Api, today, until_async
from tests.box.fleet import (
    Crew,
    Footprint,
    Talk,
    crew,
    equip_queues,
    footprint,
    no_calls,
    percentile,
    phone_numbers,
)
from tests.callers.audio import Samples, read_wav, tone_share
from tests.lab.exchange import CALLER_TONE_HZ, Call, Heard
from tests.lab.lab import Box, Lab

pytestmark = pytest.mark.lab

SOAK = bool(os.environ.get("SOAK"))
CALLS, SEATS, LONGEST_TALK_S, SCORED = (200, 21, 10.0, 200) if SOAK else (24, 8, 5.0, 8)
SHORTEST_TALK_S = 3.0
A_SECOND = 2.0
SEED = int(os.environ.get("SEED") or time.time_ns() % 1_000_000)
DID = "075588886666"
QUEUES = {"1": "service", "2": "sales"}
ANSWER_LIMIT_S = 90.0
RECORD_LIMIT_S = 60.0
LENGTH_TOLERANCE_S = 0.2
LENGTH_LIMIT_S = 0.5
GOOD_SHARE, LEAST_SHARE = 0.8, 0.5
MOST_BEYOND = 0.0 if SOAK else 0.01
"""Of all recordings (tone shares) may miss the tolerance, none the limit: CI's machine stands still now and then, the
campaign runs on an idle one."""
AGENT_RSS_MB = 120.0
SPARE_FILES = 10
"""Connections that are kept open for reuse may differ by so many."""
UNITS = ("asterisk", "sa800-agent", "sa800-front")


@dataclass(slots=True)
class Plan:
    caller: str
    digit: str
    digit_after_s: float
    talk_s: float
    seat_hangs_up: bool


@dataclass(slots=True)
class Done:
    plan: Plan
    call: Call
    talk: Talk | None


def plans(seed: int) -> list[Plan]:
    chance = random.Random(seed)
    first = chance.randrange(13_000_000_000, 18_900_000_000)
    return [
        Plan(
            str(first + index), chance.choice(sorted(QUEUES)), chance.uniform(0.8, 2.5),
            chance.uniform(SHORTEST_TALK_S, LONGEST_TALK_S), chance.random() < 0.5,
        )
        for index in range(CALLS)
    ]  # fmt: skip


async def one_call(it: Crew, plan: Plan, start_s: float, threads: ThreadPoolExecutor) -> Done:
    """Dials at `start_s` (of the loop's clock), keys the digit, talks, hangs up; looks at nothing yet."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(max(0.0, start_s - loop.time()))  # the load itself: so many calls a second
    dial = partial(it.lab.exchange.dial, digits=plan.digit, digits_after_s=plan.digit_after_s)
    call = await loop.run_in_executor(threads, dial, plan.caller, DID)
    talk = await it.talk_of(plan.caller, ANSWER_LIMIT_S)
    if talk is not None:
        await loop.run_in_executor(threads, call.wait, "ended", plan.talk_s)
        if plan.seat_hangs_up:
            await it.hang_up(talk.ext)
            await loop.run_in_executor(threads, call.wait, "ended", 10.0)
    await loop.run_in_executor(threads, call.hang_up)
    if talk is not None:
        await it.talk_of(plan.caller, 10.0, ended=True)
    return Done(plan, call, talk)


async def all_calls(it: Crew, planned: list[Plan]) -> list[Done]:
    start = asyncio.get_running_loop().time()
    with ThreadPoolExecutor(max_workers=2 * SEATS + 16) as threads:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(one_call(it, plan, start + index / A_SECOND, threads), name=plan.caller)
                for index, plan in enumerate(planned)
            ]
    return [task.result() for task in running]


async def records_of(admin: Api, callers: set[str], since: str) -> dict[str, dict[str, Any]]:
    """Caller → record, once all are written down and their recordings finished."""

    async def ask() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = await admin.get(f"/records?{since}&limit=200&offset={len(found)}&sort=started_at")
            found += page["items"]
            if not page["items"] or len(found) >= page["total"]:
                return [item for item in found if item["caller_number"] in callers]

    items = await until_async(
        ask, lambda got: sum(bool(item["recording"]) for item in got) >= len(callers), RECORD_LIMIT_S, "records"
    )
    assert len(items) == len(callers), f"{len(items)} records of {len(callers)} calls"
    return {item["caller_number"]: item for item in items}


def last_of(samples: Samples, rate: int, seconds: float) -> Samples:
    """The end of it, but for the last half second, in which one side may have hung up already."""
    return samples[-int((seconds + 0.5) * rate) : -rate // 2]


def journal_rows(box: Box) -> list[dict[str, Any]]:
    files = sorted(box.journal.parent.glob("journal*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def queue_rows(box: Box) -> list[list[str]]:
    """time|call id|queue|agent|event|…"""
    return [line.split("|") for line in box.path("/var/log/asterisk/queue_log").read_text().splitlines()]


async def scored(it: Crew, done: Done, record: dict[str, Any], folder: Path) -> dict[str, float]:
    """How much of the right tone one call's recording holds, and how much its two people heard: 0..1."""
    heard = done.call.heard()
    assert done.talk is not None
    assert done.talk.ended is not None
    tone = it.tones[done.talk.ext]
    file = folder / f"{record['call_id']}.wav"
    file.write_bytes(await it.admin.get(f"/records/{record['call_id']}/recording"))
    seconds = done.plan.talk_s - 1.5

    def look() -> dict[str, float]:
        recorded, at_seat = read_wav(file), read_wav(Path(done.talk.ended["wav"]))  # type: ignore[union-attr,index]
        assert heard.wav is not None
        at_caller = read_wav(heard.wav)
        sides = {
            "caller hears seat": (at_caller.channels[0], at_caller.rate, tone),
            "seat hears caller": (at_seat.channels[0], at_seat.rate, CALLER_TONE_HZ),
            "left is the caller": (recorded.channels[0], recorded.rate, CALLER_TONE_HZ),
            "right is the seat": (recorded.channels[1], recorded.rate, tone),
        }
        file.unlink()
        return {
            f"{done.plan.caller} {name}": tone_share(last_of(samples, rate, seconds), rate, hz)
            for name, (samples, rate, hz) in sides.items()
        }

    return await asyncio.to_thread(look)


def check_shares(shares: dict[str, float]) -> None:
    low = {name: share for name, share in shares.items() if share < GOOD_SHARE}
    print(f"tone shares: least {min(shares.values()):.2f}, mean {np.mean(list(shares.values())):.3f} of {len(shares)}")
    assert len(low) <= MOST_BEYOND * len(shares), low
    assert min(shares.values()) >= LEAST_SHARE, low


def recorded_s(record: dict[str, Any]) -> float:
    """From the size of the wav: 8 kHz, two channels, 16 bit."""
    return float(record["recording"]["size_bytes"] - 44) / (8000 * 4)


def off_s(record: dict[str, Any], heard: Heard) -> float:
    """Recording − exchange's answered time, in seconds. In the small run, where the exchange's own recording of the
    call is shorter than that time as well, a busy machine made no audio: only what ours lacks beside it counts."""
    length = recorded_s(record)
    if SOAK:
        return length - heard.duration_s
    least, most = sorted((heard.seconds, heard.duration_s))
    return length - min(max(length, least), most)


async def settled(box: Box, before: dict[str, Footprint]) -> dict[str, Footprint]:
    """Until no process holds more files than before the calls, but for a few."""

    async def ask() -> dict[str, Footprint]:
        return {unit: await asyncio.to_thread(footprint, box, unit) for unit in UNITS}

    def good(now: dict[str, Footprint]) -> bool:
        return all(now[unit].files <= before[unit].files + SPARE_FILES for unit in UNITS)

    found: dict[str, Footprint] = await until_async(ask, good, 60, f"files are left open; before: {before}")
    return found


@pytest.mark.timeout(1200 if SOAK else 240)
async def test_two_calls_a_second(lab: Lab, tmp_path: Path) -> None:
    planned, numbers, box = plans(SEED), phone_numbers(SEATS), lab.box()
    print(f"SEED={SEED}: {CALLS} calls, {SEATS} seats")
    await equip_queues(box, numbers)
    async with crew(lab, numbers, record_dir=tmp_path, answer_after_s=lambda number: int(number) % 5 * 0.2) as it:
        counted = (await it.admin.get(f"/reports/calls?by=day&{today()}"))["total"]
        before = {unit: footprint(box, unit) for unit in UNITS}
        done = await all_calls(it, planned)
        failed = {one.plan.caller: one.call.heard() for one in done if one.talk is None}
        assert not failed, f"{len(failed)} of {CALLS} calls were not answered: {failed}"
        records = await records_of(it.admin, {plan.caller for plan in planned}, today())
        await no_calls(box)
        check_lengths(records, done)
        await check_records(it, records, done)
        check_counts(box, lab, records, done)
        report = (await it.admin.get(f"/reports/calls?by=day&{today()}"))["total"]
        assert [report[key] - counted[key] for key in ("offered", "answered", "lost")] == [CALLS, CALLS, 0]
        sample = random.Random(SEED).sample(done, SCORED)
        shares: dict[str, float] = {}
        for one in sample:
            shares |= await scored(it, one, records[one.plan.caller], tmp_path)
        check_shares(shares)
        after = await settled(box, before)
        await asyncio.sleep(60.0 if SOAK else 0.0)  # the acceptance line's own minute of rest
        after |= {unit: footprint(box, unit) for unit in UNITS}
        for unit in UNITS:
            print(f"{unit}: {before[unit]} → {after[unit]}")
        assert not list(box.path("/var/spool/asterisk/sa800").iterdir()), "the spool is empty"
        assert not SOAK or after["sa800-agent"].rss_mb <= AGENT_RSS_MB, after


def check_lengths(records: dict[str, dict[str, Any]], done: list[Done]) -> None:
    waits = [record["wait_ms"] for record in records.values()]
    heard = {one.plan.caller: one.call.heard() for one in done}
    off = [abs(off_s(records[caller], one)) for caller, one in heard.items()]
    plain = [abs(recorded_s(records[caller]) - one.duration_s) for caller, one in heard.items()]
    print(
        f"waiting p50 {percentile(waits, 0.5)} ms, p95 {percentile(waits, 0.95)} ms, longest {max(waits)} ms; "
        f"recording − exchange's answered time: p95 {percentile(off, 0.95):.3f} s, worst {max(off):.3f} s, "
        f"mean {np.mean(off):.3f} s; without regard to audio that was not made: p95 {percentile(plain, 0.95):.3f} s, "
        f"worst {max(plain):.3f} s"
    )
    beyond = sum(one > LENGTH_TOLERANCE_S for one in off)
    assert beyond <= MOST_BEYOND * len(off), f"{beyond} recordings are off by more than {LENGTH_TOLERANCE_S} s"


async def check_records(it: Crew, records: dict[str, dict[str, Any]], done: list[Done]) -> None:
    """Each call's record says what happened."""
    wrong = {}
    for one in done:
        plan, record = one.plan, records[one.plan.caller]
        assert one.talk is not None
        assert one.talk.ended is not None
        off = off_s(record, one.call.heard())
        facts = {
            "result": record["result"] == "answered",
            "queue": record["queue"] == QUEUES[plan.digit],
            "extension": record["extension"] == one.talk.ext,
            "did": record["did"] == DID,
            "hangup_by": record["hangup_by"] == ("callee" if plan.seat_hangs_up else "caller"),
            f"talk_ms {record['talk_ms']} {one.talk.ended['seconds']}": (
                abs(record["talk_ms"] / 1000 - one.talk.ended["seconds"]) < 0.5
            ),
            f"recording {off:+.3f} s": abs(off) <= LENGTH_LIMIT_S,
        }
        if bad := [name for name, holds in facts.items() if not holds]:
            wrong[plan.caller] = bad
    assert not wrong, f"{len(wrong)} records of {len(done)}: {wrong}"


def check_counts(box: Box, lab: Lab, records: dict[str, dict[str, Any]], done: list[Done]) -> None:
    """CEL, queue log and the exchange's own count tell of the same calls, once each."""
    ids = {record["call_id"] for record in records.values()}
    rows = [row for row in journal_rows(box) if row["linkedid"] in ids]
    for kind in ("LINKEDID_END", "SA_CALL", "SA_DID", "SA_SEAT"):
        seen = Counter(row["linkedid"] for row in rows if kind in (row["eventtype"], row["userdeftype"]))
        assert set(seen) == ids, kind
        assert set(seen.values()) == {1}, (kind, seen)
    log = queue_rows(box)
    for events in ({"ENTERQUEUE"}, {"CONNECT"}, {"COMPLETECALLER", "COMPLETEAGENT"}):
        seen = Counter(row[1] for row in log if row[4] in events and row[1] in ids)
        assert set(seen) == ids, events
        assert set(seen.values()) == {1}, (events, seen)
    exchange = Counter(row["userfield"] for row in lab.exchange.cdrs() if row["disposition"] == "ANSWERED")
    assert exchange == Counter(one.call.id for one in done)
