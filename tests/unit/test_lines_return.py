"""Cards that go and come back while the box runs: their lines are in service again, without anybody's act."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.lines import E1Span, EchoCanceller, FxoPort, LineAudio, LinkSet, Pri, Ss7
from appliance_agent.features.configuration.service import Configuration
from appliance_agent.features.prompts.audio import Espeak, PromptAudio
from appliance_agent.http.route import Identity
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.kernel.events import AsteriskUp, VersionApplied
from appliance_agent.kernel.secrets import read_secrets
from appliance_agent.render.apply_job import Job, JobState, Step, Timing
from appliance_agent.render.line_facts import read_report
from appliance_agent.system.lines.cards import CardsChanged
from appliance_agent.system.lines.reported import LineReports
from appliance_agent.system.lines.set_up import LinesSetUp
from hal.boards import SA800
from hal.model.lines import put_in_place_of
from hal.names_file import NamesFile
from hal.setup.__main__ import set_up
from hal.sim import cards
from hal.sim.box import SimBox
from tests.unit.sim_asterisk import SimAsterisk
from tests.unit.worlds import World, prepare, world

E1_PLACE, ANALOG_PLACE = "pci:0000:05:04.0", "pci:0000:05:06.0"
PRI = E1Span(line="e1-1", name="PRI", signalling=Pri())
FXO = FxoPort(line="fxo-1", name="一", number="88886666", audio=LineAudio(echo=EchoCanceller.MG2))
ANALOG = cards.analog("oo--")
B_CHANNELS = {*range(1, 16), *range(17, 32)}
LIMIT_S = 20.0


@dataclass
class Box:
    """A box whose agent runs as far as it has to do with lines. `sa800-lines` is run as udev would do."""

    world: World
    bus: Bus
    set_up: LinesSetUp

    @property
    def asterisk(self) -> SimAsterisk:
        return self.world.asterisk

    async def sa800_lines(self) -> None:
        """On a loop of its own: it waits for the agent, as a process of its own may."""
        paths, plan = self.world.paths, self.world.paths.asterisk_current / "dahdi.d/lines.json"
        work = set_up(self.world.cards, paths.identity, plan, paths.line_names, paths.line_report)
        await asyncio.to_thread(asyncio.run, work)

    async def pull(self, place: str, channels: set[int]) -> None:
        """Asterisk gives up the channels by itself (DAHDI_EVENT_REMOVED)."""
        self.world.cards.pull(place)
        self.asterisk.channels = {n: name for n, name in self.asterisk.channels.items() if n not in channels}
        self.bus.publish(CardsChanged())

    async def plug(self, place: str, card: Any) -> None:
        self.world.cards.plug(card, place, assign=False)
        self.bus.publish(CardsChanged())
        await self.sa800_lines()

    async def missing(self, line: str) -> None:
        await until(lambda: line in read_report(self.world.paths.line_report).missing)

    async def running(self) -> tuple[int, Any]:
        found = await self.world.store.running()
        assert found is not None
        return found

    async def apply(self, **update: Any) -> Job:
        async def nobody(_job: Job) -> None:
            return None

        document = (await self.running())[1].model_copy(update=update)
        job = await self.world.new_job(document, Timing.NOW)
        await self.world.applier(nobody).run(job, document)
        assert (job.state, job.error) == (JobState.DONE, None)
        return job


async def until(holds: Callable[[], bool]) -> None:
    async def asked() -> bool:
        return holds()

    await until_asked(asked)


async def until_asked(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)  # a file, a database, a simulation: nothing tells of them


@pytest_asyncio.fixture
async def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Box]:
    monkeypatch.setattr("appliance_agent.render.apply_read_back.READ_BACK_LIMIT_S", 0.2)
    monkeypatch.setattr("appliance_agent.features.configuration.service.VERIFY_AGAIN_S", 0.2)
    monkeypatch.setattr("appliance_agent.system.lines.reported.LOOK_S", 0.02)
    paths = await prepare(tmp_path)
    sim, bus = SimBox(), Bus()
    sim.plug(cards.e1("TE420", 1), E1_PLACE, assign=False)
    sim.plug(ANALOG, ANALOG_PLACE, assign=False)
    paths.line_report.parent.mkdir(parents=True)
    async with world(paths, SimAsterisk(paths), sim) as made:
        lines = LinesSetUp(sim, SA800, NamesFile(paths.line_names), paths.line_report)
        box = Box(made, bus, lines)
        await box.sa800_lines()
        yield box


@asynccontextmanager
async def running_agent(box: Box) -> AsyncIterator[Configuration]:
    async def audit(who: Identity, action: str, detail: Mapping[str, object]) -> None: ...

    paths = box.world.paths
    configuration = Configuration(
        paths=paths, box_secrets=read_secrets(paths.secrets), store=box.world.store, control=box.asterisk,
        holder=ConfigHolder(), bus=box.bus, clock=SystemClock(), audit=audit,
        prompts_on_disk=PromptAudio(paths.prompts, Espeak()).on_disk, lines=box.set_up,
    )  # fmt: skip
    reports = LineReports(paths.line_report, box.set_up, box.bus)
    services = [asyncio.create_task(service.run()) for service in (configuration, reports)]
    yield configuration
    for service in services:
        service.cancel()
        with suppress(asyncio.CancelledError):
            await service


@pytest_asyncio.fixture
async def served(box: Box) -> Box:
    """A PRI and an FXO port are in service."""
    await box.apply(e1_spans=(PRI,), fxo_ports=(FXO,))
    assert box.asterisk.channels.keys() >= {*B_CHANNELS, 33}
    return box


@pytest_asyncio.fixture
async def agent(served: Box) -> AsyncIterator[Configuration]:
    async with running_agent(served) as agent:
        yield agent


async def rename(served: Box, agent: Configuration) -> int:
    """A person's apply that has nothing to do with the card; its version."""
    who = Identity("s", "u", "admin", "admin", "admin", None, "127.0.0.1")
    document = (await served.running())[1].model_copy(update={"fxo_ports": (FXO.model_copy(update={"name": "二"}),)})
    revision = await served.world.store.set_draft(document, expected=None)
    with served.bus.subscribe(VersionApplied) as applied:
        job = await agent.apply(who, revision, Timing.NOW, "")
        async with asyncio.timeout(LIMIT_S):
            assert await applied.get() == VersionApplied(job.version)
    return job.version


