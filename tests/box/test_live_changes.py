"""Live calls survive each kind of configuration change but ports, which say how many calls would end, and wait.

Callers talk with seats, wait in a queue, stand in a menu; seats talk outside. `SOAK=1` (make soak): 50 calls, else 10.
"""

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.box.api import Api, answers, person, until_async
from tests.box.fleet import Crew, Json, Talk, crew, equip, no_calls, percentile, phone_numbers, queue_item
from tests.box.office import ADMIN, make_admin
from tests.callers.audio import Samples, read_wav, tone_share
from tests.lab.exchange import CALLED_TONE_HZ, CALLER_TONE_HZ, Call
from tests.lab.lab import Lab
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

SOAK = bool(os.environ.get("SOAK"))
TALKING, OUTSIDE, WAITING, IN_MENU = (30, 4, 8, 8) if SOAK else (5, 1, 2, 2)
DID = "075588886666"
MENU_WAIT = {"wait_s": 30, "repeats": 9}
"""The longest: a caller stands in the menu through all changes."""
STRETCH_S, LEAST_SHARE = 3.0, 0.5
"""A call that a change cuts or mutes is silent for longer; a busy machine drops a second here and there."""
numbers = itertools.count(13600000001)


@dataclass
class Calls:
    """Everything that is up, by what it does."""

    talking: dict[str, Call] = field(default_factory=dict)
    waiting: dict[str, Call] = field(default_factory=dict)
    in_menu: dict[str, Call] = field(default_factory=dict)
    outside: list[Talk] = field(default_factory=list)

    @property
    def from_exchange(self) -> dict[str, Call]:
        return self.talking | self.waiting | self.in_menu

    @property
    def count(self) -> int:
        return len(self.from_exchange) + len(self.outside)


def option(digit: str, queue: str) -> Json:
    return {"digit": digit, "target": {"kind": "queue", "queue": queue}}


def item_of(document: Json, collection: str, name: str, key: str = "id") -> Json:
    return next(dict(item) for item in document[collection] if item[key] == name)


class Editor:
    """The configuration as the administrator edits it, one kind of change after the other."""

    def __init__(self, admin: Api, seats: tuple[str, ...], leaver: str) -> None:
        self.admin, self.seats, self.leaver = admin, seats, leaver
        self.prompt = ""

    async def put(self, collection: str, name: str, key: str = "id", /, **more: Any) -> None:
        """Changes some fields of an item."""
        document = (await self.admin.get("/config"))["document"]
        await self.admin.change(f"{collection}/{name}", item_of(document, collection, name, key) | more)

    async def put_single(self, name: str, /, **more: Any) -> None:
        document = (await self.admin.get("/config"))["document"]
        await self.admin.change(name, document[name] | more)

    async def remove(self, path: str) -> None:
        revision = (await self.admin.get("/config"))["revision"]
        await self.admin.call("DELETE", f"/config/{path}", headers={"If-Match": str(revision)})

    async def speak(self) -> None:
        said = {"text": "新的欢迎词", "language": "zh", "name": "新"}
        self.prompt = (await self.admin.post("/prompts/speech", said))["id"]
        await self.put("menus", "main", prompts=[self.prompt])

    async def leave(self) -> None:
        """A seat that talks loses its extension."""
        for queue in ("service", "lounge"):
            await self.put("queues", queue, seats=[seat for seat in self.seats if seat != self.leaver])
        await self.remove(f"extensions/{self.leaver}")

    def changes(self) -> dict[str, Callable[[], Awaitable[None]]]:
        change = self.admin.change
        direct = {"number": "075512345678", "name": "直线", "target": {"kind": "extension", "extension": "1001"}}
        phone = {"number": "1901", "name": "新话机", "kind": "phone"}
        second = {"id": "second", "name": "二", "host": "192.0.2.5"}
        return {
            "extension added": lambda: change("extensions/1901", phone),
            "extension changed": lambda: self.put("extensions", self.seats[0], "number", name="张;三", record="never"),
            "extension removed": lambda: self.remove("extensions/1901"),
            "extension of a talking seat removed": self.leave,
            "trunk's codecs": lambda: self.put("trunks", "exchange", codecs=["alaw"]),
            "trunk's most calls": lambda: self.put("trunks", "exchange", max_calls=2),
            "trunk added": lambda: change("trunks/second", second),
            "trunk removed": lambda: self.remove("trunks/second"),
            "number added": lambda: change("dids/075512345678", direct),
            "number's target": lambda: self.put("dids", DID, "number", target={"kind": "queue", "queue": "lounge"}),
            "number back": lambda: self.put("dids", DID, "number", target={"kind": "menu", "menu": "main"}),
            "number removed": lambda: self.remove("dids/075512345678"),
            "menu's options": lambda: self.put(
                "menus", "main", options=[{"digit": "3", "target": {"kind": "hangup"}}, option("4", "lounge")]
            ),
            "menu's prompt": self.speak,
            "queue's strategy": lambda: self.put("queues", "lounge", strategy="ring_all"),
            "queue's seats": lambda: self.put("queues", "service", seats=[*self.seats[:1], "1001"]),
            "queue's times": lambda: self.put("queues", "lounge", ring_s=25, max_wait_s=1800),
            "queue's music": lambda: self.put("queues", "lounge", music=self.prompt),
            "queue added": lambda: change("queues/vip", queue_item("vip", self.seats[:1])),
            "queue removed": lambda: self.remove("queues/vip"),
            "outbound added": lambda: change("outbound/8", {"prefix": "8", "trunk": "exchange"}),
            "outbound removed": lambda: self.remove("outbound/9"),
            "site's name": lambda: self.put_single("site", name="分店 2"),
            "site's language": lambda: self.put_single("site", language="en"),
            "audio ports": lambda: self.put_single("network", rtp_first=12000, rtp_last=13999),
        }


