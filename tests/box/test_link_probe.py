"""Probes of the link between two real boxes: free, over a bottleneck, with loss; with calls up, and with kill -9."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.box.api import Api, ApiError, answers, person, until_async
from tests.box.office import ADMIN, make_admin
from tests.lab.badlink import bottleneck, loss
from tests.lab.lab import Box, Lab

pytestmark = pytest.mark.lab

SECRET = "theSameAtBothBoxes24"
PORT = 10998


@dataclass
class Pair:
    lab: Lab
    here: Api
    there: Api

    @property
    def cable(self) -> str:
        """The namespace of the box that asks."""
        return self.lab.boxes[0].plan.namespace


@pytest.fixture(scope="module")
def two(nothing_left: None) -> Iterator[Lab]:
    with Lab(boxes=2) as opened:
        yield opened


@pytest.fixture
async def pair(two: Lab) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        apis = []
        for box, other in (two.boxes, two.boxes[::-1]):
            if box.setup_token:
                await make_admin(box)
            api = await stack.enter_async_context(person(box.panel_url, ADMIN, trust=box.trust()))
            if not (await api.get("/link-probes"))["peers"]:
                await introduce(api, other)
            apis.append(api)
        for api in apis:
            await until_async(partial(api.get, "/link-probes"), lambda got: got["listening"], 30, "the port is shut")
        yield Pair(two, *apis)


async def introduce(api: Api, other: Box) -> None:
    peer = {"id": "other", "name": "分店", "host": other.address, "port": PORT, "secret": SECRET}
    await api.change("peers/other", peer)
    assert (await api.apply())["state"] == "done"


async def ended(api: Api, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = await until_async(
        partial(api.get, f"/link-probes/{id_}"), lambda got: got["ended_at"] is not None, 150, "the probe still runs"
    )
    return found


async def probe(pair: Pair, steps: list[int], seconds: int) -> dict[str, Any]:
    begun = await pair.here.post("/link-probes", {"peer": "other", "steps": steps, "seconds": seconds})
    return await ended(pair.here, begun["id"])


def directions(step: dict[str, Any]) -> list[dict[str, Any]]:
    return [step["out"], step["back"]]


async def test_a_free_link_is_good_for_thirty_calls(pair: Pair) -> None:
    found = await probe(pair, [1, 10, 30], 5)
    assert (found["state"], found["early"], found["reason"]) == ("done", False, None), found
    assert [(step["streams"], step["seconds"], step["verdict"]) for step in found["steps"]] == [
        (1, 5, "good"), (10, 5, "good"), (30, 5, "good"),
    ]  # fmt: skip
    for figures in (one for step in found["steps"] for one in directions(step)):
        assert figures["loss_pct"] - figures["missed_pct"] < 0.5
        assert figures["r"] > 85
    chart = {(one["direction"], one["step"], one["second"]) for one in found["seconds"]}
    assert chart == {(way, step, second) for way in ("out", "back") for step in range(3) for second in range(5)}
    listed = (await pair.here.get("/link-probes"))["probes"][0]
    assert (listed["id"], listed["seconds"], listed["steps"]) == (found["id"], [], found["steps"])


async def test_a_bottleneck_carries_one_call_and_not_thirty(pair: Pair) -> None:
    with bottleneck(pair.cable, "1mbit"):
        found = await probe(pair, [1, 10, 30], 6)
    one, ten, thirty = found["steps"]
    assert one["verdict"] == "good"
    assert ten["verdict"] == "good", "ten calls of G.711 are 0.86 Mbit/s"
    assert (thirty["verdict"], thirty["worst"], thirty["out"]["because"]) == ("bad", "out", "loss")
    # 30 calls are 2.57 Mbit/s: three fifths do not pass.
    assert 50 < thirty["out"]["loss_pct"] < 70
    assert thirty["out"]["network_ms"] > 50, "the line keeps 100 ms"
    assert thirty["back"]["loss_pct"] - thirty["back"]["missed_pct"] < 1, "the way back is free"
    assert found["early"], "nobody's calls should suffer longer than it takes to see"


@pytest.mark.parametrize(("lossy", "other", "box"), [("out", "back", 1), ("back", "out", 0)])
async def test_loss_is_measured_in_its_direction(pair: Pair, lossy: str, other: str, box: int) -> None:
    of = f"udp {'dport' if lossy == 'out' else 'sport'} {PORT}"
    with loss(pair.lab.boxes[box].plan.namespace, 3, of):
        found = await probe(pair, [30], 12)
    (step,) = found["steps"]
    # 18 000 packets: the standard error is 0.13.
    assert abs(step[lossy]["loss_pct"] - step[lossy]["missed_pct"] - 3) < 0.6
    assert step[other]["loss_pct"] - step[other]["missed_pct"] < 0.3
    assert step["worst"] == lossy
    assert 76 < step[lossy]["r"] < 84, "3 % at random cost 10 R"


async def test_calls_are_asked_about_at_both_ends(pair: Pair) -> None:
    call = pair.lab.exchange.dial("13800138000", "075588886666", box=pair.lab.boxes[1].name)
    try:
        await until_async(partial(pair.there.get, "/link-probes"), lambda got: got["calls"] == 1, 30, "no call is up")
        found = await probe(pair, [1], 3)
        assert (found["state"], found["reason"]["key"], found["calls"]) == ("failed", "calls", 1)
        with pytest.raises(ApiError) as refused:
            await pair.there.post("/link-probes", {"peer": "other"})
        assert refused.value.key == "probe.calls"
        order = {"peer": "other", "steps": [1], "seconds": 3, "in_spite_of_calls": True}
        begun = await pair.here.post("/link-probes", order)
        assert (await ended(pair.here, begun["id"]))["state"] == "done"
    finally:
        call.hang_up()


async def test_one_at_a_time_and_a_person_may_stop_it(pair: Pair) -> None:
    begun = await pair.here.post("/link-probes", {"peer": "other", "steps": [2], "seconds": 60})
    told = await until_async(partial(pair.there.get, "/link-probes"), lambda got: got["answering"] is not None, 30)
    assert told["answering"]["peer"] == "other"
    with pytest.raises(ApiError) as refused:
        await pair.there.post("/link-probes", {"peer": "other"})
    assert refused.value.key == "probe.running"
    await until_async(partial(pair.here.get, f"/link-probes/{begun['id']}"), lambda got: got["seconds"] != [], 30)
    await pair.here.post(f"/link-probes/{begun['id']}/stop")
    found = await ended(pair.here, begun["id"])
    assert (found["state"], found["steps"][0]["streams"]) == ("stopped", 2)
    await until_async(partial(pair.there.get, "/link-probes"), lambda got: got["answering"] is None, 30, "still there")


async def test_kill_9_of_the_agent_ends_its_probe(pair: Pair) -> None:
    box = pair.lab.boxes[0]
    begun = await pair.here.post("/link-probes", {"peer": "other", "steps": [1], "seconds": 60})
    await until_async(partial(pair.there.get, "/link-probes"), lambda got: got["answering"] is not None, 30)
    starts = box.units()["sa800-agent"]["starts"]
    box.kill("sa800-agent", signal.SIGKILL)
    await until_async(partial(pair.there.get, "/link-probes"), lambda got: got["answering"] is None, 30, "still there")
    await asyncio.to_thread(box.wait_unit, "sa800-agent", 30.0, starts + 1)
    await answers(box.panel_url)
    found = await ended(pair.here, begun["id"])
    assert (found["state"], found["reason"]["key"]) == ("failed", "restarted")
    again = await probe(pair, [1], 3)
    assert (again["state"], again["steps"][0]["verdict"]) == ("done", "good")


async def test_another_secret_is_not_answered(pair: Pair) -> None:
    peer = {"id": "other", "name": "分店", "host": pair.lab.boxes[1].address, "port": PORT, "secret": "x" * 20}
    await pair.here.change("peers/other", peer)
    assert (await pair.here.apply())["state"] == "done"
    found = await probe(pair, [1], 3)
    assert (found["state"], found["reason"]["key"]) == ("failed", "no_answer")
