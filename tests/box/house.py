"""A box's live parts around a real Asterisk: rendered files, SIP phones, and the agent's services in this process.

The test's own thread enters Asterisk's network namespace, so that the services connect to 127.0.0.1 as on a box.
"""

import asyncio
import ctypes
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from appliance_agent.asterisk.control import Control
from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import Channel, Member, MemberChanged, MemberGone
from appliance_agent.calls.live_service import LiveCalls
from appliance_agent.calls.webphone import WebPhones
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.model import (
    Desired,
    Did,
    Extension,
    ExtensionKind,
    ExtensionTarget,
    Menu,
    MenuOption,
    MenuTarget,
    OutboundRoute,
    Prompt,
    Queue,
    QueueTarget,
    Strategy,
    Trunk,
)
from appliance_agent.features.callcontrol.service import CallControl
from appliance_agent.features.live.service import LiveBoard
from appliance_agent.features.seats.service import Seats
from appliance_agent.features.seats.store import SeatStore
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.kernel.events import LiveChanged
from appliance_agent.kernel.service import Service
from appliance_agent.render.facts import Facts
from appliance_agent.render.render import render
from appliance_agent.store.database import Database
from appliance_agent.store.migrate import upgrade
from appliance_agent.store.tables import user
from appliance_agent.system.alarms import Alarms
from appliance_agent.system.health import Health
from contracts.journal import UserEvent
from contracts.paths import BoxPaths
from tests.callers.client import Phones, phones
from tests.golden.people import tone
from tests.golden.starter import Box, running

CLONE_NEWNET = 0x40000000
SIP = "127.0.0.1:5060"
AMI, ARI = "AmiSecretOfTheTests", "AriSecretOfTheTests"
PROMPT = "1" * 32
CALLER, MAIN_NUMBER, DIRECT_NUMBER = "13800138000", "075588886666", "075588881001"
PHONES = ("1001", "1002", "1003")
BROWSER = "2001"


def document() -> Desired:
    """Menu → queue `sales` (1001, 1002, 2001; wrap-up 2 s) and `support` (1001); 1003 sits in no queue."""
    return Desired(
        extensions=(
            *(Extension(number=n, name=n, kind=ExtensionKind.PHONE, secret=f"phone{n}Secret") for n in PHONES),
            Extension(number=BROWSER, name="浏览器"),
        ),
        trunks=(Trunk(id="exchange", name="公网", host="127.0.0.2", port=5062),),
        outbound=(OutboundRoute(prefix="9", trunk="exchange"),),
        dids=(
            Did(number=MAIN_NUMBER, name="总机", target=MenuTarget(menu="main")),
            Did(number=DIRECT_NUMBER, name="张三专线", target=ExtensionTarget(extension="1001")),
        ),
        prompts=(Prompt(id=PROMPT, name="Welcome", language="en", source="upload"),),
        menus=(
            Menu(
                id="main", name="主菜单", prompts=(PROMPT,), wait_s=5,
                options=(MenuOption(digit="1", target=QueueTarget(queue="sales")),
                         MenuOption(digit="2", target=QueueTarget(queue="support"))),
            ),
        ),
        queues=(
            Queue(id="sales", name="销售", strategy=Strategy.RING_ALL, seats=("1001", "1002", BROWSER), wrap_up_s=2),
            Queue(id="support", name="客服", seats=("1001",), wrap_up_s=0),
        ),
    )  # fmt: skip