async def dial(it: Crew, digits: str, **more: Any) -> tuple[str, Call]:
    caller = str(next(numbers))
    call = await asyncio.to_thread(it.lab.exchange.dial, caller, DID, digits=digits, **more)
    return caller, call


async def live(it: Crew, wanted: Callable[[Json], bool], what: str) -> Json:
    found: Json = await until_async(lambda: it.admin.get("/live"), wanted, 40, what)
    return found


async def place_calls(it: Crew, seats: tuple[str, ...]) -> Calls:
    calls = Calls()
    for number in seats[TALKING:]:
        calls.outside.append(await it.dial(number, f"913{number}00"))
    for _ in range(TALKING):
        caller, call = await dial(it, "1", digits_after_s=0.5)
        assert await it.talk_of(caller, 40), f"{caller} talks with nobody"
        calls.talking[caller] = call
    for _ in range(WAITING):
        caller, calls.waiting[caller] = await dial(it, "2", digits_after_s=0.5)
    await live(it, lambda got: sum(queue["waiting"] for queue in got["queues"]) == WAITING, "callers wait")
    for _ in range(IN_MENU):
        caller, call = await dial(it, "")
        assert await asyncio.to_thread(call.wait, "answered", 20), f"{caller} is not in the menu"
        calls.in_menu[caller] = call
    await all_up(it, calls, "before any change")
    return calls


async def all_up(it: Crew, calls: Calls, when: str) -> None:
    """No call ended, and the box sees as many as there are."""
    over = [caller for caller, call in calls.from_exchange.items() if call.over]
    assert not over, f"{when}: {over} ended"
    assert all(talk.ended is None for talk in calls.outside), f"{when}: a call to outside ended"
    assert it.lab.exchange.channels() == calls.count, when
    await live(it, lambda got: len(got["calls"]) == calls.count, f"{when}: {calls.count} calls")


def took_s(job: Json) -> float:
    begun, ended = (datetime.fromisoformat(job[key]) for key in ("created_at", "finished_at"))
    return (ended - begun).total_seconds()


