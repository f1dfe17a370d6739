"""What strangers and broken pages send to a real box: a clear error, and nothing lost."""

import asyncio
import hashlib
import io
import re
import secrets
import signal
import wave
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Literal

import aiohttp
import pytest

from tests.box.api import PASSWORD, Api, ApiError, person, until_async, visitor
from tests.box.office import ADMIN, make_admin
from tests.lab.fixtures import *  # noqa: F403
from tests.lab.lab import Box, Lab

pytestmark = pytest.mark.lab

LIMIT_S = 30
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def box(lab: Lab) -> Box:
    await make_admin(lab.box())
    return lab.box()


@pytest.fixture
async def admin(box: Box) -> AsyncIterator[Api]:
    """With a browser extension of its own."""
    async with person(box.panel_url, ADMIN) as api:
        session = await api.get("/session")
        if session["extension_kind"] != "browser":
            document = (await api.get("/config"))["document"]
            free = next(item["number"] for item in document["extensions"] if item["kind"] == "browser")
            await api.call("PATCH", "/session", {"extension": free})
        yield api


async def refused(api: Api, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
    with pytest.raises(ApiError) as error:
        await api.call(method, path, body, headers=headers)
    return error.value.status, error.value.key


async def test_wrong_password_and_wrong_role(box: Box, admin: Api) -> None:
    login = f"agent{secrets.token_hex(4)}"
    async with visitor(box.panel_url) as stranger:
        wrong = {"login": login, "password": "wrong password"}
        assert await refused(stranger, "POST", "/session", wrong) == (401, "session.refused")
        assert await refused(stranger, "GET", "/users") == (401, "session.none")
    await admin.post("/users", {"login": login, "password": PASSWORD, "name": "座席", "role": "agent"})
    async with person(box.panel_url, login) as agent:
        assert await refused(agent, "GET", "/users") == (403, "session.role")
        assert await refused(agent, "POST", "/config/apply", {}) == (403, "session.role")
        await agent.delete("/session")
        assert await refused(agent, "GET", "/session") == (401, "session.none")


async def test_bodies(box: Box, admin: Api) -> None:
    url = f"{box.panel_url}/api/v1/users"
    for data, status, key in (
        (b'{"login": ', 400, "request.json"),
        (b"\xff\xff", 400, "request.json"),
        (b" " * 1_048_577, 413, "request.too_large"),
        (b" " * 30_000_000, 413, "request.too_large"),
    ):
        async with admin.http.post(url, data=data, headers=JSON) as answer:
            assert (answer.status, (await answer.json())["error"]["key"]) == (status, key)
    assert (await admin.get("/session"))["user"]["login"] == ADMIN


@pytest.mark.parametrize("name", ["..%2f..%2fbox.db", "%2e%2e", "....//", "a%00b", "x" * 3000, "%252e%252e%252f"])
async def test_path_tricks(admin: Api, box: Box, name: str) -> None:
    for path in (f"/prompts/{name}/audio", f"/records/{name}/recording", f"/records/{name}", f"/records/{name}/peaks"):
        async with admin.http.get(f"{box.panel_url}/api/v1{path}") as answer:
            assert answer.status in (404, 422), await answer.text()
            assert (await answer.json())["error"]["key"]


@pytest.mark.parametrize(("seconds", "key"), [(0, "prompt.empty"), (601, "prompt.too_long")])
async def test_sounds_of_no_use(admin: Api, box: Box, seconds: int, key: str) -> None:
    """On the box's own sox, which is another one than the host's."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * seconds))
    form = aiohttp.FormData({"name": "no use", "language": "en"})
    form.add_field("file", sound.getvalue(), filename="no use.wav")
    async with admin.http.post(f"{box.panel_url}/api/v1/prompts", data=form) as answer:
        assert (answer.status, (await answer.json())["error"]["key"]) == (422, key)


async def test_foreign_pages(admin: Api, box: Box) -> None:
    assert await refused(admin, "POST", "/users", {}, Origin="http://evil.test") == (403, "request.origin")
    await admin.get("/session/sip")
    for path in ("/ws", "/api/v1/events"):
        for headers in ({"Origin": "http://evil.test"}, {}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as error:
                await admin.http.ws_connect(f"{box.panel_url}{path}", protocols=("sip",), headers=headers)
            assert error.value.status == 403


# ── SIP from a page ──────────────────────────────────────────────────────────────────────────────────
def register(user: str, sequence: int, authorization: str = "", expires: int = 600) -> str:
    lines = [
        "REGISTER sip:box.test SIP/2.0",
        f"Via: SIP/2.0/WS page.invalid;branch=z9hG4bK{secrets.token_hex(8)}",
        "Max-Forwards: 69",
        f"To: <sip:{user}@box.test>",
        f"From: <sip:{user}@box.test>;tag={secrets.token_hex(4)}",
        f"Call-ID: {secrets.token_hex(8)}",
        f"CSeq: {sequence} REGISTER",
        f"Contact: <sip:page{user}@page.invalid;transport=ws>;expires={expires}",
        *([f"Authorization: {authorization}"] if authorization else []),
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""])


def digest(challenge: str, user: str, secret: str) -> str:
    """RFC 2617 with qop=auth, as JsSIP answers."""
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    own = secrets.token_hex(4)
    one, two = md5(f"{user}:{fields['realm']}:{secret}"), md5("REGISTER:sip:box.test")
    response = md5(f"{one}:{fields['nonce']}:00000001:{own}:auth:{two}")
    return (
        f'Digest algorithm=MD5, username="{user}", realm="{fields["realm"]}", nonce="{fields["nonce"]}", '
        f'uri="sip:box.test", response="{response}", opaque="{fields.get("opaque", "")}", qop=auth, '
        f'cnonce="{own}", nc=00000001'
    )


async def response(socket: aiohttp.ClientWebSocketResponse[Literal[True]]) -> str:
    """The next response; Asterisk's own requests (OPTIONS, to see whether the contact lives) are passed over."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            message = await socket.receive_str()
            if message.startswith("SIP/2.0 "):
                return message


async def try_to_register(socket: aiohttp.ClientWebSocketResponse[Literal[True]], user: str, secret: str) -> str:
    """The status line of Asterisk's last word."""
    await socket.send_str(register(user, 1))
    answer = await response(socket)
    if not answer.startswith("SIP/2.0 401"):
        return answer.partition("\r\n")[0]
    challenge = re.search(r"WWW-Authenticate: Digest (.*)", answer)
    assert challenge is not None, answer
    await socket.send_str(register(user, 2, digest(challenge[1], user, secret)))
    return (await response(socket)).partition("\r\n")[0]


def phone(api: Api, box: Box) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse[Literal[True]]]:
    return api.http.ws_connect(f"{box.panel_url}/ws", protocols=("sip",), headers={"Origin": box.panel_url})


