"""Many SIP phones in several processes, their agents, and which caller talks with whom."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.box.api import PASSWORD, Api, answers, person, until_async, visitor
from tests.box.office import ADMIN, FIRST_TONE_HZ, TONE_STEP_HZ, hire, host_address, make_admin, phone_secrets
from tests.callers.client import Event, Phones, phones
from tests.lab.lab import Box, Lab

Json = dict[str, Any]
PHONES_A_PROCESS = 4
"""So many calls pjsua2 carries in one process (PJSUA_MAX_CALLS of its wheel)."""
WATCH_LIMIT_S = 3600.0
RATE = 8000


@dataclass(slots=True)
class Talk:
    """One call at one phone: what the phone saw of it."""

    caller: str
    """"": the phone dialled."""
    ext: str
    answered: bool = False
    ended: Event | None = None


@dataclass
class Crew:
    """The administrator, and agents who sit at SIP phones."""

    lab: Lab
    admin: Api
    farms: list[Phones] = field(default_factory=list)
    farm_of: dict[str, Phones] = field(default_factory=dict)
    """Extension → the process with its phone."""
    seats: dict[str, Api] = field(default_factory=dict)
    tones: dict[str, float] = field(default_factory=dict)
    talks: list[Talk] = field(default_factory=list)
    """All of them, in the order in which phones rang."""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def box(self) -> Box:
        return self.lab.box()

    async def watch(self, farm: Phones) -> None:
        """Folds one process's events into `talks`; ends with the process."""
        live: dict[int, Talk] = {}
        index = 0
        while True:
            event = await farm.wait_for(lambda _event: True, "event", since=index, limit_s=WATCH_LIMIT_S)
            index += 1
            match event["event"]:
                case "ringing":
                    found = re.search(r"sips?:([^@>]*)@", event["from"])
                    live[event["call"]] = Talk(found.group(1) if found else "", event["ext"])
                    self.talks.append(live[event["call"]])
                case "answered":
                    if event["call"] not in live:  # this phone dialled
                        live[event["call"]] = Talk("", event["ext"])
                        self.talks.append(live[event["call"]])
                    live[event["call"]].answered = True
                case "ended" if event["call"] in live:
                    live.pop(event["call"]).ended = event
                case "process_ended":
                    return
                case _:
                    continue
            async with self._news:
                self._news.notify_all()

    async def talk_of(
        self, caller: str, limit_s: float, stop: Callable[[], bool] = lambda: False, *, ended: bool = False
    ) -> Talk | None:
        """The talk that a caller has (had, with `ended`); None when there is none within the limit."""

        def find() -> Talk | None:
            mine = (talk for talk in self.talks if talk.caller == caller and talk.answered)
            return next((talk for talk in mine if talk.ended is not None or not ended), None)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s), self._news:
                await self._news.wait_for(lambda: find() is not None or stop())
        return find()

    def longest_talk(self, caller: str) -> Talk:
        """Where all seats ring, several may pick up in the same moment: all but one are hung up again at once."""
        mine = [talk for talk in self.talks if talk.caller == caller and talk.answered and talk.ended is not None]
        return max(mine, key=lambda talk: float(talk.ended["seconds"]) if talk.ended else 0.0)

    async def dial(self, ext: str, to: str, limit_s: float = 30.0) -> Talk:
        """This phone calls; returns once it is answered."""
        farm = self.farm_of[ext]
        mark = farm.mark()
        await farm.send("call", ext=ext, to=to)
        await farm.wait("answered", ext=ext, since=mark, limit_s=limit_s)
        async with asyncio.timeout(limit_s), self._news:
            await self._news.wait_for(lambda: any(self._dialled(ext)))
        return next(self._dialled(ext))

    def _dialled(self, ext: str) -> Iterator[Talk]:
        return (talk for talk in self.talks if talk.ext == ext and not talk.caller and talk.ended is None)

    async def hang_up(self, ext: str) -> None:
        await self.farm_of[ext].send("hangup", ext=ext)