async def each_change(it: Crew, editor: Editor, calls: Calls) -> dict[str, float]:
    """Name of each change → seconds from apply to running."""
    taken = {}
    for name, change in editor.changes().items():
        await change()
        told = await it.admin.get("/config/diff")
        assert (told["waits"], told["calls_that_end"]) == (False, 0), (name, told)
        assert told["changes"], name
        job = await it.admin.apply()
        assert job["state"] == "done", (name, job)
        taken[name] = took_s(job)
        await all_up(it, calls, name)
        if name == "menu's prompt":
            caller, calls.waiting[caller] = await dial(it, "4", digits_after_s=0.5)  # a digit of the new menu
            await live(it, partial(_wait_there, "lounge", len(calls.waiting)), "the new menu's digit")
    return taken


def _wait_there(queue: str, callers: int, got: Json) -> bool:
    return _waiting(got, queue) == callers


def _waiting(got: Json, queue: str) -> int:
    return next(int(one["waiting"]) for one in got["queues"] if one["id"] == queue)


@asynccontextmanager
async def waiting_for_silence(it: Crew, calls: Calls, port: int) -> AsyncIterator[str]:
    """A change of the SIP port that waits; the block gets the job's id, all calls end in it, then the change runs."""
    document = (await it.admin.get("/config"))["document"]
    await it.admin.change("network", document["network"] | {"sip_port": port})
    told = await it.admin.get("/config/diff")
    assert (told["waits"], told["calls_that_end"], told["reloads"]) == (True, calls.count, ["restart"]), told
    revision = (await it.admin.get("/config"))["revision"]
    job = await it.admin.post("/config/apply", {"revision": revision, "when": "idle"})
    await until_async(lambda: job_state(it, job["id"]), lambda got: got == "waiting", 10, "the job waits")
    yield job["id"]
    await until_async(lambda: job_state(it, job["id"]), lambda got: got == "done", 60, "the job runs")
    assert f":{port}" in await asyncio.to_thread(it.box.asterisk, "pjsip show transports")


async def job_state(it: Crew, job_id: str) -> str:
    return str((await it.admin.get(f"/config/jobs/{job_id}"))["state"])


def tell_figures(taken: dict[str, float], calls: Calls) -> None:
    values = list(taken.values())
    slowest = max(taken, key=lambda name: taken[name])
    print(
        f"{len(taken)} changes under {calls.count} calls: apply → running p50 {percentile(values, 0.5):.2f} s, "
        f"p95 {percentile(values, 0.95):.2f} s, longest {taken[slowest]:.2f} s ({slowest})"
    )


async def serve_the_rest(it: Crew, calls: Calls) -> None:
    """Seats hang up; who waited is answered, who stood in the menu keys the digit that only the old menu has."""
    for call in calls.in_menu.values():
        await asyncio.to_thread(call.send_digits, "3")
    queue = len(calls.waiting) + len(calls.in_menu)
    await live(it, lambda got: _waiting(got, "lounge") == queue, "the old menu's digit")
    left = list((calls.waiting | calls.in_menu).items())
    for caller in list(calls.talking):
        await asyncio.to_thread(calls.talking[caller].hang_up)
    while left:
        caller, call = left.pop(0)
        talk = await it.talk_of(caller, 60)
        assert talk is not None, f"{caller} was not answered"
        assert await asyncio.to_thread(call.wait, "ended", 4.0) is False, f"{caller} was cut off"  # it talks
        await asyncio.to_thread(call.hang_up)


