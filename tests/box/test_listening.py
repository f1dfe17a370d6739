"""A supervisor listens to calls: through the real front, on the real Asterisk, unheard by those who talk."""

import asyncio
import itertools
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from tests.box.api import Api, answers, person, until_async
from tests.box.listener import RATE, listening
from tests.box.office import ADMIN, Office, hire, office
from tests.callers.audio import Samples, read_wav, tone_share
from tests.lab.exchange import CALLER_TONE_HZ, Call
from tests.lab.lab import Box, Lab

pytestmark = pytest.mark.lab

DID = "075588886666"
SEAT, COLLEAGUE, THIRD = "1011", "1012", "1013"
FIGURE_S = 1.0
"""From the press until it sounds."""
MOST = 8
BLOCK = 160
ODD = 0.02
"""Of all 20 ms: the machine may be busy, and Asterisk late."""
numbers = itertools.count(13600000001)


STORED = """
import sqlite3
box = sqlite3.connect('file:/var/lib/sa800/box.db?mode=ro', uri=True)
of = [box.execute(f"select count(*) from {table} where {column} like 'listen-%'").fetchone()[0]
      for table, column in (("journal_event", "linkedid"), ("journal_event", "call_id"), ("call_record", "call_id"))]
print(sum(of))
"""
"""Run on the box: rows of its database that stem from channels which listen."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A customer talks with a seat."""

    call: Call
    caller: str
    id: str
    """On the box."""


@asynccontextmanager
async def talk(it: Office) -> AsyncIterator[Talk]:
    caller = str(next(numbers))
    call = it.lab.exchange.dial(caller, DID, digits="1", limit_s=240)
    try:
        yield Talk(call, caller, await talked(it.admin, caller))
    finally:
        await asyncio.to_thread(call.hang_up)
        await until_async(lambda: board(it.admin), lambda calls: not calls, 20, "calls do not end")


async def board(api: Api) -> list[dict[str, str]]:
    return list((await api.get("/live"))["calls"])


async def talked(api: Api, caller: str) -> str:
    """The id of the caller's call, once it is talked."""

    def found(calls: list[dict[str, str]]) -> list[str]:
        return [one["call_id"] for one in calls if one["caller_number"] == caller and one["state"] == "talking"]

    return found(
        await until_async(lambda: board(api), lambda calls: bool(found(calls)), 40, f"{caller} does not talk")
    )[0]


async def nobody_listens(box: Box) -> None:
    """Neither channels nor bridges of a listening are left in Asterisk."""

    async def left() -> list[str]:
        said = await asyncio.to_thread(lambda: box.asterisk("core show channels") + box.asterisk("bridge show all"))
        return [line for line in said.splitlines() if line.startswith(("Snoop/", "UnicastRTP/", "listen-"))]

    await until_async(left, lambda lines: not lines, 20, "listening leaves something in Asterisk")


def recorded(folder: Path) -> list[Path]:
    """By the seat's phone, one a call."""
    return list(folder.glob(f"{SEAT}-*.wav"))


def loudness(samples: Samples) -> Samples:
    """Of each 20 ms, root mean square."""
    levels: Samples = np.sqrt(np.mean(samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK) ** 2, axis=1))
    return levels


def odd(samples: Samples) -> float:
    """Share of a steady tone's 20 ms that are not as loud as usual, by more than a tenth."""
    levels = loudness(samples)
    usual = float(np.median(levels))
    assert usual > 0.05, "there is no tone"
    return float(np.mean(np.abs(levels - usual) > 0.1 * usual))


