"""Phones that refuse each call at once: the others answer, every refusal is written down, and nobody's memory grows.

`SOAK=1`: 200 calls, 21 seats, all of which refuse for the first 30 s. `SEED=n` as in test_load.
"""

import asyncio
from pathlib import Path

import pytest

from tests.box.api import today
from tests.box.fleet import crew, equip_queues, footprint, no_calls, phone_numbers
from tests.box.test_load import (
    AGENT_RSS_MB,
    CALLS,
    SEATS,
    SEED,
    SOAK,
    UNITS,
    all_calls,
    check_counts,
    plans,
    records_of,
    settled,
)
from tests.lab.lab import Lab

pytestmark = pytest.mark.lab

REFUSE_S = 30.0 if SOAK else 8.0


@pytest.mark.timeout(1200 if SOAK else 240)
async def test_seats_that_refuse(lab: Lab, tmp_path: Path) -> None:
    planned, numbers, box = plans(SEED), phone_numbers(SEATS), lab.box()
    print(f"SEED={SEED}: {CALLS} calls, {SEATS} seats")
    await equip_queues(box, numbers)
    async with crew(lab, numbers, record_dir=tmp_path) as it:

        async def answer(how: str) -> None:
            for number in numbers:
                await it.farm_of[number].send("set", ext=number, answer=how)

        async def change_of_mind() -> None:
            await answer("refuse")
            await asyncio.sleep(REFUSE_S)  # the fault itself: how long nobody takes calls
            await answer("auto")

        before = {unit: footprint(box, unit) for unit in UNITS}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(change_of_mind(), name="change of mind")
            done = await all_calls(it, planned)
        failed = [one.plan.caller for one in done if one.talk is None]
        assert not failed, f"{len(failed)} of {CALLS} calls were not answered: {failed}"
        records = await records_of(it.admin, {plan.caller for plan in planned}, today())
        await no_calls(box)
        check_counts(box, lab, records, done)
        refused = sum(not talk.answered for talk in it.talks)
        assert refused >= SEATS, "each phone refused"
        assert {record["result"] for record in records.values()} == {"answered"}
        after = await settled(box, before)
        await asyncio.sleep(60.0 if SOAK else 0.0)  # the acceptance line's own minute of rest
        after |= {unit: footprint(box, unit) for unit in UNITS}
        print(f"{refused} refusals; agent {before['sa800-agent']} → {after['sa800-agent']}")
        assert not SOAK or after["sa800-agent"].rss_mb <= AGENT_RSS_MB, after