async def test_a_card_that_comes_back_serves_again_and_no_other_line_hears_of_it(
    served: Box, agent: Configuration
) -> None:
    served.asterisk.channels[1] = "DAHDI/i1/10086-1"
    await served.pull(ANALOG_PLACE, {33})
    await served.missing("fxo-1")
    assert 33 not in served.asterisk.channels
    served.asterisk.commands.clear()
    await served.plug(ANALOG_PLACE, ANALOG)
    await until(lambda: 33 in served.asterisk.channels)
    told = [command for command in served.asterisk.commands if "dahdi" in command or "pri" in command.split()]
    assert told == ["dahdi destroy channels 33 33", "dahdi create channels 33 33"]
    assert served.asterisk.channels[1] == "DAHDI/i1/10086-1" and served.asterisk.restarts == 1, "the first lines' own"
    assert (await served.running())[0] == 2, "the version is the same"


async def test_while_a_card_is_away_nothing_is_wrong_with_what_runs(served: Box, agent: Configuration) -> None:
    await served.pull(E1_PLACE, B_CHANNELS)
    await served.missing("e1-1")
    version, document = await served.running()

    async def nobody(_job: Job) -> None: ...

    served.asterisk.commands.clear()
    await served.world.applier(nobody).verify(version, document)
    assert not [command for command in served.asterisk.commands if "reload" in command or "dahdi" in command]
    assert await rename(served, agent) == 3, "an apply does not stumble over it"


async def test_a_card_may_go_during_an_apply(served: Box) -> None:
    """Asterisk loses its lines before the report does."""
    noted: list[asyncio.Task[None]] = []

    async def notice() -> None:
        before = served.asterisk.commands.count("pjsip show transports")
        await until(lambda: served.asterisk.commands.count("pjsip show transports") > before)
        await served.set_up.note_gone()

    async def on_change(job: Job) -> None:
        if job.step is Step.READ_BACK and not noted:
            await served.pull(E1_PLACE, B_CHANNELS)
            noted.append(asyncio.create_task(notice()))

    document = (await served.running())[1].model_copy(update={"fxo_ports": (FXO.model_copy(update={"name": "二"}),)})
    job = await served.world.new_job(document, Timing.NOW)
    await served.world.applier(on_change).run(job, document)
    await asyncio.gather(*noted)
    assert (job.state, job.error) == (JobState.DONE, None)