@contextmanager
def network_of(pid: int) -> Iterator[None]:
    """This thread is in that process's network meanwhile; threads and processes it starts are, too."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(descriptor: int) -> None:
        if libc.setns(descriptor, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    before, there = (os.open(path, os.O_RDONLY) for path in ("/proc/thread-self/ns/net", f"/proc/{pid}/ns/net"))
    try:
        enter(there)
        try:
            yield
        finally:
            enter(before)
    finally:
        os.close(before)
        os.close(there)


@dataclass
class House:
    box: Box
    folder: Path
    config: ConfigHolder
    seats_phones: Phones
    outside: Phones
    database: Database
    bus: Bus = field(default_factory=Bus)
    holds: list[tuple[Channel, bool]] = field(default_factory=list)
    notes: list[tuple[UserEvent, dict[str, str]]] = field(default_factory=list)
    """What the agent would write into the journal."""
    events: list[Any] = field(default_factory=list)
    """Everything that was published on the bus."""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        (self.folder / "secrets").write_text(f'{{"ami": "{AMI}", "ari": "{ARI}"}}')
        self.clock = SystemClock()
        self.link = Link(self.bus, secrets=self.folder / "secrets", seen=self.folder / "seen")
        self.control = Control(self.link, self.bus)
        self.live = LiveCalls(self.link, self.bus, self.clock, self.config, self._hold)
        self.seats = Seats(
            store=SeatStore(self.database), ami=self.link.ami, live=self.live, config=self.config, bus=self.bus,
            clock=self.clock,
        )  # fmt: skip
        self.alarms = Alarms(self.database, self.bus, self.clock)
        self.board = LiveBoard(
            database=self.database, live=self.live, config=self.config, bus=self.bus, clock=self.clock,
            seats=self.seats.all, alarms=self.alarms.open, lines=list,
        )  # fmt: skip
        self.web_phones = WebPhones(self.link.ari, self.database, self.bus)
        self.health = Health(
            link=self.link, alarms=self.alarms, config=self.config, bus=self.bus, data=self.folder
        )  # fmt: skip
        self.calls = CallControl(
            link=self.link, live=self.live, config=self.config, bus=self.bus, clock=self.clock, journal_note=self._note
        )

    async def _note(self, event: UserEvent, data: dict[str, str], *, uniqueid: str, linkedid: str) -> None:
        self.notes.append((event, data))

    async def people(self) -> None:
        """A user for each extension, whose id and login are its number; and one without."""
        async with self.database.write() as connection:
            for number in (*PHONES, BROWSER, None):
                id_ = number or "boss"
                await connection.execute(
                    user.insert().values(
                        id=id_, login=id_, name=f"P {id_}", role="agent", extension=number, language="zh",
                        password_hash="", active=True,
                    )
                )  # fmt: skip

    async def sit(self, number: str, *, busy: str | None = None) -> None:
        await self.seats.want(number, f"P {number}", number, busy=busy, by=number)

    def seat(self, number: str) -> str:
        """Its state, by the last event on the bus; "" when there was none."""
        said = [e for e in self.events if isinstance(e, LiveChanged) and e.kind == "seats" and e.id == number]
        return said[-1].object["state"] if said and said[-1].object else ""

    async def members(self, queue: str) -> dict[str, str | None]:
        """Extension → why it is paused, by Asterisk."""
        rows = await self.link.ami.list_action("QueueStatus", [("Queue", queue)])
        found = [Member.from_ami(row) for row in rows if row.event == "QueueMember"]
        return {member.name: member.paused_reason if member.paused else None for member in found}

    async def members_become(self, queue: str, wanted: dict[str, str | None], limit_s: float = 10.0) -> None:
        """Looked at again whenever Asterisk tells anything about members."""
        index = len(self.events)
        now = await self.members(queue)
        try:
            async with asyncio.timeout(limit_s):
                while now != wanted:
                    await self.seen(lambda event: isinstance(event, MemberChanged | MemberGone), since=index)
                    index = len(self.events)
                    now = await self.members(queue)
        except TimeoutError:
            raise AssertionError(f"{queue} has {now}, not {wanted}") from None

    async def _hold(self, channel: Channel, on: bool) -> None:
        self.holds.append((channel, on))

    async def watch(self) -> None:
        with self.bus.subscribe(object, limit=100_000) as subscription:
            async for event in subscription:
                async with self._news:
                    self.events.append(event)
                    self._news.notify_all()

    async def seen(self, wanted: Callable[[Any], Any], *, since: int = 0, limit_s: float = 20.0) -> Any:
        """The first published event at or after index `since` for which `wanted` holds."""
        index = since
        try:
            async with asyncio.timeout(limit_s), self._news:
                while True:
                    while index < len(self.events):
                        index += 1
                        if wanted(self.events[index - 1]):
                            return self.events[index - 1]
                    await self._news.wait()
        except TimeoutError:
            tail = "\n".join(str(event) for event in self.events[-30:])
            raise AssertionError(f"not seen within {limit_s} s; the last events:\n{tail}") from None

    async def until(self, holds: Callable[[], bool], limit_s: float = 20.0) -> None:
        """Until it holds, looked at after every published event."""
        try:
            async with asyncio.timeout(limit_s), self._news:
                await self._news.wait_for(holds)
        except TimeoutError:
            tail = "\n".join(str(event) for event in self.events[-30:])
            raise AssertionError(f"did not come to hold within {limit_s} s; the last events:\n{tail}") from None

    async def phone(self, ext: str, **options: Any) -> None:
        await self.seats_phones.add(
            ext,
            domain=SIP,
            secret=f"phone{ext}Secret",
            tone_hz=500 + int(ext) % 10 * 100,
            **{"answer": "ring", **options},
        )

    async def call_in(self, number: str = MAIN_NUMBER, *, caller: str = CALLER) -> None:
        """A call from the public network (it does not register: the trunk is known by its address)."""
        mark = self.outside.mark()
        await self.outside.send("add", ext=caller, domain=SIP, secret="none", tone_hz=440)
        await self.outside.wait("registered", ext=caller, since=mark)
        await self.outside.send("call", ext=caller, to=number)

    async def digit(self, digit: str, *, caller: str = CALLER) -> None:
        await self.outside.wait("media", ext=caller)
        await self.outside.send("dtmf", ext=caller, digits=digit)


@asynccontextmanager
async def house(
    root: Path, folder: Path, *, dialplan: str = "", more: Mapping[str, str] = MappingProxyType({}),
    modules: Path | None = None,
) -> AsyncIterator[House]:  # fmt: skip
    """Everything runs and Asterisk is connected. `dialplan`: more of it; `more`: of other files, by name. `modules`: as
    in `starter.running`."""
    desired = document()
    files = render(desired, Facts(BoxPaths(), ami_secret=AMI, ari_secret=ARI))
    for name, text in {**more, "extensions.conf": dialplan}.items():
        files[name] += text
    config = ConfigHolder()
    config.set(1, desired)
    async with AsyncExitStack() as stack:
        prompts = {PROMPT: tone(600, 1.0)}
        box = await stack.enter_async_context(running(root, files, folder / "box", prompts=prompts, modules=modules))
        outside = await stack.enter_async_context(phones("127.0.0.2", enter=box.enter, port=5062))
        seats = await stack.enter_async_context(phones("127.0.0.3", enter=box.enter))
        stack.enter_context(network_of(box.pid))
        await asyncio.to_thread(upgrade, folder / "box.db")
        database = Database(folder / "box.db")
        stack.push_async_callback(database.close)
        made = House(box, folder, config, seats, outside, database)
        await made.people()
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        running_tasks = [tasks.create_task(made.watch(), name="watch")]
        await asyncio.sleep(0)  # the watcher subscribes
        parts: list[Service] = [made.link, made.live, made.seats, made.board, made.web_phones, made.health]
        running_tasks += [tasks.create_task(part.run(), name=part.name) for part in parts]
        await made.until(lambda: made.link.up is not None)
        yield made
        for task in running_tasks:
            task.cancel()
