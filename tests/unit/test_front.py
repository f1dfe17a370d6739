"""The front on a TCP port, with a real agent behind it and a small WebSocket SIP server in Asterisk's place."""

import asyncio
import os
import signal
import socket as sockets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from appliance_agent.front import api_proxy, sip_proxy
from appliance_agent.front.app import application
from appliance_agent.store.sessions import COOKIE, SessionLookup, session_id
from contracts.paths import BoxPaths
from tests.unit import people_agent
from tests.unit.people_agent import Agent, add_user, log_in, send, set_up
from tests.unit.test_sip_guard import REGISTER

LIMIT_S = 15


@dataclass
class Registrar:
    """Answers every SIP message with 200 and remembers it."""

    heard: list[str] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("sip",))
        await socket.prepare(request)
        assert socket.ws_protocol == "sip"
        async for message in socket:
            self.heard.append(message.data)
            await socket.send_str("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n")
        return socket


@dataclass
class Front:
    url: str
    origin: str
    registrar: Registrar
    paths: BoxPaths

    def client(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(base_url=self.url, cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def sip(self, client: aiohttp.ClientSession, **headers: str) -> aiohttp.ClientWebSocketResponse:
        wanted = {"Origin": self.origin} | headers
        return await client.ws_connect("/ws", protocols=("sip",), headers=wanted)


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    sock = sockets.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, sock).start()
    try:
        yield f"127.0.0.1:{sock.getsockname()[1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Front]:
    monkeypatch.setattr(sip_proxy, "POLL_S", 0.2)
    paths = BoxPaths(tmp_path)
    paths.panel.joinpath("assets").mkdir(parents=True)
    paths.panel.joinpath("index.html").write_text("<html>panel</html>")
    paths.panel.joinpath("assets/app-1a2b3c.js").write_text("run()")
    paths.panel.parent.joinpath("secret.txt").write_text("outside")
    paths.panel.joinpath("link.txt").symlink_to(paths.panel.parent / "secret.txt")
    registrar = Registrar()
    asterisk = web.Application()
    asterisk.router.add_get("/ws", registrar.handle)
    async with serving(asterisk) as inner:
        registrar.url = f"ws://{inner}/ws"
        async with serving(application(paths, registrar.url)) as address:
            yield Front(f"http://{address}", f"http://{address}", registrar, paths)


@pytest.fixture
async def box(front: Front, tmp_path: Path) -> AsyncIterator[Agent]:
    async with people_agent.agent(tmp_path) as agent:
        yield agent


@pytest.fixture
async def page(front: Front, box: Agent) -> AsyncIterator[aiohttp.ClientSession]:
    """Logged in as administrator with extension 1001, and its phone's account was asked for."""
    async with front.client() as client:
        assert (await set_up(client))[0] == 201
        assert (await send(client, "GET", "/session/sip"))[0] == 200
        yield client


async def get(client: aiohttp.ClientSession, path: str) -> tuple[int, str, Any]:
    async with client.get(path) as answer:
        return answer.status, await answer.text(), answer.headers


# ── the panel ────────────────────────────────────────────────────────────────────────────────────────
async def test_files(front: Front) -> None:
    async with front.client() as client:
        status, text, headers = await get(client, "/assets/app-1a2b3c.js")
        assert (status, text) == (200, "run()")
        assert "immutable" in headers["Cache-Control"]
        assert headers["Content-Type"].startswith("text/javascript")
        for path in ("/", "/records", "/records/1732270000.12", "/admin/queues"):
            status, text, headers = await get(client, path)
            assert (status, text, headers["Cache-Control"]) == (200, "<html>panel</html>", "no-cache")
        assert (await get(client, "/missing.js"))[0] == 404
        assert (await get(client, "/link.txt"))[0] == 404
        async with client.post("/") as refused:
            assert refused.status == 405


async def test_every_answer_is_locked_down(front: Front) -> None:
    async with front.client() as client:
        for path in ("/", "/assets/app-1a2b3c.js", "/missing.js", "/api/v1/status", "/ws"):
            _, _, headers = await get(client, path)
            policy = headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "microphone=(self)" in headers["Permissions-Policy"]


@pytest.mark.parametrize(
    "target",
    ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "//etc/passwd",
     "/assets/%00.js", "/assets/..\\..\\secret.txt", "/" + "a" * 5000 + ".js"],
)  # fmt: skip
async def test_path_tricks(front: Front, target: str) -> None:
    host, port = front.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(LIMIT_S):
        answer = await reader.read()
    writer.close()
    assert answer.split(b" ", 2)[1] in (b"404", b"400", b"200")
    assert b"outside" not in answer
    assert b"root:" not in answer