async def test_a_card_that_was_away_when_the_files_were_made_is_taken_in(served: Box, agent: Configuration) -> None:
    await served.pull(E1_PLACE, B_CHANNELS)
    await served.missing("e1-1")
    await rename(served, agent)
    assert "e1-1" not in served.world.versions.read(3)["chan_dahdi.conf"]
    with served.bus.subscribe(VersionApplied) as applied:
        await served.plug(E1_PLACE, cards.e1("TE420", 1))
        async with asyncio.timeout(LIMIT_S):
            assert await applied.get() == VersionApplied(4)
    assert served.asterisk.channels.keys() >= {*B_CHANNELS, 33}
    (version, *_) = await served.world.store.versions()
    assert (version.author, version.comment) == ("system", "the card is back: e1-1")


async def test_a_version_that_the_box_makes_counts_lines_as_people_do(box: Box) -> None:
    card = cards.analog("o" * 24)
    box.world.cards.pull(ANALOG_PLACE)
    box.world.cards.plug(card, ANALOG_PLACE, assign=False)
    await box.sa800_lines()
    wanted = tuple(FXO.model_copy(update={"line": f"fxo-{port}", "number": f"8888{port:04}"}) for port in (3, 4, 10))
    await box.pull(ANALOG_PLACE, set())
    await box.set_up.note_gone()
    await box.apply(fxo_ports=wanted)
    async with running_agent(box):
        with box.bus.subscribe(VersionApplied) as applied:
            await box.plug(ANALOG_PLACE, card)
            async with asyncio.timeout(LIMIT_S):
                await applied.get()
    assert (await box.world.store.versions())[0].comment == "the card is back: fxo-3, fxo-4, fxo-10"


async def test_a_line_that_asterisk_does_not_take_is_taken_in_once(served: Box, agent: Configuration) -> None:
    await served.pull(E1_PLACE, B_CHANNELS)
    await served.missing("e1-1")
    await rename(served, agent)
    served.asterisk.refuses = B_CHANNELS
    await served.plug(E1_PLACE, cards.e1("TE420", 1))

    async def failed() -> bool:
        return (await served.world.store.versions())[0].state == "failed"

    await until_asked(failed)
    for _ in range(3):
        await served.sa800_lines()
        served.bus.publish(AsteriskUp(restarted=False, startup_time=""))
        assert await agent._take_in()
    assert len(await served.world.store.versions()) == 4


@pytest_asyncio.fixture
async def beside_ss7(box: Box) -> Box:
    """An SS7 trunk and an FXO port are in service."""
    ss7 = E1Span(line="e1-1", name="七号", signalling=Ss7(linkset="1", first_cic=1))
    linkset = LinkSet(id="1", name="汇接局", own_point_code=2, adjacent_point_code=1)
    await box.apply(e1_spans=(ss7,), linksets=(linkset,), fxo_ports=(FXO,))
    assert 33 in box.asterisk.channels
    return box


async def test_beside_ss7_it_waits_for_a_moment_without_calls(beside_ss7: Box) -> None:
    box = beside_ss7
    async with running_agent(box):
        box.asterisk.calls = 1
        await box.pull(ANALOG_PLACE, {33})
        await box.missing("fxo-1")
        before, box.asterisk.commands = box.asterisk.restarts, []
        await box.plug(ANALOG_PLACE, ANALOG)
        await until(lambda: box.asterisk.commands.count("pjsip show transports") >= 20)
        assert box.asterisk.restarts == before and 33 not in box.asterisk.channels
        box.asterisk.calls, box.asterisk.refuses = 0, {33}
        await until(lambda: box.asterisk.restarts == before + 1)
        box.asterisk.commands = []
        await until(lambda: box.asterisk.commands.count("pjsip show transports") >= 20)
        assert box.asterisk.restarts == before + 1, "not again and again for a line that it does not take"