async def test_both_sides_are_heard_and_the_call_is_as_it_was(lab: Lab, tmp_path: Path) -> None:
    async with office(lab, (SEAT,), record_dir=tmp_path) as it:
        async with talk(it) as one:
            starts = []
            for _ in range(4):
                async with listening(it.admin, one.id) as ear:
                    await ear.both_sound()
                    customer, seat = await ear.hears(2.0)
                    assert tone_share(customer, RATE, CALLER_TONE_HZ) > 0.95
                    assert tone_share(seat, RATE, it.tones[SEAT]) > 0.95
                    assert odd(customer) <= ODD
                    assert [call["call_id"] for call in await board(it.admin)] == [one.id], "a listening is no call"
                    starts.append(max(ear.sounds_after_s.values()))
                await nobody_listens(it.box)
            print(json.dumps({"listen_start_ms": [round(start * 1000) for start in starts]}))
            assert max(starts) < 5 * FIGURE_S
            assert await board(it.admin), "the call goes on"
        record = await it.admin.record_of(one.caller)
        (tmp_path / "recording.wav").write_bytes(await it.admin.get(f"/records/{record['call_id']}/recording"))
        customer_heard, (seat_heard,) = one.call.heard().wav, recorded(tmp_path)
        assert customer_heard is not None
        sounds = [read_wav(path) for path in (customer_heard, seat_heard, tmp_path / "recording.wav")]
        tones = (it.tones[SEAT],), (CALLER_TONE_HZ,), (CALLER_TONE_HZ, it.tones[SEAT])
        for sound, heard in zip(sounds, tones, strict=True):
            for samples, tone_hz in zip(sound.channels, heard, strict=True):
                listened_to = samples[-8 * sound.rate : -sound.rate // 2]
                assert tone_share(listened_to, sound.rate, tone_hz) > 0.95
                assert sound.rate != RATE or odd(listened_to) <= ODD, "nobody noticed anything"
        assert (record["call_id"], len(record["legs"])) == (one.id, 2)
        assert int(it.box.command("/usr/bin/python3", "-c", STORED)) == 0
        entries = (await it.admin.get("/audit?limit=200"))["items"]
        ends, begins = (
            [entry for entry in entries if entry["action"] == f"listen.{what}"] for what in ("end", "begin")
        )
        assert [entry["detail"]["call"] for entry in begins] == [one.id] * 4
        assert [(entry["login"], entry["detail"]["call"], entry["detail"]["end"]) for entry in ends] == [
            (ADMIN, one.id, "stopped")
        ] * 4
        assert all(
            entry["detail"]["from"] < entry["detail"]["to"] and entry["detail"]["seconds"] >= 2 for entry in ends
        )


async def test_it_ends_with_a_word(lab: Lab) -> None:
    async with office(lab, (SEAT,)) as it:
        async with AsyncExitStack() as stack:
            one = await stack.enter_async_context(talk(it))
            async with listening(it.admin, "1.1") as ear:
                assert await ear.over() == "listen.no_call"
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with listening(it.seats[SEAT], one.id):
                    pass
            assert refused.value.status == 403, "agents do not listen to others"
            with pytest.raises(aiohttp.WSServerHandshakeError) as foreign:
                await it.admin.http.ws_connect(
                    f"{it.admin.url}/api/v1/calls/{one.id}/listen", origin="https://evil.example"
                )
            assert foreign.value.status == 403

            ears = [await stack.enter_async_context(listening(it.admin, one.id)) for _ in range(MOST)]
            await asyncio.gather(*(ear.both_sound() for ear in ears))
            async with listening(it.admin, one.id) as ear:
                assert await ear.over() == "listen.full"
            for ear in ears[1:]:
                await ear.stop()
            await one_listens(it.box)

            leader = await hire(it.admin, "1014", "supervisor")
            async with person(it.box.panel_url, leader) as supervisor, listening(supervisor, one.id) as his:
                await his.both_sound()
                await supervisor.delete("/session")
                assert await his.over() == "listen.session"
            async with person(it.box.panel_url, leader) as supervisor, listening(supervisor, one.id) as his:
                await his.both_sound()
                await demote(it.admin, leader)
                assert await his.over() == "listen.session"
            await asyncio.to_thread(one.call.hang_up)
            assert await ears[0].over() == "listen.call_ended"
        await nobody_listens(it.box)


async def one_listens(box: Box) -> None:
    """The channels of the others are gone."""

    async def left() -> int:
        return (await asyncio.to_thread(box.asterisk, "core show channels")).count("\nSnoop/")

    await until_async(left, lambda count: count == 2, 20, "others still listen")


async def demote(admin: Api, login: str) -> None:
    (user,) = [user for user in await admin.get("/users") if user["login"] == login]
    kept = {name: user[name] for name in ("login", "name", "extension", "language", "active")}
    await admin.put(f"/users/{user['id']}", {**kept, "role": "agent"})


async def test_a_call_that_is_handed_on_is_followed(lab: Lab) -> None:
    async with office(lab, (SEAT, COLLEAGUE, THIRD)) as it:
        async with talk(it) as one, listening(it.admin, one.id) as ear:
            await ear.both_sound()
            (call,) = await board(it.admin)
            other = next(number for number in (COLLEAGUE, THIRD) if number != call["extension"])
            await it.admin.post(f"/calls/{one.id}/transfer", {"to": other})
            await ear.hears_tone(1, it.tones[other])
            await ear.hears_tone(0, CALLER_TONE_HZ)
        # Among ourselves: the leg that is heard is the one that leaves.
        made = await it.seats[SEAT].post("/calls", {"to": COLLEAGUE})
        await until_async(lambda: board(it.admin), lambda calls: [c["state"] for c in calls] == ["talking"], 30)
        async with listening(it.admin, made["call_id"]) as ear:
            await ear.hears_tone(0, it.tones[SEAT])
            await it.seats[SEAT].post(f"/calls/{made['call_id']}/transfer", {"to": THIRD})
            heard = {it.tones[COLLEAGUE], it.tones[THIRD]}
            await asyncio.gather(*(ear.hears_any(side, heard) for side in (0, 1)))
            (call,) = await board(it.admin)
            await it.admin.post(f"/calls/{call['call_id']}/hangup")
            assert await ear.over() == "listen.call_ended"
        await nobody_listens(it.box)


async def test_a_page_that_does_not_keep_up_gets_no_old_sound(lab: Lab) -> None:
    async with office(lab, (SEAT,)) as it, talk(it) as one, listening(it.admin, one.id, tells=False) as ear:
        await until_async(lambda: asyncio.sleep(0, len(ear.frames)), lambda count: count >= 25, 20)
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await ear.hears(0.02, limit_s=2.0)
        await ear.tell()
        await ear.hears(0.5)
        late_s = asyncio.get_running_loop().time() - began
        assert len(ear.frames) <= 25 + 25 + round(late_s / 0.02), "what is older than half a second was left out"
        assert len(ear.frames) < round((late_s + 0.5) / 0.02), "it was not kept for later"


@pytest.mark.parametrize("unit", ["sa800-agent", "asterisk"])
async def test_what_dies_ends_it_and_nothing_stays(lab: Lab, unit: str) -> None:
    async with office(lab, (SEAT,)) as it, AsyncExitStack() as stack:
        one = await stack.enter_async_context(talk(it))
        ear = await stack.enter_async_context(listening(it.admin, one.id))
        await ear.both_sound()
        starts = it.box.units()[unit]["starts"]
        it.box.kill(unit, signal.SIGKILL)
        assert await ear.over() == {"sa800-agent": "closed", "asterisk": "listen.asterisk"}[unit]
        await asyncio.to_thread(it.box.wait_unit, unit, 30.0, starts + 1)
        await answers(it.box.panel_url)
        if unit == "sa800-agent":
            await nobody_listens(it.box)
            assert not one.call.over, "the call goes on"
            async with listening(it.admin, one.id) as ear:
                await ear.both_sound()


async def test_packets_lost_on_the_way_to_the_buffer_are_not_heard_as_holes(lab: Lab) -> None:
    """One of ten of all RTP inside the box, where only listening sends any."""
    async with office(lab, (SEAT,)) as it, talk(it) as one, listening(it.admin, one.id) as ear:
        await ear.both_sound()
        with losing(it.box, 10):
            customer, seat = await ear.hears(6.0)
        assert tone_share(customer, RATE, CALLER_TONE_HZ) > 0.9
        assert tone_share(seat, RATE, it.tones[SEAT]) > 0.9
        silent = np.mean(loudness(customer) < 0.3 * np.median(loudness(customer)))
        assert silent <= ODD, "what is lost is made up"


@contextmanager
def losing(box: Box, one_of: int) -> Iterator[None]:
    rules = (
        f"table ip lost {{ chain in {{ type filter hook input priority 0; iif lo udp dport 32768-60999 "
        f"numgen inc mod {one_of} == 0 counter drop; }}; }}"
    )
    enter = ["nsenter", f"--target={box.init_pid}", "--net", "nft"]
    subprocess.run([*enter, rules], check=True, timeout=10)
    try:
        yield
    finally:
        told = subprocess.run([*enter, "list table ip lost"], capture_output=True, text=True, check=True, timeout=10)
        subprocess.run([*enter, "delete table ip lost"], check=True, timeout=10)
        assert "packets 0" not in told.stdout, "nothing was lost"