def worst_stretch(samples: Samples, rate: int, hz: float) -> float:
    """The least part that a tone has of any STRETCH_S, all of a shorter talk."""
    size = min(int(STRETCH_S * rate), len(samples))
    starts = range(0, len(samples) - size + 1, max(1, size // 2))
    return min((tone_share(samples[start : start + size], rate, hz) for start in starts), default=0.0)


def talked(path: Path, seconds: float) -> tuple[Samples, int]:
    """The last seconds of a wav, but for the very last half."""
    sound = read_wav(path)
    return sound.channels[0][-int((seconds + 0.5) * sound.rate) : -sound.rate // 2], sound.rate


def hear(it: Crew, talk: Talk, other: Path, other_hz: float) -> dict[str, float]:
    """What each side heard of the other, from a second after the answer on: the worst stretch of the whole talk."""
    assert talk.ended is not None
    seconds = talk.ended["seconds"] - 1.5
    outside, rate = talked(other, seconds)
    seat, seat_rate = talked(Path(talk.ended["wav"]), seconds)
    return {
        "outside hears seat": worst_stretch(outside, rate, it.tones[talk.ext]),
        "seat hears outside": worst_stretch(seat, seat_rate, other_hz),
    }


async def listened(it: Crew, calls: Calls) -> dict[str, dict[str, float]]:
    found = {}
    for caller, call in calls.from_exchange.items():
        await it.talk_of(caller, 10, ended=True)
        talk = it.longest_talk(caller)
        wav = call.heard().wav
        assert wav is not None
        found[caller] = await asyncio.to_thread(hear, it, talk, wav, CALLER_TONE_HZ)
    numbers_out = {message["Number"]: message["LabId"] for message in it.lab.exchange.received(5, len(calls.outside))}
    for talk in calls.outside:
        wav = it.lab.exchange.share / f"heard/{numbers_out[f'13{talk.ext}00']}.wav"
        await asyncio.to_thread(until, "wav closed", wav.with_suffix(".done").exists, limit_s=10)
        found[talk.ext] = await asyncio.to_thread(hear, it, talk, wav, CALLED_TONE_HZ)
    return found


@pytest.mark.timeout(1200 if SOAK else 300)
async def test_calls_survive_each_kind_of_change(lab: Lab, tmp_path: Path) -> None:
    seats, box = phone_numbers(TALKING + OUTSIDE), lab.box()
    async with the_office(lab, seats, tmp_path) as it:
        editor = Editor(it.admin, seats, leaver=seats[1])
        begun = time.monotonic()
        calls = await place_calls(it, seats)
        print(f"{calls.count} calls up after {time.monotonic() - begun:.0f} s")
        taken = await each_change(it, editor, calls)
        tell_figures(taken, calls)
        async with waiting_for_silence(it, calls, 5080) as job:
            await serve_the_rest(it, calls)
            assert await job_state(it, job) == "waiting"
            for talk in calls.outside:
                assert await job_state(it, job) == "waiting", "a call is up still"
                await it.hang_up(talk.ext)
        await no_calls(box)
        shares = await listened(it, calls)
        wrong = {who: said for who, said in shares.items() if min(said.values()) < LEAST_SHARE}
        worst = [min(said.values()) for said in shares.values()]
        print(f"worst stretch of each talk: least {min(worst):.2f}, mean {np.mean(worst):.2f}")
        assert not wrong, wrong
        for caller in calls.in_menu:
            record = await it.admin.record_of(caller)
            assert (record["result"], record["menu_path"], record["queue"]) == ("answered", ["main:3"], "lounge")
        for caller in calls.talking:
            assert (await it.admin.record_of(caller))["result"] == "answered"


@asynccontextmanager
async def the_office(lab: Lab, seats: tuple[str, ...], folder: Path) -> AsyncIterator[Crew]:
    """Seats in both queues, and a menu that callers can stand in for long."""
    box = lab.box()
    await answers(box.panel_url)
    await make_admin(box)
    async with person(box.panel_url, ADMIN) as admin:
        document = (await admin.get("/config"))["document"]
    menu, trunk = item_of(document, "menus", "main"), item_of(document, "trunks", "exchange")
    options = [option("1", "service"), option("2", "lounge"), option("3", "lounge")]
    await equip(
        box, seats,
        {"queues/service": queue_item("service", seats), "queues/lounge": queue_item("lounge", seats),
         "menus/main": menu | MENU_WAIT | {"options": options}, "trunks/exchange": trunk | {"max_calls": 100}},
    )  # fmt: skip
    async with crew(lab, seats, record_dir=folder) as it:
        yield it
