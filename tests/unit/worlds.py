"""A box on a temporary folder: initialised by the real init, with the simulated Asterisk."""

import atexit
import functools
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance_agent.config.model import Desired
from appliance_agent.features.configuration.store import ConfigurationStore
from appliance_agent.features.prompts.audio import Espeak, PromptAudio
from appliance_agent.init import initialise
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.kernel.ids import new_id
from appliance_agent.kernel.secrets import read_secrets
from appliance_agent.render.apply import Applier, Watcher
from appliance_agent.render.apply_job import Job, Timing
from appliance_agent.render.apply_lines import promised_channels
from appliance_agent.render.apply_log import AsteriskLog
from appliance_agent.render.apply_stage import RenderedVersions
from appliance_agent.render.facts import Facts
from appliance_agent.render.line_facts import lines_there, read_report
from appliance_agent.render.line_plan import plans
from appliance_agent.store.database import Database
from appliance_agent.system.lines.set_up import LinesSetUp
from contracts.paths import BoxPaths
from hal.boards import SA800
from hal.names_file import NamesFile
from hal.sim.box import SimBox
from tests.unit.sim_asterisk import SimAsterisk, reads

BOX_TOML = 'box_id = "unit-1"\nedition = "sa800"\nsample = true\nexchange = "192.0.2.1"\n'


@functools.cache
def _first_box() -> Path:
    """What the first box of the session has on its disk: speaking the prompts anew for each test is slow."""
    folder = Path(tempfile.mkdtemp(prefix="sa800-unit-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


async def prepare(root: Path) -> BoxPaths:
    paths = BoxPaths(root)
    paths.identity.parent.mkdir(parents=True)
    paths.identity.write_text(BOX_TOML)
    shutil.copytree(_first_box(), paths.data, symlinks=True)
    await initialise(paths)
    if not any(_first_box().iterdir()):
        shutil.copytree(paths.data, _first_box(), dirs_exist_ok=True, symlinks=True)
    return paths


@dataclass(slots=True)
class World:
    """One life of the agent's apply part; the folder and Asterisk outlive it."""

    paths: BoxPaths
    asterisk: SimAsterisk
    store: ConfigurationStore
    versions: RenderedVersions
    cards: SimBox
    """The box's cards; none unless a test plugs some."""

    def applier(self, on_change: Watcher) -> Applier:
        box_secrets = read_secrets(self.paths.secrets)

        async def facts_for(document: Desired) -> Facts:
            running = await self.store.running()
            assert running is not None
            there = lines_there(read_report(self.paths.line_report), plans(running[1]), plans(document))
            return Facts(self.paths, box_secrets.ami, box_secrets.ari, lines=there)

        setup = LinesSetUp(self.cards, SA800, NamesFile(self.paths.line_names), self.paths.line_report)
        audio = PromptAudio(self.paths.prompts, Espeak())
        return Applier(
            self.versions, AsteriskLog(self.paths.asterisk_log), self.asterisk, self.store, SystemClock(),
            facts_for=facts_for, prompts_on_disk=audio.on_disk, on_change=on_change, lines=setup,
        )  # fmt: skip

    async def new_job(self, document: Desired, timing: Timing = Timing.NOW) -> Job:
        job = Job(id=new_id(), version=0, previous=0, timing=timing, created_us=SystemClock().now_us())
        await self.store.create_job(document, job=job, author="test", comment="")
        return job

    async def assert_agreement(self, version: int) -> None:
        """Database, symlink, the files behind it and what Asterisk has loaded tell the same version."""
        running = await self.store.running()
        assert running is not None
        assert running[0] == version
        assert self.versions.current() == version
        files = self.versions.read(version)
        assert self.asterisk.loaded == {name: files[name] for name in files if reads(name)}
        assert self.asterisk.channels.keys() == promised_channels(files).keys()
        assert await self.store.active_job() is None


@asynccontextmanager
async def world(paths: BoxPaths, asterisk: SimAsterisk, cards: SimBox | None = None) -> AsyncIterator[World]:
    database = Database(paths.database)
    try:
        yield World(paths, asterisk, ConfigurationStore(database), RenderedVersions(paths), cards or SimBox())
    finally:
        await database.close()
