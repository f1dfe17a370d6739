"""A box's lines without Asterisk: simulated cards, a real database, the real services."""

import asyncio
import functools
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance_agent.asterisk.line_calls import LineCalls
from appliance_agent.asterisk.link import Link
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.lines import E1Span, FxoPort, LinkSet, Pri, Ss7
from appliance_agent.config.model import Desired
from appliance_agent.kernel.bus import Bus, Subscription
from appliance_agent.kernel.events import LiveChanged, VersionApplied
from appliance_agent.store.database import Database
from appliance_agent.store.migrate import upgrade
from appliance_agent.system.alarms import Alarms
from appliance_agent.system.lines.blocks import Blocks
from appliance_agent.system.lines.cards import Cards
from appliance_agent.system.lines.channels import Channels
from appliance_agent.system.lines.hardware import SimulatedLines
from appliance_agent.system.lines.history import LineHistory
from appliance_agent.system.lines.trace import Traces
from appliance_agent.system.lines.watch import LineWatch
from appliance_agent.system.linetests.ports import Ports
from appliance_agent.system.linetests.service import LineTests
from hal.boards import SA800
from hal.names_file import NamesFile
from hal.sim.box import SimBox
from hal.sim.words import cards, position, step
from tests.unit.people_agent import HandClock

LIMIT_S = 20
DESIRED = Desired(
    e1_spans=(
        E1Span(line="e1-1", name="市话", signalling=Pri(), clock=1),
        E1Span(line="e1-2", name="SS7", signalling=Ss7(linkset="1", first_cic=33), clock=2),
    ),
    fxo_ports=(FxoPort(line="fxo-1", name="外线一", number="075588880001"),),
    linksets=(LinkSet(id="1", name="local", own_point_code=1, adjacent_point_code=2),),
)


@dataclass
class Console:
    """Asterisk's console: what was said to it, and what it answers."""

    said: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    async def command(self, words: str) -> str:
        self.said.append(words)
        return self.answers.get(words, "")


@dataclass
class Site:
    box: SimBox
    bus: Bus
    clock: HandClock
    config: ConfigHolder
    database: Database
    alarms: Alarms
    cards: Cards
    channels: Channels
    history: LineHistory
    watch: LineWatch
    blocks: Blocks
    traces: Traces
    tests: LineTests
    asterisk: Console
    told: Subscription

    def happens(self, text: str) -> None:
        self.box.play([step(text)])

    async def until(self, wanted: Callable[[LiveChanged], bool]) -> LiveChanged:
        """The first thing told on the bus that is wanted."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                told: LiveChanged = await self.told.get()
                if wanted(told):
                    return told

    async def line(self, name: str, state: str) -> dict[str, Any]:
        """Until the line is told in this state."""
        if name in self.watch.seen and self.watch.seen[name].state == state:
            return self.watch.seen[name].view()
        told = await self.until(
            lambda one: (
                one.kind == "lines" and one.id == name and one.object is not None and one.object["state"] == state
            )
        )
        assert told.object is not None
        return told.object

    async def alarm(self, key: str, subject: str = "") -> dict[str, Any]:
        """Until it is raised."""
        for one in await self.alarms.open():
            if (one["key"], one["subject"]) == (key, subject):
                return one
        told = await self.until(
            lambda one: one.kind == "alarms" and one.object is not None
            and (one.object["key"], one.object["subject"]) == (key, subject)
        )  # fmt: skip
        assert told.object is not None
        return told.object

    async def no_alarm(self, key: str, subject: str = "") -> None:
        async with asyncio.timeout(LIMIT_S):
            while any((one["key"], one["subject"]) == (key, subject) for one in await self.alarms.open()):
                await self.told.get()


@functools.cache
def _empty_database() -> bytes:
    """Migrated once for all tests."""
    with tempfile.TemporaryDirectory(prefix="sa800-unit-") as folder:
        upgrade(Path(folder) / "box.db")
        return (Path(folder) / "box.db").read_bytes()


@asynccontextmanager
async def site(
    root: Path, words: str = "e1:4 fxo:4", *, box: SimBox | None = None, real: bool = False
) -> AsyncIterator[Site]:
    """Runs while the block does; with the same `root` it is the same box, restarted. `real`: Asterisk is told."""
    if box is None:
        box = SimBox()
        for place, blueprint in enumerate(cards(words)):
            box.plug(blueprint, position(place))
    if not (root / "box.db").exists():
        (root / "box.db").write_bytes(await asyncio.to_thread(_empty_database))
    database, bus, clock, config = Database(root / "box.db"), Bus(), HandClock(), ConfigHolder()
    config.set(1, DESIRED)
    alarms = Alarms(database, bus, clock)
    found = Cards(box=box, board=SA800, names=NamesFile(root / "lines.json"), alarms=alarms, bus=bus)
    link = Link(bus, secrets=root / "none", seen=root / "none")
    channels, history = Channels(link, bus), LineHistory(database, clock)
    asterisk = Console()
    blocks = Blocks(
        database=database, clock=clock, bus=bus, config=config, cards=found, channels=channels,
        command=asterisk.command if real else None,
    )  # fmt: skip
    watch = LineWatch(
        box=box, cards=found, channels=channels, history=history, config=config, alarms=alarms, bus=bus, clock=clock,
        blocked=lambda: blocks.now, stuck=dict, testing=lambda: tests.now,
    )  # fmt: skip
    traces = Traces(
        database=database, clock=clock, bus=bus, cards=found, watch=watch, command=asterisk.command if real else None,
        written=root / "asterisk.log", kept=root / "traces",
    )  # fmt: skip
    ports = Ports(
        bus=bus, channels=channels, calls=LineCalls(link, bus), command=asterisk.command if real else None,
        blocked=lambda: blocks.now,
    )  # fmt: skip
    tests = LineTests(database=database, clock=clock, bus=bus, box=box, cards=found, watch=watch, ports=ports)
    lines = SimulatedLines(box, root / "door", found=found, config=config, bus=bus)
    with bus.subscribe(LiveChanged, limit=10_000) as told:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(part.run()) for part in (lines, watch, channels, blocks, traces, tests, found)]
            try:
                yield Site(
                    box, bus, clock, config, database, alarms, found, channels, history, watch, blocks, traces, tests,
                    asterisk, told,
                )  # fmt: skip
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)
                await database.close()


def apply(one: Site, document: Desired) -> None:
    one.config.set(one.config.version + 1, document)
    one.bus.publish(VersionApplied(one.config.version))
