"""Exchange → DID → menu → digit → queue → SIP seat → talk → hang-up: recorded, written down, counted."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from tests.box.api import today
from tests.box.office import office
from tests.callers.audio import middle, read_wav, tone_share
from tests.lab.exchange import CALLER_TONE_HZ
from tests.lab.lab import Lab

pytestmark = pytest.mark.lab

DID = "075588886666"
DIGIT_AFTER_S = 2.0
"""Into the first prompt: a caller who knows the menu."""


async def test_a_call_walks_the_whole_path(lab: Lab, tmp_path: Path) -> None:
    caller = "13800138000"
    async with office(lab, ("1011",), record_dir=tmp_path) as it:
        before = (await it.admin.get(f"/reports/calls?by=day&{today()}"))["total"]
        call = lab.exchange.dial(caller, DID, digits="1", digits_after_s=DIGIT_AFTER_S)
        rung = await it.phones.wait("ringing", ext="1011")
        assert f"<sip:{caller}@" in rung["from"]
        await it.phones.wait("answered", ext="1011")
        live = await it.admin.get("/live")
        assert [one["caller_number"] for one in live["calls"]] == [caller]
        await it.phones.wait("media", ext="1011")
        await asyncio.to_thread(call.wait, "ended", 4.0)  # four seconds of talk
        call.hang_up()
        heard = call.heard()
        ended = await it.phones.wait("ended", ext="1011")

        at_caller = read_wav(heard.wav)  # type: ignore[arg-type]
        talk = at_caller.channels[0][-3 * at_caller.rate :]
        assert tone_share(talk, at_caller.rate, it.tones["1011"]) > 0.8
        at_seat = read_wav(Path(ended["wav"]))
        assert tone_share(middle(at_seat.channels[0], at_seat.rate, 2), at_seat.rate, CALLER_TONE_HZ) > 0.8

        record = await it.admin.record_of(caller)
        assert record["result"] == "answered"
        assert record["direction"] == "inbound"
        assert (record["did"], record["queue"], record["extension"]) == (DID, "service", "1011")
        assert record["menu_path"] == ["main:1"]
        assert abs(record["talk_ms"] / 1000 - ended["seconds"]) < 0.5
        assert record["user_name"] == "坐席 1011"
        assert [leg["role"] for leg in record["legs"]] == ["caller", "callee"]

        sound = await it.admin.get(f"/records/{record['call_id']}/recording")
        file = tmp_path / "recording.wav"
        file.write_bytes(sound)
        recorded = read_wav(file)
        assert abs(recorded.seconds - heard.duration_s) < 0.3
        left, right = (channel[-3 * 8000 : -4000] for channel in recorded.channels)
        assert tone_share(left, 8000, CALLER_TONE_HZ) > 0.8, "left is the caller"
        assert tone_share(right, 8000, it.tones["1011"]) > 0.8, "right is the seat"
        assert record["recording"]["size_bytes"] == len(sound)
        assert hashlib.sha256(sound).hexdigest() == record["recording"]["sha256"]

        after = (await it.admin.get(f"/reports/calls?by=day&{today()}"))["total"]
        assert after["offered"] == before["offered"] + 1
        assert after["answered"] == before["answered"] + 1


async def test_an_unknown_number_is_told_so_and_written_down(lab: Lab) -> None:
    async with office(lab, ()) as it:
        heard = await asyncio.to_thread(lab.exchange.call, "13900000001", "075500000000")
        assert not heard.answered
        assert heard.cause == 1
        record = await it.admin.record_of("13900000001", recorded=False)
        assert record["result"] == "unknown_number"


async def test_caller_who_gives_up_in_the_queue_is_lost(lab: Lab) -> None:
    caller = "13900000002"
    async with office(lab, ("1011",), answer="ring") as it:
        call = lab.exchange.dial(caller, DID, digits="1", digits_after_s=DIGIT_AFTER_S)
        await it.phones.wait("ringing", ext="1011")
        call.hang_up()
        await it.phones.wait("ended", ext="1011")
        record = await it.admin.record_of(caller)
        assert record["result"] == "abandoned_queue"
        assert record["talk_ms"] == 0
        assert record["queue_visits"][0]["outcome"] == "abandon"


async def test_a_seat_that_refuses_is_passed_over(lab: Lab) -> None:
    caller = "13900000003"
    async with office(lab, ("1011", "1012")) as it:
        await it.phones.send("set", ext="1011", answer="refuse")
        call = lab.exchange.dial(caller, DID, digits="1", digits_after_s=DIGIT_AFTER_S)
        await it.phones.wait("answered", ext="1012", limit_s=40)
        call.hang_up()
        record = await it.admin.record_of(caller)
        assert (record["result"], record["extension"]) == ("answered", "1012")
