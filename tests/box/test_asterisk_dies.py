"""Asterisk killed with calls up: back ≤ 5 s, seats do nothing, what was open is closed rightly."""

import asyncio
import time

import pytest

from tests.box.api import until_async
from tests.box.office import office
from tests.lab.lab import Lab

pytestmark = pytest.mark.lab

DID = "075588886666"


async def test_seats_come_back_by_themselves_and_open_records_are_closed(lab: Lab) -> None:
    async with office(lab, ("1011", "1012")) as it:
        await it.seats["1012"].put("/seats/me", {"state": "busy", "reason": "午餐"})
        cut = lab.exchange.dial("13800000011", DID, digits="1", digits_after_s=2.0)
        await until_async(
            lambda: it.admin.get("/live"), lambda live: any(one["state"] == "talking" for one in live["calls"]), 30
        )
        starts = it.box.units()["asterisk"]["starts"]
        it.box.kill("asterisk")
        killed_at = time.monotonic()
        await asyncio.to_thread(it.box.wait_unit, "asterisk", 30.0, starts + 1)
        await until_async(lambda: it.admin.get("/status"), lambda status: status["asterisk"] == "up", 30)
        back_s = time.monotonic() - killed_at
        print(f"Asterisk was back after {back_s:.1f} s")
        assert back_s < 25, "five times the target"

        record = await it.admin.record_of("13800000011", limit_s=30)
        assert record["result"] == "interrupted"
        assert record["answered_at"], "it counts as answered in the reports"
        assert record["ended_at"] >= record["answered_at"]
        assert any(item["kind"] == "interrupted" for item in record["timeline"])
        cut.hang_up()

        # The phones registered nothing anew and nobody touched a seat: the next call is answered by the idle one.
        seats = {seat["extension"]: seat["state"] for seat in await it.admin.get("/seats")}
        assert seats["1012"] == "busy"
        mark = it.phones.mark()
        call = lab.exchange.dial("13800000012", DID, digits="1", digits_after_s=2.0)
        await it.phones.wait("answered", ext="1011", since=mark, limit_s=60)
        call.hang_up()
        record = await it.admin.record_of("13800000012")
        assert (record["result"], record["extension"]) == ("answered", "1011")
        assert not [
            event for event in it.phones.events[mark:] if event["event"] == "ringing" and event["ext"] == "1012"
        ]
