"""Link probes as jobs of the agent: who is refused, what a killed agent leaves, how many are kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.model import Desired, Peer
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import LinkProbeChanged
from appliance_agent.linkprobe.plan import Step
from appliance_agent.store.database import Database
from appliance_agent.store.migrate import upgrade
from appliance_agent.system.linkprobe.record import KEPT, KeptProbes, LinkProbe
from appliance_agent.system.linkprobe.service import Asked, LinkProbes
from tests.unit.people_agent import HandClock

LIMIT_S = 30
PEERS = (
    Peer(id="branch", name="分店", host="192.0.2.9", secret="a" * 20),
    Peer(id="hidden", name="只来访", secret="b" * 20),
)
ONE = (Step(1, 3),)


@dataclass
class Site:
    probes: LinkProbes
    kept: KeptProbes
    bus: Bus
    database: Database
    calls: int = 0
    answering: bool = False


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with opened(tmp_path) as made:
        yield made


@asynccontextmanager
async def opened(root: Path) -> AsyncIterator[Site]:
    await asyncio.to_thread(upgrade, root / "box.db")
    database, bus, config = Database(root / "box.db"), Bus(), ConfigHolder()
    config.set(1, Desired(peers=PEERS))
    probes = LinkProbes(
        database=database, clock=HandClock(), bus=bus, config=config, calls=lambda: made.calls,
        answering=lambda: made.answering,
    )  # fmt: skip
    made = Site(probes, KeptProbes(database), bus, database)
    try:
        yield made
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("asked", "calls", "answering", "key"),
    [
        (Asked("nobody", ONE), 0, False, "probe.no_peer"),
        (Asked("hidden", ONE), 0, False, "probe.no_address"),
        (Asked("branch", (Step(30, 61),)), 0, False, "probe.steps"),
        (Asked("branch", ONE), 2, False, "probe.calls"),
        (Asked("branch", ONE, in_spite_of_calls=True), 2, True, "probe.running"),
    ],
)
async def test_who_is_refused(site: Site, asked: Asked, *, calls: int, answering: bool, key: str) -> None:
    site.calls, site.answering = calls, answering
    with pytest.raises(Fault) as refused:
        await site.probes.begin(asked, "lily")
    assert refused.value.key == key
    assert not site.probes.busy
    assert await site.probes.all() == []


async def test_one_at_a_time_and_stopped_before_it_began(site: Site) -> None:
    site.calls = 2
    with site.bus.subscribe(LinkProbeChanged) as told:
        begun = await site.probes.begin(Asked("branch", ONE, in_spite_of_calls=True), "lily")
        assert (begun["state"], begun["by"], begun["order"]["steps"]) == ("running", "lily", [1])
        with pytest.raises(Fault) as refused:
            await site.probes.begin(Asked("branch", ONE, in_spite_of_calls=True), "lily")
        assert refused.value.key == "probe.running"
        await site.probes.stop(begun["id"])
        running = asyncio.create_task(site.probes.run())
        try:
            async with asyncio.timeout(LIMIT_S):
                while (probe := (await told.get()).probe)["ended_at"] is None:
                    pass
        finally:
            running.cancel()
    assert (probe["id"], probe["state"]) == (begun["id"], "stopped")
    assert await site.probes.one(begun["id"]) == probe
    assert (await site.probes.stop(begun["id"]))["state"] == "stopped"


@pytest.mark.parametrize("statement", ["INSERT", "UPDATE"])
async def test_a_probe_that_cannot_be_written_down_keeps_nobody_from_the_next(site: Site, statement: str) -> None:
    async with site.database.write() as connection:
        broken = f"CREATE TRIGGER full BEFORE {statement} ON link_probe BEGIN SELECT RAISE(ABORT, 'full'); END"
        await connection.exec_driver_sql(broken)
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(IntegrityError, match="full"):
            begun = await site.probes.begin(Asked("branch", ONE), "lily")
            await site.probes.stop(begun["id"])
            await site.probes.run()
    assert not site.probes.busy


async def test_what_a_killed_agent_left_has_failed(tmp_path: Path) -> None:
    async with opened(tmp_path) as killed:
        await killed.kept.put(LinkProbe("left", "branch", "lily", 1, detail={"steps": [1]}, seconds=[{"second": 0}]))
    async with opened(tmp_path) as site:
        running = asyncio.create_task(site.probes.run())
        async with asyncio.timeout(LIMIT_S):
            while await site.kept.open():  # noqa: ASYNC110 - the table has no event, and each look lets the service go on
                await asyncio.sleep(0)
        running.cancel()
        left = await site.probes.one("left")
        assert (left["state"], left["reason"]["key"]) == ("failed", "restarted")
        assert (left["steps"], left["seconds"]) == ([1], [{"second": 0}]), "what was measured stays"
        assert [one["seconds"] for one in await site.probes.all()] == [[]]


async def test_the_oldest_go(site: Site) -> None:
    for number in range(KEPT + 3):
        await site.kept.put(LinkProbe(f"p{number}", "branch", "lily", number, ended_us=number + 1))
    kept = await site.probes.all()
    assert (len(kept), kept[0]["id"], kept[-1]["id"]) == (KEPT, f"p{KEPT + 2}", "p3")
    with pytest.raises(Fault) as unknown:
        await site.probes.one("p0")
    assert unknown.value.key == "probe.unknown"