async def test_a_page_registers_its_own_extension_only(admin: Api, box: Box) -> None:
    account = await admin.get("/session/sip")
    async with phone(admin, box) as socket:
        assert await try_to_register(socket, account["username"], account["secret"]) == "SIP/2.0 200 OK"
    async with phone(admin, box) as socket:
        assert await try_to_register(socket, account["username"], "guessed") == "SIP/2.0 401 Unauthorized"
    async with phone(admin, box) as socket:
        await socket.send_str(register("1999", 1))
        assert (await response(socket)).startswith("SIP/2.0 403 ")
        assert (await socket.receive(timeout=LIMIT_S)).type is aiohttp.WSMsgType.CLOSE


async def test_the_phone_registers_while_the_agent_is_dead(admin: Api, box: Box) -> None:
    account = await admin.get("/session/sip")
    box.stop_unit("sa800-agent")
    try:
        assert await refused(admin, "GET", "/session") == (503, "agent.unavailable")
        async with phone(admin, box) as socket:
            assert await try_to_register(socket, account["username"], account["secret"]) == "SIP/2.0 200 OK"
    finally:
        box.start_unit("sa800-agent")
    await until_async(lambda: admin.http.get(f"{box.panel_url}/api/v1/session"), lambda got: got.status == 200, 60)
    assert await admin.get("/session/sip") == account, "the page's secret stays valid"


async def test_a_stopped_agent_is_told_and_the_phone_registers(admin: Api, box: Box) -> None:
    account = await admin.get("/session/sip")
    box.kill("sa800-agent", signal.SIGSTOP)
    try:
        async with asyncio.timeout(15):  # 10 promised
            assert await refused(admin, "GET", "/session") == (503, "agent.unavailable")
        async with phone(admin, box) as socket:
            assert await try_to_register(socket, account["username"], account["secret"]) == "SIP/2.0 200 OK"
    finally:
        box.kill("sa800-agent", signal.SIGCONT)
    await until_async(lambda: admin.http.get(f"{box.panel_url}/api/v1/session"), lambda got: got.status == 200, 60)


async def test_the_secret_dies_with_the_session(box: Box, admin: Api) -> None:
    account = await admin.get("/session/sip")
    async with phone(admin, box) as socket:
        await admin.delete("/session")
        assert (await socket.receive(timeout=LIMIT_S)).type is aiohttp.WSMsgType.CLOSE
    async with person(box.panel_url, ADMIN) as again:
        if (await again.get("/session"))["extension"] != account["username"]:
            await again.call("PATCH", "/session", {"extension": account["username"]})
        fresh = await again.get("/session/sip")
        assert fresh["secret"] != account["secret"]
        async with phone(again, box) as socket:
            assert await try_to_register(socket, account["username"], account["secret"]) == "SIP/2.0 401 Unauthorized"
