"""Live events over real WebSockets: snapshot, batches, pops, slow pages, the end of a session."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appliance_agent.features.people.sessions import IDLE_US
from appliance_agent.http import hub
from appliance_agent.kernel.events import JobChanged, LiveChanged, Pop, RecordWritten
from tests.unit import people_agent
from tests.unit.people_agent import Agent, add_user, log_in, send, set_up

LIMIT_S = 10


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Agent]:
    async with people_agent.agent(tmp_path, queue_limit=5) as agent:
        yield agent


@pytest.fixture
async def admin(box: Agent) -> AsyncIterator[aiohttp.ClientSession]:
    async with box.client() as client:
        await set_up(client)
        yield client


async def connect(client: aiohttp.ClientSession, **headers: str) -> aiohttp.ClientWebSocketResponse:
    """Connected, and the snapshot has been read."""
    socket = await client.ws_connect("/api/v1/events", headers=headers)
    assert (await next_message(socket))["type"] == "snapshot"
    return socket


async def next_message(socket: aiohttp.ClientWebSocketResponse) -> Any:
    return await socket.receive_json(timeout=LIMIT_S)


async def test_a_snapshot_comes_first(box: Agent, admin: aiohttp.ClientSession) -> None:
    box.live["queues"] = [{"id": "sales"}]
    socket = await admin.ws_connect("/api/v1/events")
    message = await next_message(socket)
    assert (message["type"], message["queues"]) == ("snapshot", [{"id": "sales"}])
    assert message["at"].endswith("Z")


async def test_changes_are_gathered(box: Agent, admin: aiohttp.ClientSession) -> None:
    socket = await connect(admin)
    loop = asyncio.get_running_loop()
    started = loop.time()
    for number in range(50):
        box.bus.publish(LiveChanged("calls", "c1", {"id": "c1", "n": number}))
    box.bus.publish(LiveChanged("calls", "c2", {"id": "c2"}))
    box.bus.publish(LiveChanged("calls", "c2", None))
    box.bus.publish(LiveChanged("seats", "u1", {"id": "u1"}))
    message = await next_message(socket)
    assert loop.time() - started < 1
    assert message["type"] == "change"
    assert message["set"] == {"calls": [{"id": "c1", "n": 49}], "seats": [{"id": "u1"}]}
    assert message["gone"] == {"calls": ["c2"]}


async def test_a_pop_is_for_one_seat(box: Agent, admin: aiohttp.ClientSession) -> None:
    await add_user(admin, "bob", extension="1002")
    async with box.client() as page:
        await log_in(page, "bob")
        bob, other = await connect(page), await connect(admin)
        box.bus.publish(Pop("1002", {"call_id": "c1", "caller_number": "13800138000"}))
        box.bus.publish(RecordWritten("c1", "answered"))
        assert (await next_message(bob))["type"] == "pop"
        assert (await next_message(bob)) == {"type": "record", "call_id": "c1", "result": "answered"}
        assert (await next_message(other))["type"] == "record", "no pop for the other"
        await send(page, "PATCH", "/session", {"extension": "1003"})
        box.bus.publish(Pop("1002", {}))
        box.bus.publish(Pop("1003", {"call_id": "c2"}))
        assert (await next_message(bob))["call_id"] == "c2", "a hot-desk moves the pops"


async def test_who_hears_of_jobs_and_records(box: Agent, admin: aiohttp.ClientSession) -> None:
    for login, role in (("bob", "agent"), ("tess", "technician")):
        await add_user(admin, login, role=role)
    async with box.client() as bob_page, box.client() as tess_page:
        await log_in(bob_page, "bob")
        await log_in(tess_page, "tess")
        bob, tess = await connect(bob_page), await connect(tess_page)
        box.bus.publish(JobChanged({"id": "j1"}))
        box.bus.publish(RecordWritten("c1", "answered"))
        assert (await next_message(bob))["type"] == "record"
        assert await next_message(tess) == {"type": "job", "id": "j1"}


async def test_ping(admin: aiohttp.ClientSession) -> None:
    socket = await connect(admin)
    await socket.send_str('{"type":"ping"}')
    assert await next_message(socket) == {"type": "pong"}


async def test_log_out_ends_the_events(admin: aiohttp.ClientSession) -> None:
    socket = await connect(admin)
    await send(admin, "DELETE", "/session")
    assert await next_message(socket) == {"type": "session_ended", "reason": "logged_out"}
    assert (await socket.receive(timeout=LIMIT_S)).type is aiohttp.WSMsgType.CLOSE


async def test_an_expired_session_is_noticed_at_the_next_ping(box: Agent, admin: aiohttp.ClientSession) -> None:
    socket = await connect(admin)
    box.clock.moved_s += IDLE_US / 1e6 + 1
    await socket.send_str('{"type":"ping"}')
    assert (await next_message(socket))["type"] == "session_ended"


async def test_no_session_or_a_foreign_page_gets_nothing(box: Agent, admin: aiohttp.ClientSession) -> None:
    async with box.client() as page:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await page.ws_connect("/api/v1/events")
        assert refused.value.status == 401
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await admin.ws_connect("/api/v1/events", headers={"Origin": "http://evil.test"})
    assert refused.value.status == 403


async def test_a_slow_page_gets_a_fresh_snapshot_and_keeps_its_pops(
    box: Agent, admin: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "GATHER_S", 0.001)
    socket = await connect(admin)
    client = next(iter(box.hub._clients))
    box.live["calls"] = [{"id": "now"}]
    # No await in between: the writer cannot take anything, as with a page that does not read.
    for number in range(20):
        client.offer(f'{{"type":"record","call_id":"{number}"}}')
    client.offer('{"type":"pop","call_id":"p"}', keep=True)
    message = await next_message(socket)
    assert (message["type"], message["calls"]) == ("snapshot", [{"id": "now"}])
    assert (await next_message(socket))["call_id"] == "p"


async def test_a_gap_on_the_bus_is_a_fresh_snapshot(box: Agent, admin: aiohttp.ClientSession) -> None:
    socket = await connect(admin)
    for number in range(6000):
        box.bus.publish(RecordWritten(str(number), "answered"))
    types = set()
    while "snapshot" not in types:
        types.add((await next_message(socket))["type"])


@pytest.mark.parametrize("kind", ["alarms", "lines"])
async def test_what_is_urgent_does_not_wait_for_others(
    box: Agent, admin: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(hub, "GATHER_S", 10 * LIMIT_S)
    socket = await connect(admin)
    box.bus.publish(LiveChanged("calls", "c1", {"id": "c1"}))
    box.bus.publish(LiveChanged(kind, "x", {"id": "x"}))
    message = await next_message(socket)
    assert message["set"] == {"calls": [{"id": "c1"}], kind: [{"id": "x"}]}