def phone_numbers(count: int, first: int = 1101) -> tuple[str, ...]:
    return tuple(str(first + index) for index in range(count))


def queue_item(name: str, seats: Sequence[str], **more: Any) -> Json:
    return {"id": name, "name": name, "seats": list(seats), "wrap_up_s": 0, "max_wait_s": 3600, **more}


async def equip(box: Box, numbers: Sequence[str], changes: dict[str, Json]) -> None:
    """SIP phones `numbers` and other edits of the draft, by one apply."""
    await answers(box.panel_url)
    await make_admin(box)
    async with person(box.panel_url, ADMIN) as admin:
        for number in numbers:
            item = {"number": number, "name": f"话机 {number}", "kind": "phone"}
            await admin.change(f"extensions/{number}", item)
        for path, change in changes.items():
            await admin.change(path, change)
        job = await admin.apply()
        assert job["state"] == "done", job


async def equip_queues(box: Box, numbers: Sequence[str]) -> None:
    """All of them in both of the sample's queues: `service` rings all, `sales` in turn."""
    changes = {
        "queues/service": queue_item("service", numbers),
        "queues/sales": queue_item("sales", numbers, strategy="round_robin"),
    }
    await equip(box, numbers, changes)


@asynccontextmanager
async def crew(
    lab: Lab, numbers: Sequence[str], *, record_dir: Path, answer_after_s: Callable[[str], float] = lambda _number: 0.5
) -> AsyncIterator[Crew]:
    """Phones registered in as many processes as they need, a logged-in idle seat at each. Seats log out at the end."""
    box = lab.box()
    secrets = await asyncio.to_thread(phone_secrets, box)
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(person(box.panel_url, ADMIN))
        it = Crew(lab, admin)
        watchers: list[asyncio.Task[None]] = []
        stack.push_async_callback(_ended, watchers)
        for start in range(0, len(numbers), PHONES_A_PROCESS):
            farm = await stack.enter_async_context(phones(host_address(box)))
            it.farms.append(farm)
            watchers.append(asyncio.create_task(it.watch(farm), name="phones watcher"))
            for number in numbers[start : start + PHONES_A_PROCESS]:
                it.farm_of[number] = farm
        for index, (number, farm) in enumerate(it.farm_of.items()):
            it.tones[number] = FIRST_TONE_HZ + index * TONE_STEP_HZ
            await farm.add(
                number, domain=box.address, secret=secrets[number], tone_hz=it.tones[number], answer="auto",
                answer_after_s=answer_after_s(number), record_dir=str(record_dir),
            )  # fmt: skip
            login = await hire(admin, number)
            it.seats[number] = await stack.enter_async_context(_seat(box, login))
            await it.seats[number].put("/seats/me", {"state": "idle"})
        yield it


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """They end with their processes, which are gone by now; raises what one of them met."""
    await asyncio.gather(*tasks)


@asynccontextmanager
async def _seat(box: Box, login: str) -> AsyncIterator[Api]:
    """A session that logs its seat out at the end."""
    async with visitor(box.panel_url) as api:
        await api.post("/session", {"login": login, "password": PASSWORD})
        try:
            yield api
        finally:
            await api.delete("/seats/me")


async def no_calls(box: Box, limit_s: float = 30.0) -> None:
    """Until Asterisk has no channel."""

    async def ask() -> str:
        return (await asyncio.to_thread(box.asterisk, "core show channels count")).strip()

    await until_async(ask, lambda got: got.startswith("0 active channels"), limit_s, "channels are left")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    return sorted(values)[max(0, -(-len(values) * int(share * 100) // 100) - 1)]


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one process holds."""

    rss_mb: float
    files: int
    threads: int


def footprint(box: Box, unit: str) -> Footprint:
    pid = box.pid(unit)
    assert pid is not None, f"{unit} does not run"
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return Footprint(int(fields["VmRSS"].split()[0]) / 1024, files, int(fields["Threads"]))