async def test_beside_ss7_each_return_takes_a_restart(beside_ss7: Box) -> None:
    box = beside_ss7
    async with running_agent(box):
        for _ in range(2):
            await box.pull(ANALOG_PLACE, {33})
            await box.missing("fxo-1")
            before = box.asterisk.restarts
            await box.plug(ANALOG_PLACE, ANALOG)
            await until(lambda: 33 in box.asterisk.channels)
            assert box.asterisk.restarts == before + 1


@pytest.mark.parametrize("seen_away", [True, False])
async def test_beside_ss7_a_restart_for_a_card_that_is_just_going_does_not_count(
    beside_ss7: Box, seen_away: bool
) -> None:
    """Asterisk has lost the card, the report has it yet: another card's report or Asterisk's start makes us look."""
    box = beside_ss7
    async with running_agent(box):
        before, box.asterisk.refuses = box.asterisk.restarts, {33}
        box.asterisk.channels.pop(33)
        box.bus.publish(AsteriskUp(restarted=False, startup_time=""))
        await until(lambda: box.asterisk.restarts == before + 1)
        if seen_away:
            await box.pull(ANALOG_PLACE, {33})
            await box.missing("fxo-1")
        else:
            box.world.cards.pull(ANALOG_PLACE)
        box.asterisk.refuses = set()
        await box.plug(ANALOG_PLACE, ANALOG)
        await until(lambda: 33 in box.asterisk.channels)


NEW_PLACE, NEW = "pci:0000:05:09.0", cards.e1("TE220", 1)


async def broken_card_is_replaced(box: Box) -> None:
    """A person says that the card at NEW_PLACE, of another model and with a line of its own, is there instead."""
    await box.pull(E1_PLACE, B_CHANNELS)
    await box.missing("e1-1")
    names = NamesFile(box.world.paths.line_names)
    old, new = (next(card.id for card in names.load().cards if card.id.model == model) for model in ("TE420", "TE220"))
    names.name(await box.world.cards.inventory(), lambda before: put_in_place_of(before, old, new))
    box.bus.publish(CardsChanged())


async def system_version_runs(box: Box) -> None:
    async def runs() -> bool:
        newest = (await box.world.store.versions())[0]
        return (newest.author, newest.state) == ("system", "running")

    await until_asked(runs)


async def test_a_card_that_replaces_another_serves_its_lines(served: Box) -> None:
    """Also after the next start of the box, with the numbers that it had when it came."""
    await served.plug(NEW_PLACE, NEW)
    async with running_agent(served):
        await broken_card_is_replaced(served)
        await system_version_runs(served)
    assert served.asterisk.channels.keys() == {33, *range(65, 80), *range(81, 96)}
    assert read_report(served.world.paths.line_report).missing == ()
    served.world.cards.pull(NEW_PLACE)
    served.world.cards.plug(NEW, NEW_PLACE, assign=False)
    await served.sa800_lines()
    lines = {line.name: line for line in read_report(served.world.paths.line_report).lines}
    assert lines.keys() == {"e1-1", "fxo-1", "fxo-2"}
    assert (lines["e1-1"].span, lines["e1-1"].configured, lines["e1-1"].trouble) == (3, True, "")


async def test_it_waits_for_the_end_of_calls_on_the_lines_that_it_had(served: Box) -> None:
    await served.plug(NEW_PLACE, NEW)
    await served.apply(e1_spans=(PRI, PRI.model_copy(update={"line": "e1-2", "clock": 2})))
    served.asterisk.channels[65] = "DAHDI/i3/10086-1"
    async with running_agent(served):
        await broken_card_is_replaced(served)
        await served.missing("e1-2")
        served.asterisk.commands.clear()
        await until(lambda: served.asterisk.commands.count("pjsip show transports") >= 20)
        assert served.asterisk.channels[65] == "DAHDI/i3/10086-1"
        served.asterisk.channels[65] = ""
        await system_version_runs(served)
    assert "e1-2" not in served.world.versions.read(served.world.versions.current() or 0)["chan_dahdi.conf"]
