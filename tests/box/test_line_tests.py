"""Line tests of a real agent on simulated cards: told to the pages second by second; kill -9 leaves the line free."""

import asyncio
import json
import signal
from collections.abc import Iterator
from functools import partial
from typing import Any

import aiohttp
import pytest

from tests.box.api import Api, answers, person, until_async
from tests.box.office import ADMIN, make_admin
from tests.lab.lab import Box, Lab

pytestmark = pytest.mark.lab

LINE = {"line": "fxo-1", "name": "外线", "number": "075588880001"}
ORDER = {"kind": "tone", "seconds": 60, "level_dbm0": -12, "number": "105"}


@pytest.fixture(scope="module")
def equipped(nothing_left: None) -> Iterator[Lab]:
    with Lab(cards="fxo:4") as opened:
        yield opened


async def told(box: Box, api: Api, id_: str) -> dict[str, Any]:
    """The first progress of the test that the events tell."""
    async with api.http.ws_connect(f"{api.url}/api/v1/events", origin=api.url) as events:
        async for message in events:
            body = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else {}
            if body.get("type") == "line_test" and body["test"]["id"] == id_ and body["test"]["progress"]:
                test: dict[str, Any] = body["test"]
                return test
    raise AssertionError(f"the events of {box.panel_url} ended")


async def newest(api: Api) -> dict[str, Any]:
    test: dict[str, Any] = (await api.get("/lines/fxo-1/tests"))["tests"][0]
    return test


async def test_kill_9_in_a_test_leaves_the_line_free(equipped: Lab) -> None:
    box = equipped.box()
    await make_admin(box)
    async with person(box.panel_url, ADMIN, trust=box.trust()) as api:
        await api.change("fxo_ports/fxo-1", LINE)
        assert (await api.apply())["state"] == "done"
        await in_service(api)
        begun = await api.post("/lines/fxo-1/tests", ORDER)
        running = await told(box, api, begun["id"])
        assert (running["state"], running["by"]) == ("running", ADMIN)
        starts = box.units()["sa800-agent"]["starts"]
        box.kill("sa800-agent", signal.SIGKILL)
        await asyncio.to_thread(box.wait_unit, "sa800-agent", 30.0, starts + 1)
        await answers(box.panel_url)
        await in_service(api)
        left = await newest(api)
        assert (left["id"], left["state"], left["reason"]["key"]) == (begun["id"], "failed", "restarted")
        again = await api.post("/lines/fxo-1/tests", {**ORDER, "seconds": 1})
        test = await until_async(
            partial(newest, api), lambda one: one["ended_at"] is not None, 60, "the test still runs"
        )
        assert (test["id"], test["state"], test["verdict"]) == (again["id"], "done", "bad"), "there is no loop"


async def in_service(api: Api) -> None:
    async def states() -> dict[str, str]:
        return {line["id"]: line["state"] for line in (await api.get("/lines"))["lines"]}

    await until_async(states, lambda found: found.get("fxo-1") == "in_service", 60, "fxo-1 is not in service")
