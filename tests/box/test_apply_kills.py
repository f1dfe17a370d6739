"""The box agent, or Asterisk, is killed at each named step of an apply: database, files and running version agree.

The agent of these tests is the product's with a bus that stops its own process (SIGSTOP) at the step that a file
names: the step is saved then and not yet begun.
"""

import asyncio
import contextlib
import itertools
import json
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from appliance_agent.render.apply_job import FORWARD
from tests.box.api import Api, ApiError, person, until_async, visitor
from tests.box.office import ADMIN, make_admin
from tests.lab.lab import Box, Lab

pytestmark = pytest.mark.lab

LIMIT_S = 60.0
"""Generous: the machine may be busy. The figure that counts is printed: it should be ≤ 10 s."""
MAIN = "/usr/lib/sa800/appliance_agent/__main__.py"
HALT = "/run/sa800/halt-at"
HALTING = f"""
import appliance_agent.app
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.events import JobChanged

class HaltingBus(Bus):
    def publish(self, event: object) -> None:
        super().publish(event)
        halt = Path("{HALT}")
        if isinstance(event, JobChanged) and halt.exists() and halt.read_text() == event.job["step"]:
            halt.unlink()
            os.kill(os.getpid(), signal.SIGSTOP)

appliance_agent.app.Bus = HaltingBus

if __name__"""
STATE = """
import json, os, sqlite3
db = sqlite3.connect('file:/var/lib/sa800/box.db?mode=ro', uri=True)
running = db.execute("select version, document from config_version where state = 'running'").fetchall()
print(json.dumps({
    "running": [row[0] for row in running],
    "extensions": sorted(one["number"] for one in json.loads(running[0][1])["extensions"]),
    "unfinished": db.execute("select count(*) from apply_job where state in ('waiting', 'running')").fetchone()[0],
    "applying": db.execute("select count(*) from config_version where state = 'applying'").fetchone()[0],
    "current": int(os.path.basename(os.readlink('/var/lib/sa800/asterisk/current'))),
    "in_files": sorted({line[1:-2] for line in open('/var/lib/sa800/asterisk/current/pjsip.conf')
                        if line[1:-2].isdigit()}),
}))
"""
numbers = itertools.count(2001)


@dataclass
class Agreement:
    version: int
    extensions: set[str]


class Disagreement(AssertionError):
    pass


def agreement(box: Box) -> Agreement:
    """Raises Disagreement, or LabError while Asterisk does not answer."""
    state = json.loads(box.command("/usr/bin/python3", "-c", STATE))
    shown = box.asterisk("pjsip show endpoints").splitlines()
    live = {line.split()[1].partition("/")[0] for line in shown if line.startswith(" Endpoint:  ")}
    numbers_live = {name for name in live if name.isdigit()}
    expected = set(state["extensions"])
    if state["unfinished"] or state["applying"] or state["running"] != [state["current"]]:
        raise Disagreement(str(state))
    if numbers_live != expected or set(state["in_files"]) != expected:
        raise Disagreement(f"{state}; Asterisk: {sorted(numbers_live)}")
    return Agreement(state["current"], expected)


async def agreed(box: Box) -> Agreement:
    async def ask() -> Agreement | str:
        try:
            return await asyncio.to_thread(agreement, box)
        except (AssertionError, RuntimeError) as error:
            return str(error)

    found = await until_async(ask, lambda got: isinstance(got, Agreement), LIMIT_S, "agreement")
    assert isinstance(found, Agreement)
    return found


def process_state(box: Box, unit: str) -> str:
    pid = box.pid(unit)
    return "" if pid is None else Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def asterisk_state(box: Box) -> str:
    async with visitor(box.panel_url) as api:
        try:
            return str((await api.get("/status"))["asterisk"])
        except ApiError as error:
            return error.key


@pytest_asyncio.fixture
async def admin(lab: Lab) -> AsyncIterator[Api]:
    """The lab's box with the halting agent."""
    box = lab.box()
    await make_admin(box)
    main = box.path(MAIN)
    if "HaltingBus" not in main.read_text():
        text = main.read_text()
        assert text.count("if __name__") == 1
        main.write_text(text.replace("if __name__", HALTING))
        for compiled in (main.parent / "__pycache__").glob("__main__.*.pyc"):
            compiled.unlink()  # the image's byte code is not checked against its source
        starts = box.units()["sa800-agent"]["starts"]
        box.kill("sa800-agent")
        await asyncio.to_thread(box.wait_unit, "sa800-agent", LIMIT_S, starts + 1)
    await until_async(lambda: asterisk_state(box), lambda state: state == "up", LIMIT_S, "the box is ready")
    async with person(box.panel_url, ADMIN) as api:
        yield api


async def apply_until_halted(admin: Api, box: Box, step: str) -> str:
    """Adds an extension and applies; returns its number once the agent stands still at `step`."""
    number = str(next(numbers))
    await admin.change(f"extensions/{number}", {"number": number, "name": "新", "kind": "browser"})
    revision = (await admin.get("/config"))["revision"]
    box.command("/usr/bin/python3", "-c", f"open({HALT!r}, 'w').write({step!r})", user="sa800")
    order = asyncio.create_task(admin.post("/config/apply", {"revision": revision, "when": "now"}))

    async def ask() -> str:
        if order.done():
            order.result()  # raises why it was refused
        return await asyncio.to_thread(process_state, box, "sa800-agent")

    await until_async(ask, lambda state: state == "T", LIMIT_S, f"halted at {step}")
    order.cancel()
    with contextlib.suppress(asyncio.CancelledError, ApiError, OSError):
        await order
    return number


@pytest.mark.parametrize("step", [step.value for step in FORWARD])
async def test_the_agent_is_killed_at_a_step(lab: Lab, admin: Api, step: str) -> None:
    box = lab.box()
    number = await apply_until_halted(admin, box, step)
    starts = box.units()["sa800-agent"]["starts"]
    box.kill("sa800-agent", signal.SIGKILL)
    await asyncio.to_thread(box.wait_unit, "sa800-agent", LIMIT_S, starts + 1)
    begun = time.monotonic()
    found = await agreed(box)
    print(
        f"agent killed at {step}: agreed on version {found.version} {time.monotonic() - begun:.1f} s after its restart"
    )
    assert number in found.extensions, "the next agent finishes the job"


@pytest.mark.parametrize("step", [step.value for step in FORWARD])
async def test_asterisk_is_killed_at_a_step(lab: Lab, admin: Api, step: str) -> None:
    box = lab.box()
    number = await apply_until_halted(admin, box, step)
    starts = box.units()["asterisk"]["starts"]
    box.kill("asterisk", signal.SIGKILL)
    box.kill("sa800-agent", signal.SIGCONT)
    await asyncio.to_thread(box.wait_unit, "asterisk", LIMIT_S, starts + 1)
    begun = time.monotonic()
    found = await agreed(box)
    print(
        f"asterisk killed at {step}: agreed on version {found.version} {time.monotonic() - begun:.1f} s after its start"
    )
    assert number in found.extensions, (await admin.get("/config/versions"), box.log("sa800-agent")[-3000:])


async def test_a_change_that_asterisk_rejects_is_refused_with_its_path(lab: Lab, admin: Api) -> None:
    before = await agreed(lab.box())
    trunk = {"id": "second", "name": "二", "host": "no.such.host.invalid"}
    await admin.change("trunks/second", trunk)
    job = await admin.apply()
    assert job["state"] == "failed"
    assert "trunks/second/host" in [field["path"] for field in job["error"]["fields"]]
    assert await agreed(lab.box()) == before
    view = await admin.delete("/config/draft")
    assert view["revision"]
