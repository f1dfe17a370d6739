"""Apply on a real Asterisk: every kind of change runs, what it does not like is refused, files are seen as changed."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from appliance_agent.config.model import (
    Desired,
    Did,
    Extension,
    ExtensionKind,
    ExtensionTarget,
    Menu,
    MenuOption,
    Network,
    OutboundRoute,
    Queue,
    QueueTarget,
    Strategy,
    Trunk,
)
from appliance_agent.render.apply_job import JobState
from tests.box.apply_box import ApplyBox, apply_box, p95

pytestmark = pytest.mark.lab


@pytest_asyncio.fixture
async def made(root: Path, tmp_path: Path) -> AsyncIterator[ApplyBox]:
    async with apply_box(root, tmp_path) as box:
        yield box


def changes(document: Desired) -> dict[str, Desired]:
    """One document for each kind of change that needs no restart; each changes one thing against `document`."""
    queue, menu, trunk = document.queues[0], document.menus[0], document.trunks[0]
    prompt = document.prompts[0].id
    phone = Extension(number="1099", name="新话机", kind=ExtensionKind.PHONE, secret="unit1234secret")
    second = Menu(id="second", name="二级", prompts=(prompt,),
                  options=(MenuOption(digit="1", target=QueueTarget(queue="sales")),))  # fmt: skip
    parts: dict[str, dict[str, object]] = {
        "extension added": {"extensions": (*document.extensions, phone)},
        "extension renamed": {"extensions": (document.extensions[0].model_copy(update={"name": "张;三"}),
                                             *document.extensions[1:])},
        "extension removed": {"extensions": document.extensions[:-1],
                              "queues": tuple(one.model_copy(update={"seats": one.seats[:-1]})
                                              for one in document.queues)},
        "queue added": {"queues": (*document.queues, Queue(id="vip", name="贵宾", strategy=Strategy.ROUND_ROBIN))},
        "queue rings longer": {"queues": (queue.model_copy(update={"ring_s": 21}), *document.queues[1:])},
        "queue plays a prompt": {"queues": (queue.model_copy(update={"music": prompt}), *document.queues[1:])},
        "menu waits longer": {"menus": (menu.model_copy(update={"wait_s": 9}),)},
        "menu added": {"menus": (menu, second)},
        "number added": {"dids": (*document.dids, Did(number="075512345678", name="二号",
                                                      target=ExtensionTarget(extension="1001")))},
        "trunk added": {"trunks": (trunk, Trunk(id="second", name="二", host="192.0.2.5"))},
        "trunk's codecs": {"trunks": (trunk.model_copy(update={"codecs": trunk.codecs[:1]}),)},
        "outbound prefix": {"outbound": (OutboundRoute(prefix="8", trunk="exchange"),)},
        "audio ports": {"network": Network(rtp_first=12000, rtp_last=12999)},
    }  # fmt: skip
    return {name: document.model_copy(update=update) for name, update in parts.items()}


async def test_each_kind_of_change_runs_within_two_seconds_and_back(made: ApplyBox) -> None:
    first = await made.running()
    taken: list[float] = []
    for name, document in changes(first).items():
        for wanted in (document, first):
            begun = time.monotonic()
            job = await made.apply(wanted)
            taken.append(time.monotonic() - begun)
            assert job.state is JobState.DONE, (name, job.error)
            assert made.versions.current() == job.version
    print(f"apply → running: p95 {p95(taken):.2f} s, longest {max(taken):.2f} s of {len(taken)}")
    assert p95(taken) <= 2.0
    assert made.box.complaints() == []


async def test_changes_of_equal_size_in_quick_succession_are_seen(made: ApplyBox) -> None:
    """Asterisk compares size and time of a file, not its content."""
    document = await made.running()
    for ring_s in (21, 22, 23, 24):
        queues = tuple(queue.model_copy(update={"ring_s": ring_s}) for queue in document.queues)
        menu = document.menus[0].model_copy(update={"wait_s": ring_s})
        job = await made.apply(document.model_copy(update={"queues": queues, "menus": (menu,)}))
        assert job.state is JobState.DONE, job.error
        shown = await made.answer(f"dialplan show menu-main-v{(await made.running()).menus[0].version}")
        assert f"WaitExten({ring_s})" in shown


async def test_a_trunk_whose_name_nobody_knows_is_refused_and_nothing_changes(made: ApplyBox) -> None:
    document = await made.running()
    before = await made.answer("pjsip show identifies")
    trunk = document.trunks[0].model_copy(update={"host": "no.such.host.invalid"})
    job = await made.apply(document.model_copy(update={"trunks": (trunk,)}))
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert "trunks/exchange/host" in [field["path"] for field in job.error["fields"]], job.error
    assert made.versions.current() == 1
    assert await made.running() == document
    assert await made.answer("pjsip show identifies") == before
    assert "192.0.2.1" in before


async def test_new_sip_port_restarts_asterisk_and_works(made: ApplyBox) -> None:
    document = await made.running()
    job = await made.apply(document.model_copy(update={"network": Network(sip_port=5070)}))
    assert job.state is JobState.DONE, job.error
    assert ":5070" in await made.answer("pjsip show transports")


async def test_a_port_that_somebody_has_is_refused_and_the_old_one_is_back(made: ApplyBox) -> None:
    document = await made.running()
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "0.0.0.0", 5075)
    async with server:
        job = await made.apply(document.model_copy(update={"network": Network(sip_port=5075)}))
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert [field["path"] for field in job.error["fields"]] == ["network/sip_port"]
    shown = await made.answer("pjsip show transports")
    assert shown.count(":5060") == 2