async def test_files_put_there_later_are_found(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance_agent.front.panel.LOOK_AGAIN_S", 0)
    async with front.client() as client:
        assert (await get(client, "/new.css"))[0] == 404
        front.paths.panel.joinpath("new.css").write_text("a{}")
        assert (await get(client, "/new.css"))[0] == 200


# ── the API ──────────────────────────────────────────────────────────────────────────────────────────
async def test_requests_reach_the_agent_with_the_client_s_address(page: aiohttp.ClientSession) -> None:
    assert (await send(page, "GET", "/session"))[1]["user"]["login"] == "admin"
    lying = {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https"}
    body = {"login": "admin", "password": "wrong password"}
    assert (await send(page, "POST", "/session", body, headers=lying))[0] == 401
    trail = (await send(page, "GET", "/audit?action=session.refused"))[1]
    assert trail["items"][0]["address"] == "127.0.0.1"


async def test_origin_through_the_front(front: Front, page: aiohttp.ClientSession) -> None:
    own = {"Origin": front.origin}
    assert (await send(page, "PATCH", "/session", {"language": "en"}, headers=own))[0] == 200
    foreign = {"Origin": "http://evil.test"}
    assert (await send(page, "PATCH", "/session", {"language": "en"}, headers=foreign))[0] == 403


async def test_health_is_not_for_the_network(page: aiohttp.ClientSession) -> None:
    for path in ("/api/v1/health", "/api/v1/%68ealth"):
        assert (await get(page, path))[0] == 404


async def test_bodies_are_bounded(front: Front, box: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_proxy, "BODY_LIMIT", 2_000_000)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65536

    json = {"Content-Type": "application/json"}
    async with front.client() as client:
        too_large = b" " * 2_000_001
        status, answer = await send(client, "POST", "/session", data=too_large, headers=json)
        assert (status, answer["error"]["key"]) == (413, "request.too_large")
        status, answer = await send(client, "POST", "/session", data=b" " * 1_500_000, headers=json)
        assert (status, answer["error"]["key"]) == (413, "request.too_large"), "the agent's own limit"
        try:
            async with asyncio.timeout(LIMIT_S):
                assert (await send(client, "POST", "/session", data=endless(), headers=json))[0] == 413
        except aiohttp.ClientConnectionError:
            pass  # cut off while it was still sending: as good


async def test_a_dead_agent_is_told_at_once(front: Front) -> None:
    started = asyncio.get_running_loop().time()
    async with front.client() as client, client.get("/api/v1/status") as answer:
        assert (answer.status, (await answer.json())["error"]["key"]) == (503, "agent.unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    assert asyncio.get_running_loop().time() - started < 2


async def test_a_stopped_agent_is_told_soon(front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that took the socket and was stopped (SIGSTOP): connections are accepted by the kernel alone."""
    monkeypatch.setattr(api_proxy, "PATIENCE_S", 0.5)
    monkeypatch.setattr(api_proxy, "HEALTH_LIMIT_S", 0.5)
    front.paths.agent_socket.parent.mkdir(parents=True)
    script = f"import socket,time\ns=socket.socket(socket.AF_UNIX)\ns.bind({str(front.paths.agent_socket)!r})\n"
    script += "s.listen(100)\nprint('ready', flush=True)\ntime.sleep(600)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        os.kill(process.pid, signal.SIGSTOP)
        loop = asyncio.get_running_loop()
        async with front.client() as client:
            for limit_s in (5, 0.5):  # the second is refused at once
                started = loop.time()
                status, answer = await send(client, "GET", "/status")
                assert (status, answer["error"]["key"]) == (503, "agent.unavailable")
                assert loop.time() - started < limit_s
    finally:
        process.kill()
        await process.wait()


async def test_a_busy_agent_is_waited_for(front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_proxy, "PATIENCE_S", 0.2)
    go = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await go.wait()
        return web.json_response({"slow": True})

    async def health(request: web.Request) -> web.Response:
        asked.set()
        return web.json_response({})

    asked = asyncio.Event()
    app = web.Application()
    app.router.add_get("/api/v1/slow", slow)
    app.router.add_get("/api/v1/health", health)
    runner = web.AppRunner(app)
    await runner.setup()
    front.paths.agent_socket.parent.mkdir(parents=True)
    await web.UnixSite(runner, str(front.paths.agent_socket)).start()
    try:
        async with front.client() as client, asyncio.timeout(LIMIT_S):
            answer = asyncio.create_task(send(client, "GET", "/slow"))
            await asked.wait()
            go.set()
            assert await answer == (200, {"slow": True})
    finally:
        await runner.cleanup()


async def test_events_through_the_front(front: Front, page: aiohttp.ClientSession) -> None:
    own = {"Origin": front.origin}
    socket = await page.ws_connect("/api/v1/events", headers=own)
    assert (await socket.receive_json(timeout=LIMIT_S))["type"] == "snapshot"
    await socket.send_str('{"type":"ping"}')
    assert (await socket.receive_json(timeout=LIMIT_S))["type"] == "pong"
    await send(page, "DELETE", "/session")
    assert (await socket.receive_json(timeout=LIMIT_S))["type"] == "session_ended"
    for headers, status in (({}, 403), ({"Origin": "http://evil.test"}, 403), (own, 401)):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await page.ws_connect("/api/v1/events", headers=headers)
        assert refused.value.status == status


# ── the phone ────────────────────────────────────────────────────────────────────────────────────────
async def test_sip_goes_both_ways(front: Front, page: aiohttp.ClientSession) -> None:
    socket = await front.sip(page)
    assert socket.protocol == "sip"
    await socket.send_str(REGISTER)
    assert (await socket.receive_str(timeout=LIMIT_S)).startswith("SIP/2.0 200")
    assert front.registrar.heard == [REGISTER]


async def test_another_s_extension_is_refused_and_cut(front: Front, page: aiohttp.ClientSession) -> None:
    socket = await front.sip(page)
    await socket.send_str(REGISTER.replace("sip:1001@", "sip:1002@"))
    assert (await socket.receive_str(timeout=LIMIT_S)).startswith("SIP/2.0 403")
    closed = await socket.receive(timeout=LIMIT_S)
    assert (closed.type, closed.data) == (WSMsgType.CLOSE, sip_proxy.FORBIDDEN)
    assert front.registrar.heard == []


async def test_a_large_message_is_cut(front: Front, page: aiohttp.ClientSession) -> None:
    socket = await front.sip(page)
    await socket.send_str("x" * 65_537)
    assert (await socket.receive(timeout=LIMIT_S)).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
    assert front.registrar.heard == []


@pytest.mark.parametrize("origin", ["http://evil.test", "null", None])
async def test_a_foreign_page_gets_no_phone(front: Front, page: aiohttp.ClientSession, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await page.ws_connect("/ws", protocols=("sip",), headers=headers)
    assert refused.value.status == 403


async def test_who_gets_no_phone(front: Front, page: aiohttp.ClientSession) -> None:
    await add_user(page, "bob")
    async with front.client() as stranger:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await front.sip(stranger)
        assert refused.value.status == 401
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await front.sip(stranger, Cookie=f"{COOKIE}=forged")
        assert refused.value.status == 401
        await log_in(stranger, "bob")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await front.sip(stranger)
        assert refused.value.status == 403, "bob has no browser extension"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await page.ws_connect("/ws", headers={"Origin": front.origin})
    assert refused.value.status == 400, "the subprotocol sip is needed"


async def test_log_out_hangs_up_the_phone(front: Front, page: aiohttp.ClientSession) -> None:
    socket = await front.sip(page)
    await send(page, "DELETE", "/session")
    closed = await socket.receive(timeout=LIMIT_S)
    assert (closed.type, closed.data) == (WSMsgType.CLOSE, sip_proxy.SESSION_ENDED)


async def test_the_phone_lives_while_the_agent_is_dead(front: Front, tmp_path: Path) -> None:
    async with front.client() as client:
        async with people_agent.agent(tmp_path):
            await set_up(client)
            await send(client, "GET", "/session/sip")
            before = await front.sip(client)
        assert (await send(client, "GET", "/session"))[0] == 503, "the agent is gone"
        after = await front.sip(client)
        for socket in (before, after):
            await socket.send_str(REGISTER)
            assert (await socket.receive_str(timeout=LIMIT_S)).startswith("SIP/2.0 200")


async def test_asterisk_away_is_told(front: Front, page: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with serving(application(front.paths, "ws://127.0.0.1:9/ws")) as address, front.client() as client:
        await log_in(client, "admin")
        await send(client, "PATCH", "/session", {"extension": "1001"})
        await send(client, "GET", "/session/sip")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(f"ws://{address}/ws", protocols=("sip",), headers={"Origin": f"http://{address}"})
        assert refused.value.status == 503


async def test_one_session_cannot_hold_many_sockets(front: Front, page: aiohttp.ClientSession) -> None:
    held = [await front.sip(page) for _ in range(sip_proxy.PER_SESSION)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await front.sip(page)
    assert refused.value.status == 503
    assert all(not socket.closed for socket in held)


# ── the look-up ──────────────────────────────────────────────────────────────────────────────────────
async def test_the_database_is_read_after_a_clean_stop_of_the_agent(tmp_path: Path) -> None:
    async with people_agent.agent(tmp_path) as box, box.client() as client:
        await set_up(client)
        token = next(cookie.value for cookie in client.cookie_jar if cookie.key == COOKIE)
    lookup = SessionLookup(BoxPaths(tmp_path).database)
    found = await asyncio.to_thread(lookup.find, session_id(token))
    assert found is not None
    assert (found.role, found.extension, found.sip_username) == ("admin", "1001", None)
    assert await asyncio.to_thread(lookup.find, session_id("forged")) is None
    lookup.close()
