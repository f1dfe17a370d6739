"""The kit on a real socket: what is refused before a feature sees it, and how it is said."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field

from appliance_agent.http import bind
from appliance_agent.http.openapi import document
from appliance_agent.http.route import Call, Role, Route
from appliance_agent.kernel.errors import Fault, FaultKind
from tests.unit import people_agent
from tests.unit.people_agent import Agent, add_user, log_in, send, set_up


class Option(BaseModel):
    digit: str
    target: int


class Thing(BaseModel):
    name: str = Field(max_length=20)
    options: list[Option] = []


class Search(BaseModel):
    start: str | None = Field(default=None, alias="from")
    limit: int = Field(default=10, ge=1, le=200)
    tags: list[str] = []


class Found(BaseModel):
    start: str | None
    limit: int
    tags: list[str]


async def echo(call: Call) -> BaseModel:
    body: BaseModel = call.body
    return body


async def search(call: Call) -> BaseModel:
    return Found(start=call.query.start, limit=call.query.limit, tags=call.query.tags)


async def crash(_call: Call) -> BaseModel:
    raise ValueError("the password of the trunk is hunter2")


async def wrong_answer(_call: Call) -> list[Any]:
    return [{"name": 7}]


async def taken(call: Call) -> None:
    raise Fault(FaultKind.CONFLICT, "thing.taken", f"{call.path['id']} is taken", hint="Take another.")


async def hang(_call: Call) -> None:
    await asyncio.Event().wait()


async def shout(call: Call) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(call.request)
    await socket.send_str(f"{call.who.login} {call.path['id']}")
    await socket.close()
    return socket


async def linger(call: Call) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(call.request)
    # Longer than any other handler may take: that no limit strikes has no event to wait for.
    await asyncio.sleep(bind.HANDLER_LIMIT_S * 1.2)
    await socket.send_str("still here")
    await socket.close()
    return socket


ROUTES = [
    Route("GET", "/rooms/{id}/shout", Role.SUPERVISOR, shout, "Shout", socket=True),
    Route("GET", "/linger", Role.PUBLIC, linger, "Linger", socket=True),
    Route("POST", "/echo", Role.PUBLIC, echo, "Echo", body=Thing, reply=Thing, body_limit=1000),
    Route("GET", "/search", Role.PUBLIC, search, "Search", query=Search, reply=Found),
    Route("GET", "/crash", Role.PUBLIC, crash, "Crash", reply=Thing),
    Route("GET", "/wrong", Role.PUBLIC, wrong_answer, "Wrong answer", reply=list[Thing]),
    Route("DELETE", "/things/{id}", Role.PUBLIC, taken, "Taken", reply=None, errors=(409,)),
    Route("GET", "/hang", Role.PUBLIC, hang, "Hang", reply=None),
    Route("GET", "/for-supervisors", Role.SUPERVISOR, search, "Search", query=Search, reply=Found),
]


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Agent]:
    async with people_agent.agent(tmp_path, ROUTES) as agent:
        yield agent


@pytest.fixture
async def hurried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[aiohttp.ClientSession]:
    """The page of a box whose handlers have little time: nobody logs in there, a busy machine takes longer for it."""
    monkeypatch.setattr(bind, "HANDLER_LIMIT_S", 1.5)
    async with people_agent.agent(tmp_path, ROUTES) as agent, agent.client() as client:
        yield client


@pytest.fixture
async def client(box: Agent) -> AsyncIterator[aiohttp.ClientSession]:
    async with box.client() as client:
        yield client


async def test_a_good_request_passes(client: aiohttp.ClientSession) -> None:
    thing = {"name": "主菜单", "options": [{"digit": "1", "target": 3}]}
    assert await send(client, "POST", "/echo", thing) == (200, thing)


async def test_wrong_content_names_every_field(client: aiohttp.ClientSession) -> None:
    body = {"name": "x" * 21, "options": [{"digit": "1", "target": "3"}], "extra": 1}
    status, answer = await send(client, "POST", "/echo", body)
    assert status == 422
    paths = {field["path"] for field in answer["error"]["fields"]}
    assert paths == {"name", "options/0/target", "extra"}
    assert answer["error"]["key"] == "request.invalid"


async def test_broken_json_tells_the_position(client: aiohttp.ClientSession) -> None:
    status, answer = await send(
        client, "POST", "/echo", data=b'{"name": \n oops}', headers={"Content-Type": "application/json"}
    )
    assert (status, answer["error"]["key"]) == (400, "request.json")
    assert "line 2 column" in answer["error"]["message"]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b'"\\ud800"', b"", b"[" * 900], ids=["bytes", "surrogate", "empty", "deep"]
)
async def test_no_json_at_all(client: aiohttp.ClientSession, content: bytes) -> None:
    status, _ = await send(client, "POST", "/echo", data=content, headers={"Content-Type": "application/json"})
    assert status == 400


async def test_unknown_content_type(client: aiohttp.ClientSession) -> None:
    status, answer = await send(client, "POST", "/echo", data=b"name=x", headers={"Content-Type": "text/plain"})
    assert (status, answer["error"]["key"]) == (415, "request.media")


async def test_a_large_body_is_refused_before_it_is_sent(box: Agent) -> None:
    reader, writer = await asyncio.open_unix_connection(str(box.paths.agent_socket))
    head = "POST /api/v1/echo HTTP/1.1\r\nHost: box\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(10):
        assert b" 413 " in await reader.readline()
    writer.close()


async def test_a_large_chunked_body_is_refused_while_it_arrives(client: aiohttp.ClientSession) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100

    status, answer = await send(client, "POST", "/echo", data=chunks(), headers={"Content-Type": "application/json"})
    assert (status, answer["error"]["key"]) == (413, "request.too_large")


async def test_query(client: aiohttp.ClientSession) -> None:
    found = {"start": "a", "limit": 5, "tags": ["x", "y"]}
    assert await send(client, "GET", "/search?from=a&limit=5&tags=x&tags=y") == (200, found)
    for query, path in (("limit=0", "limit"), ("limit=1&limit=2", "limit"), ("nonsense=1", "nonsense")):
        status, answer = await send(client, "GET", f"/search?{query}")
        assert (status, answer["error"]["fields"][0]["path"]) == (422, f"query/{path}")


async def test_unknown_address_and_method(client: aiohttp.ClientSession) -> None:
    status, answer = await send(client, "GET", "/nothing")
    assert (status, answer["error"]["key"]) == (404, "http.not_found")
    async with client.request("PUT", "/api/v1/echo") as refused:
        assert (refused.status, refused.headers["Allow"]) == (405, "POST")
        assert (await refused.json())["error"]["key"] == "http.method"


async def test_a_fault_keeps_its_words(client: aiohttp.ClientSession) -> None:
    expected = {"key": "thing.taken", "message": "a b is taken", "hint": "Take another.", "fields": []}
    assert await send(client, "DELETE", "/things/a%20b") == (409, {"error": expected})


@pytest.mark.parametrize("path", ["/crash", "/wrong"])
async def test_a_bug_tells_an_id_and_nothing_inside(
    client: aiohttp.ClientSession, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, answer = await send(client, "GET", path)
    assert (status, answer["error"]["key"]) == (500, "internal")
    assert "hunter2" not in json.dumps(answer)
    error_id = answer["error"]["message"].removesuffix(".").rsplit(" ", 1)[1]
    assert error_id in capsys.readouterr().out


async def test_a_handler_that_hangs_is_cut(hurried: aiohttp.ClientSession) -> None:
    status, answer = await send(hurried, "GET", "/hang")
    assert (status, answer["error"]["key"]) == (503, "request.timeout")


async def test_a_websocket_may_last(hurried: aiohttp.ClientSession) -> None:
    async with hurried.ws_connect("/api/v1/linger") as socket:
        assert await socket.receive_str() == "still here"


async def test_roles(box: Agent, client: aiohttp.ClientSession) -> None:
    status, answer = await send(client, "GET", "/for-supervisors")
    assert (status, answer["error"]["key"]) == (401, "session.none")
    await set_up(client)
    await add_user(client, "bob")
    await add_user(client, "tess", role="technician")
    assert (await send(client, "GET", "/for-supervisors"))[0] == 200
    for login in ("bob", "tess"):
        async with box.client() as page:
            await log_in(page, login)
            status, answer = await send(page, "GET", "/for-supervisors")
            assert (status, answer["error"]["key"]) == (403, "session.role")


async def test_a_websocket_is_checked_as_any_other_route(box: Agent, client: aiohttp.ClientSession) -> None:
    path = "/api/v1/rooms/7/shout"
    status, answer = await send(client, "GET", "/rooms/7/shout")
    assert (status, answer["error"]["key"]) == (400, "request.websocket")
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await client.ws_connect(path)
    assert caught.value.status == 401
    await set_up(client)
    await add_user(client, "bob")
    async with box.client() as page:
        await log_in(page, "bob")
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await page.ws_connect(path)
    assert caught.value.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await client.ws_connect(path, origin="http://evil.test")
    assert caught.value.status == 403
    async with client.ws_connect(path) as socket:
        assert (await socket.receive_str()).endswith(" 7")
    assert not any("shout" in path for path in document(ROUTES, "0")["paths"])


@pytest.mark.parametrize("foreign", ["http://evil.test", "https://box.test", "http://box.test:81", "null", ""])
async def test_foreign_origin(client: aiohttp.ClientSession, foreign: str) -> None:
    status, answer = await send(client, "POST", "/echo", {"name": "x"}, headers={"Origin": foreign})
    assert (status, answer["error"]["key"]) == (403, "request.origin")


async def test_own_origin(client: aiohttp.ClientSession) -> None:
    status, _ = await send(client, "POST", "/echo", {"name": "x"}, headers={"Origin": "http://box.test"})
    assert status == 200
    https = {"Origin": "https://box.test", "X-Forwarded-Proto": "https"}
    assert (await send(client, "POST", "/echo", {"name": "x"}, headers=https))[0] == 200


async def test_the_document_is_served_and_its_schemas_are_schemas(client: aiohttp.ClientSession) -> None:
    async with client.get("/api/openapi.json") as answer:
        described = await answer.json()
    assert described["openapi"] == "3.1.0"
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    echoed = described["paths"]["/api/v1/echo"]["post"]
    assert set(echoed["responses"]) == {"200", "400", "403", "413", "415", "422", "503"}
    body = echoed["requestBody"]["content"]["application/json"]["schema"]
    thing = described["components"]["schemas"][body["$ref"].rsplit("/", 1)[1]]
    assert thing["additionalProperties"] is False
    option = described["components"]["schemas"]["Option"]
    assert option["additionalProperties"] is False
    names = {part["name"]: part for part in described["paths"]["/api/v1/search"]["get"]["parameters"]}
    assert set(names) == {"from", "limit", "tags"}


def test_operation_ids_are_unique() -> None:
    described = document(ROUTES, "0")
    ids = [operation["operationId"] for methods in described["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids)) == len([route for route in ROUTES if not route.socket])
