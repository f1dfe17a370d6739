"""A real Asterisk whose files come from the apply job; the database is the test's own, as init makes it."""

import asyncio
import os
import shutil
import statistics
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance_agent.asterisk.control import Control
from appliance_agent.asterisk.link import Link
from appliance_agent.config.model import Desired
from appliance_agent.features.configuration.edit import number_menus
from appliance_agent.features.configuration.retired import RetiredMenus
from appliance_agent.features.configuration.store import ConfigurationStore
from appliance_agent.features.prompts.audio import Espeak, PromptAudio
from appliance_agent.init import initialise
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.kernel.events import AsteriskUp
from appliance_agent.kernel.ids import new_id
from appliance_agent.kernel.secrets import read_secrets
from appliance_agent.render.apply import Applier
from appliance_agent.render.apply_job import Job, Timing
from appliance_agent.render.apply_log import AsteriskLog
from appliance_agent.render.apply_stage import RenderedVersions
from appliance_agent.render.facts import Facts
from appliance_agent.render.render import render
from appliance_agent.store.database import Database
from appliance_agent.system.lines.set_up import LinesSetUp
from contracts.paths import BoxPaths
from hal.boards import SA800
from hal.names_file import NamesFile
from hal.sim.box import SimBox
from tests.box.house import network_of
from tests.golden.starter import CURRENT, Box, running
from tests.unit.worlds import BOX_TOML


@dataclass(slots=True)
class ApplyBox:
    box: Box
    store: ConfigurationStore
    versions: RenderedVersions
    control: Control
    applier: Applier

    async def running(self) -> Desired:
        found = await self.store.running()
        assert found is not None
        return found[1]

    async def apply(self, document: Desired, timing: Timing = Timing.NOW) -> Job:
        numbered = number_menus(document, await self.running(), await self.store.menu_versions())
        job = Job(id=new_id(), version=0, previous=0, timing=timing, created_us=SystemClock().now_us())
        await self.store.create_job(numbered, job=job, author="test", comment="")
        await self.applier.run(job, numbered)
        return job

    async def answer(self, cli: str) -> str:
        return await self.control.command(cli)


@asynccontextmanager
async def apply_box(root: Path, folder: Path) -> AsyncIterator[ApplyBox]:
    own = BoxPaths(folder / "own")
    own.identity.parent.mkdir(parents=True)
    own.identity.write_text(BOX_TOML)
    await initialise(own)
    box_secrets = read_secrets(own.secrets)
    database = Database(own.database)
    store = ConfigurationStore(database)
    first = await store.running()
    assert first is not None
    facts = Facts(BoxPaths(), box_secrets.ami, box_secrets.ari)
    files = render(first[1], facts)
    prompts = {file.stem: file.read_bytes() for file in own.prompts.glob("*.wav")}
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        box = await stack.enter_async_context(running(root, files, folder / "box", prompts=prompts))
        inside = BoxPaths(box.root)
        current = box.root / CURRENT
        inside.asterisk_versions.mkdir()
        # As init makes it: what is written there belongs to Asterisk's group.
        os.chown(inside.asterisk_versions, -1, (box.root / "var/lib/asterisk").stat().st_gid)
        inside.asterisk_versions.chmod(0o2755)
        shutil.rmtree(current)
        versions = RenderedVersions(inside)
        versions.stage(1, files)
        versions.swap(1)
        stack.enter_context(network_of(box.pid))
        bus, clock = Bus(), SystemClock()
        link = Link(bus, secrets=own.secrets, seen=folder / "seen")
        control = Control(link, bus)
        retired = RetiredMenus(store, control, clock)

        async def facts_for(document: Desired) -> Facts:
            found = await store.running()
            assert found is not None
            beside = await retired.beside(document, found[1])
            return Facts(BoxPaths(), box_secrets.ami, box_secrets.ari, retired_menus=beside)

        applier = Applier(
            versions, AsteriskLog(inside.asterisk_log), control, store, clock,
            facts_for=facts_for, prompts_on_disk=PromptAudio(own.prompts, Espeak()).on_disk,
            lines=LinesSetUp(SimBox(), SA800, NamesFile(own.line_names), own.line_report),
        )  # fmt: skip
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        with bus.subscribe(AsteriskUp) as ups:
            task = tasks.create_task(link.run(), name="link")
            async with asyncio.timeout(30):
                await ups.get()
        yield ApplyBox(box, store, versions, control, applier)
        task.cancel()


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
