"""The live sockets: the box's real link at one end, the real server at the other; and boxes that behave otherwise."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appliance_agent.kernel.bus import Subscription
from appliance_agent.kernel.errors import Fault
from appliance_agent.system.alarms import Level
from appliance_agent.system.hq_link import identity, retry, sender, service
from contracts import live, sync
from hq.authority.enrolment import Enrolment
from hq.boxes import connection
from hq.boxes.live import BoxLive
from hq.store.database import Database
from tests.hq.told import ONE, rows, until_asked
from tests.unit.hq_box import Box, box_at

from tests.hq.test_server import Place, place_at  # isort: skip

BOX = "sa800-1"
LIMIT_S = 60.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_S", 0.02)
    monkeypatch.setattr(sender, "LOOK_S", 0.02)
    monkeypatch.setattr(service, "WATCH_S", 0.02)


@pytest.fixture
async def place(database: Database, tmp_path: Path) -> AsyncIterator[Place]:
    async with place_at(database, tmp_path) as made:
        yield made


async def until(news: Subscription, so: Callable[[], bool]) -> None:
    """`news`: of BoxLive."""
    async with asyncio.timeout(LIMIT_S):
        while not so():
            await news.get()


@asynccontextmanager
async def joined(place: Place) -> AsyncIterator[tuple[Box, Subscription]]:
    """A box that is connected and has said its state."""
    (folder := place.folder / BOX).mkdir()
    with place.headquarters.bus.subscribe(BoxLive) as news:
        async with box_at(folder) as box:
            await box.link.join(place.address, await place.code())
            await until(news, lambda: place.headquarters.live.state(BOX) is not None)
            yield box, news


async def test_headquarters_sees_what_is_now_and_what_was(place: Place) -> None:
    async with joined(place) as (box, news):
        state = place.headquarters.live.state(BOX)
        assert state is not None
        assert (state.calls, state.agents, state.trunks) == (2, {"idle": 1}, {"t1": "reachable"})
        assert set(place.headquarters.live.connected()) == {BOX}
        await box.happens(5)

        async def told() -> bool:
            return await rows(place.database, "SELECT count(*) FROM seat") == [(5,)]

        await until_asked(told)
        ((inventory,),) = await rows(place.database, "SELECT inventory FROM box")
        assert json.loads(inventory)["hardware"] == "SN1"
    await until(news, lambda: not place.headquarters.live.connected())


async def test_a_command_reaches_the_box_and_its_answer_comes_back(place: Place) -> None:
    async with joined(place) as (box, _):
        await box.alarms.raise_("disk.full", Level.WARNING, "", {})
        (alarm,) = await box.alarms.open()
        result = await place.headquarters.live.command(BOX, "acknowledge", {"alarm": alarm["id"]}, "chief")
        assert result["id"] == alarm["id"]
        (alarm,) = await box.alarms.open()
        assert alarm["acked_by"] == "chief"
        with pytest.raises(Fault, match="knows no command 'dance'") as refused:
            await place.headquarters.live.command(BOX, "dance", {}, "chief")
        assert refused.value.key == "hq.command"


async def test_who_is_not_there_is_told_so(place: Place) -> None:
    with pytest.raises(Fault) as away:
        await place.headquarters.live.command(BOX, "sync_now", {}, "chief")
    assert away.value.key == "box.away"


async def test_a_revoked_box_is_cut_off_and_stays_out(place: Place) -> None:
    """By another process of headquarters: this one is told by the database only."""
    async with joined(place) as (box, news):
        other = Enrolment(place.database, place.authority, place.clock)
        await other.revoke(BOX, "chief", "10.0.0.1")
        await until(news, lambda: not place.headquarters.live.connected())

        async def refused() -> bool:
            return "certificate.revoked" in await place.refusals()

        await until_asked(refused)
        assert not place.headquarters.live.connected()
        view = (await box.link.view())["joined"]
        assert view["connected_since"] is None


async def test_a_connection_ends_with_its_certificate(place: Place) -> None:
    async with joined(place) as (_, news):
        place.clock.us += 2 * 365 * 86_400_000_000
        await until(news, lambda: not place.headquarters.live.connected())


@asynccontextmanager
async def by_hand(place: Place, hello: dict[str, Any]) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A box that is not ours at the other end."""
    folder = place.folder / BOX
    context = identity.mutual(folder if folder.exists() else await place.join(BOX))
    connector = aiohttp.TCPConnector(ssl=context)
    async with (
        aiohttp.ClientSession(connector=connector, trust_env=False) as http,
        http.ws_connect(f"https://{place.address}{live.LIVE_PATH}") as socket,
    ):
        await socket.send_json(hello)
        yield socket


HELLO = {"type": "hello", "version": live.VERSION, "box": BOX, "epoch": ONE, "inventory": {}}
STATE = {"type": "state", "at_us": 1, "calls": 0, "waiting": 0, "agents": {}, "trunks": {}, "alarms": {}, "backlog": 0}


@pytest.mark.parametrize("hello", [HELLO | {"box": "box-2"}, HELLO | {"version": 3}, STATE, {"type": []}])
async def test_who_begins_otherwise_is_cut(place: Place, hello: dict[str, Any]) -> None:
    async with by_hand(place, hello) as socket, asyncio.timeout(LIMIT_S):
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    assert not place.headquarters.live.connected()


async def test_the_versions_beside_ours_are_welcome(place: Place) -> None:
    with place.headquarters.bus.subscribe(BoxLive) as news:
        for version in (live.VERSION - 1, live.VERSION + 1):
            async with by_hand(place, HELLO | {"version": version, "new": 1}) as socket:
                await socket.send_json({"type": "smell", "of": "a newer box"})
                await socket.send_json(STATE | {"weather": "fine"})
                await until(news, lambda: place.headquarters.live.state(BOX) is not None)
            await until(news, lambda: not place.headquarters.live.connected())


async def test_nonsense_changes_nothing(place: Place) -> None:
    with place.headquarters.bus.subscribe(BoxLive) as news:
        async with by_hand(place, HELLO) as socket:
            for text in ("", "[]", "{", "5", json.dumps(STATE | {"calls": -1}), json.dumps(STATE | {"agents": 5})):
                await socket.send_str(text)
            await socket.send_json({"type": "result", "id": "no such command", "ok": True, "result": {}})
            await socket.send_json(STATE | {"calls": 7})
            await until(news, lambda: place.headquarters.live.state(BOX) is not None)
            state = place.headquarters.live.state(BOX)
            assert state is not None
            assert state.calls == 7


async def test_a_box_that_comes_again_is_there_once(place: Place) -> None:
    with place.headquarters.bus.subscribe(BoxLive) as news:
        async with by_hand(place, HELLO) as first:
            await until(news, lambda: bool(place.headquarters.live.connected()))
            async with by_hand(place, HELLO) as second:
                async with asyncio.timeout(LIMIT_S):
                    assert (await first.receive()).type is aiohttp.WSMsgType.CLOSE
                await second.send_json(STATE)
                await until(news, lambda: place.headquarters.live.state(BOX) is not None)
                assert set(place.headquarters.live.connected()) == {BOX}


async def test_a_box_that_does_not_answer_holds_nobody_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "COMMAND_S", 0.05)
    boxes = place.headquarters.live
    with place.headquarters.bus.subscribe(BoxLive) as news:
        async with by_hand(place, HELLO) as socket:
            await until(news, lambda: bool(boxes.connected()))
            with pytest.raises(Fault) as silent:
                await boxes.command(BOX, "sync_now", {}, "chief")
            assert silent.value.key == "box.silent"
            monkeypatch.setattr(connection, "COMMAND_S", LIMIT_S)
            many = [asyncio.create_task(boxes.command(BOX, "sync_now", {}, "chief")) for _ in range(9)]
            done, waiting = await asyncio.wait(many, return_when=asyncio.FIRST_COMPLETED, timeout=LIMIT_S)
            assert [getattr(task.exception(), "key", "") for task in done] == ["box.busy"]
            await socket.close()
            keys = [getattr(one, "key", "") for one in await asyncio.gather(*waiting, return_exceptions=True)]
            assert keys == ["box.gone"] * 8


async def test_the_agreement_on_what_was_goes_on_beside_it(place: Place) -> None:
    """The same certificate, one port."""
    async with by_hand(place, HELLO):
        answer = await place.ask(identity.mutual(place.folder / BOX), "GET", sync.MARK_PATH, params={"epoch": ONE})
        assert answer == (200, {"epoch": ONE, "seq": 0})
