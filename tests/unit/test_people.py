"""Users, sessions, first start, audit: over HTTP as the panel does it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from appliance_agent.features.people.sessions import ABSOLUTE_US, IDLE_US
from appliance_agent.kernel.events import SessionChanged, SessionEnded
from appliance_agent.store.sessions import COOKIE
from tests.unit import people_agent
from tests.unit.people_agent import PASSWORD, Agent, add_user, log_in, send, set_up


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Agent]:
    async with people_agent.agent(tmp_path) as agent:
        yield agent


@pytest.fixture
async def admin(box: Agent) -> AsyncIterator[aiohttp.ClientSession]:
    async with box.client() as client:
        status, _ = await set_up(client)
        assert status == 201
        yield client


@pytest.fixture
async def page(box: Agent) -> AsyncIterator[aiohttp.ClientSession]:
    async with box.client() as client:
        yield client


# ── the first start ──────────────────────────────────────────────────────────────────────────────────
async def test_the_link_makes_the_first_administrator_once(box: Agent, page: aiohttp.ClientSession) -> None:
    assert (await send(page, "GET", "/status"))[1]["setup_needed"] is True
    status, answer = await set_up(page, token="guessed")
    assert (status, answer["error"]["key"]) == (403, "setup.token")
    status, session = await set_up(page)
    assert status == 201
    assert session["user"]["role"] == "admin"
    assert (session["extension"], session["extension_kind"]) == ("1001", "browser")
    assert not box.paths.setup_link.exists()
    assert (await send(page, "GET", "/status"))[1]["setup_needed"] is False
    box.paths.setup_link.write_text(people_agent.TOKEN)
    status, answer = await set_up(page, login="second")
    assert (status, answer["error"]["key"]) == (409, "setup.done")


async def test_two_setups_at_once_make_one_administrator(box: Agent) -> None:
    async with box.client() as one, box.client() as two:
        results = await asyncio.gather(set_up(one), set_up(two, login="other"))
    assert sorted(status for status, _ in results) == [201, 409]


async def test_guessing_the_link_is_limited(page: aiohttp.ClientSession) -> None:
    statuses = [(await set_up(page, token=f"guess {number}"))[0] for number in range(11)]
    assert statuses == [403] * 10 + [429]


# ── log-in ───────────────────────────────────────────────────────────────────────────────────────────
async def test_log_in_by_login_or_extension(admin: aiohttp.ClientSession, page: aiohttp.ClientSession) -> None:
    await add_user(admin, "Bob", extension="1002", name="鲍勃")
    for login in ("bob", "BOB", "1002"):
        status, session = await log_in(page, login)
        assert (status, session["user"]["login"], session["user"]["name"]) == (201, "bob", "鲍勃")


async def test_the_cookie_is_out_of_reach(admin: aiohttp.ClientSession) -> None:
    async with admin.post("/api/v1/session", json={"login": "admin", "password": PASSWORD}) as answer:
        cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    https = {"X-Forwarded-Proto": "https"}
    async with admin.post("/api/v1/session", json={"login": "admin", "password": PASSWORD}, headers=https) as answer:
        assert "secure" in answer.headers["Set-Cookie"].lower()


async def test_only_the_hash_of_the_token_is_stored(box: Agent, admin: aiohttp.ClientSession) -> None:
    token = next(cookie.value for cookie in admin.cookie_jar if cookie.key == COOKIE)
    stored = b"".join(path.read_bytes() for path in box.paths.data.glob("box.db*"))
    assert token.encode() not in stored
    assert PASSWORD.encode() not in stored


async def test_wrong_password_and_unknown_user_look_alike(
    admin: aiohttp.ClientSession, page: aiohttp.ClientSession
) -> None:
    known = await log_in(page, "admin", "wrong password")
    unknown = await log_in(page, "nobody", "wrong password")
    assert known == unknown
    assert known[0] == 401


async def test_ten_failures_close_the_door_for_a_while(
    box: Agent, admin: aiohttp.ClientSession, page: aiohttp.ClientSession
) -> None:
    await add_user(admin, "bob")
    at_once = await asyncio.gather(*(log_in(page, "bob", "wrong password") for _ in range(15)))
    assert sorted(status for status, _ in at_once) == [401] * 10 + [429] * 5
    async with page.post("/api/v1/session", json={"login": "bob", "password": PASSWORD}) as answer:
        assert answer.status == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert (await log_in(page, "admin"))[0] == 201, "other users are not locked out"
    from_elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    body = {"login": "bob", "password": PASSWORD}
    assert (await send(page, "POST", "/session", body, headers=from_elsewhere))[0] == 201
    box.clock.moved_s += 301
    assert (await log_in(page, "bob"))[0] == 201


async def test_log_out(box: Agent, admin: aiohttp.ClientSession) -> None:
    with box.bus.subscribe(SessionEnded) as events:
        assert await send(admin, "DELETE", "/session") == (204, None)
        event = await events.get()
    assert (event.reason, event.last_of_user) == ("logged_out", True)
    assert (await send(admin, "GET", "/session"))[0] == 401


async def test_a_session_that_nobody_uses_ends(box: Agent, admin: aiohttp.ClientSession) -> None:
    with box.bus.subscribe(SessionEnded) as events:
        box.clock.moved_s += IDLE_US / 1e6 - 60
        assert (await send(admin, "GET", "/session"))[0] == 200
        box.clock.moved_s += IDLE_US / 1e6 - 60
        assert (await send(admin, "GET", "/session"))[0] == 200, "use keeps it alive"
        box.clock.moved_s += IDLE_US / 1e6 + 1
        assert (await send(admin, "GET", "/session"))[0] == 401
        await box.sessions.sweep()
        assert (await events.get()).reason == "expired"


async def test_every_session_ends_after_a_week(box: Agent, admin: aiohttp.ClientSession) -> None:
    for _ in range(int(ABSOLUTE_US / IDLE_US) + 1):
        if (await send(admin, "GET", "/session"))[0] != 200:
            break
        box.clock.moved_s += IDLE_US / 1e6 - 60
    assert (await send(admin, "GET", "/session"))[0] == 401
    assert box.clock.moved_s <= ABSOLUTE_US / 1e6 + IDLE_US / 1e6


async def test_a_forged_cookie_is_no_session(page: aiohttp.ClientSession) -> None:
    for token in ("", "x" * 43, "a" * 4000, "' OR 1=1 --"):
        assert (await send(page, "GET", "/session", headers={"Cookie": f"{COOKIE}={token}"}))[0] == 401


# ── users ────────────────────────────────────────────────────────────────────────────────────────────
async def test_users_are_made_changed_and_removed(admin: aiohttp.ClientSession) -> None:
    bob = await add_user(admin, "bob", extension="1002")
    assert "password" not in bob
    change = {"login": "bob", "name": "Robert", "role": "supervisor", "extension": "1003", "language": "en"}
    assert await send(admin, "PUT", f"/users/{bob['id']}", change) == (200, bob | change)
    assert [user["login"] for user in (await send(admin, "GET", "/users"))[1]] == ["admin", "bob"]
    assert await send(admin, "DELETE", f"/users/{bob['id']}") == (204, None)
    assert (await send(admin, "DELETE", f"/users/{bob['id']}"))[0] == 404


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"password": "123456789"}, "password"),
        ({"login": "1002"}, "login"),
        ({"login": "a b"}, "login"),
        ({"name": "\u0007"}, "name"),
        ({"role": "god"}, "role"),
        ({"extension": "0"}, "extension"),
    ],
)
async def test_what_a_user_may_not_be(admin: aiohttp.ClientSession, change: dict[str, str], path: str) -> None:
    body = {"login": "bob", "password": PASSWORD, "name": "Bob", "role": "agent"} | change
    status, answer = await send(admin, "POST", "/users", body)
    assert (status, answer["error"]["fields"][0]["path"]) == (422, path)
    assert "123456789" not in str(answer)


async def test_login_and_extension_are_unique(admin: aiohttp.ClientSession) -> None:
    bob = await add_user(admin, "bob", extension="1002")
    body = {"login": "BOB", "password": PASSWORD, "name": "Bob", "role": "agent"}
    status, answer = await send(admin, "POST", "/users", body)
    assert (status, answer["error"]["key"]) == (409, "user.login_taken")
    status, answer = await send(admin, "POST", "/users", body | {"login": "bo", "extension": "1002"})
    assert (status, answer["error"]["fields"][0]["path"]) == (409, "extension")
    same = {"login": "bob", "name": "Bob", "role": "agent", "extension": "1002"}
    assert (await send(admin, "PUT", f"/users/{bob['id']}", same))[0] == 200


async def test_the_last_administrator_stays(admin: aiohttp.ClientSession) -> None:
    me = (await send(admin, "GET", "/users"))[1][0]
    demoted = {"login": "admin", "name": "a", "role": "agent"}
    for method, body in (("DELETE", None), ("PUT", demoted), ("PUT", demoted | {"role": "admin", "active": False})):
        status, answer = await send(admin, method, f"/users/{me['id']}", body)
        assert (status, answer["error"]["key"]) == (409, "user.last_admin")
    await add_user(admin, "second", role="admin")
    assert (await send(admin, "PUT", f"/users/{me['id']}", demoted))[0] == 200


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        ({"password": "another long password"}, True),
        ({"role": "supervisor"}, True),
        ({"extension": "1004"}, True),
        ({"active": False}, True),
        ({"name": "Robert", "language": "en"}, False),
    ],
)
async def test_which_changes_end_sessions(
    admin: aiohttp.ClientSession, page: aiohttp.ClientSession, change: dict[str, object], ends: bool
) -> None:
    bob = await add_user(admin, "bob", extension="1002")
    await log_in(page, "bob")
    body = {"login": "bob", "name": "bob", "role": "agent", "extension": "1002"} | change
    assert (await send(admin, "PUT", f"/users/{bob['id']}", body))[0] == 200
    assert (await send(page, "GET", "/session"))[0] == (401 if ends else 200)


async def test_only_administrators_see_users_and_the_trail(
    admin: aiohttp.ClientSession, page: aiohttp.ClientSession
) -> None:
    await add_user(admin, "sue", role="supervisor")
    await log_in(page, "sue")
    assert (await send(page, "GET", "/users"))[0] == 403
    assert (await send(page, "GET", "/audit"))[0] == 403


async def test_the_trail_tells_who_did_what(admin: aiohttp.ClientSession, page: aiohttp.ClientSession) -> None:
    await add_user(admin, "bob")
    await log_in(page, "bob", "wrong password")
    trail = (await send(admin, "GET", "/audit"))[1]
    assert [entry["action"] for entry in trail["items"]] == ["session.refused", "user.create", "session.open", "setup"]
    assert trail["total"] == 4
    assert "wrong password" not in str(trail)
    one = (await send(admin, "GET", "/audit?action=user.create&limit=1"))[1]
    assert (one["total"], one["items"][0]["login"], one["items"][0]["detail"]["user"]) == (1, "admin", "bob")
    assert (await send(admin, "GET", "/audit?from=yesterday"))[0] == 422
    assert (await send(admin, "GET", "/audit?from=9999-01-01T00:00:00Z"))[1]["total"] == 0


# ── the extension and its phone ──────────────────────────────────────────────────────────────────────
async def test_the_secret_belongs_to_the_session(box: Agent, admin: aiohttp.ClientSession) -> None:
    status, account = await send(admin, "GET", "/session/sip")
    assert (status, account["username"], account["ws_path"]) == (200, "1001", "/ws")
    assert box.sip.secrets == {"1001": account["secret"]}
    assert (await send(admin, "GET", "/session/sip"))[1] == account
    assert box.sip.given == 1, "asking again does not rotate it"
    await send(admin, "DELETE", "/session")
    async with asyncio.timeout(10):
        await box.sip.forgotten.wait()
    assert box.sip.secrets == {}, "it dies with the session"


async def test_a_secret_is_withdrawn_once_asterisk_is_back(
    box: Agent, admin: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance_agent.features.people.sessions.SWEEP_S", 0.01)
    await send(admin, "GET", "/session/sip")
    box.sip.away = True
    await send(admin, "DELETE", "/session")
    assert box.sip.secrets != {}
    box.sip.away = False
    async with asyncio.timeout(10):
        await box.sip.forgotten.wait()


async def test_a_restarted_agent_keeps_the_secret(tmp_path: Path) -> None:
    async with people_agent.agent(tmp_path) as box, box.client() as client:
        await set_up(client)
        account = (await send(client, "GET", "/session/sip"))[1]
        cookies = {COOKIE: next(cookie.value for cookie in client.cookie_jar)}
    async with people_agent.agent(tmp_path) as box, box.client(cookies=cookies) as client:
        assert (await send(client, "GET", "/session/sip"))[1] == account
        assert box.sip.given == 0


async def test_a_dead_asterisk_gives_no_half_made_secret(box: Agent, admin: aiohttp.ClientSession) -> None:
    box.sip.away = True
    async with admin.get("/api/v1/session/sip") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    box.sip.away = False
    assert (await send(admin, "GET", "/session/sip"))[0] == 200


async def test_two_pages_do_not_fight_for_one_phone(box: Agent, admin: aiohttp.ClientSession) -> None:
    first = (await send(admin, "GET", "/session/sip"))[1]
    async with box.client() as other:
        await log_in(other, "admin")
        second = (await send(other, "GET", "/session/sip"))[1]
        assert second["secret"] != first["secret"]
        status, answer = await send(admin, "GET", "/session/sip")
        assert (status, answer["error"]["key"]) == (409, "session.phone_taken")
        assert (await send(admin, "PATCH", "/session", {"extension": "1001"}))[0] == 200
        assert (await send(admin, "GET", "/session/sip"))[0] == 200, "taken back on purpose"
        assert (await send(other, "GET", "/session/sip"))[0] == 409


async def test_hot_desk(box: Agent, admin: aiohttp.ClientSession, page: aiohttp.ClientSession) -> None:
    await add_user(admin, "bob")
    session = (await log_in(page, "bob"))[1]
    assert session["extension"] is None
    status, answer = await send(page, "GET", "/session/sip")
    assert (status, answer["error"]["key"]) == (409, "session.no_phone")
    with box.bus.subscribe(SessionChanged) as events:
        status, session = await send(page, "PATCH", "/session", {"extension": "1003"})
        assert (status, session["extension"], session["extension_kind"]) == (200, "1003", "browser")
        assert (await events.get()).extension == "1003"
    for extension, expected in (("1001", 409), ("1999", 422), ("1000", 200)):
        assert (await send(page, "PATCH", "/session", {"extension": extension}))[0] == expected
    assert (await send(page, "GET", "/session/sip"))[0] == 409, "1000 is a phone, not a browser"
    assert (await send(page, "PATCH", "/session", {"language": "en"}))[1]["user"]["language"] == "en"
    assert (await send(page, "GET", "/session"))[1]["extension"] == "1000", "the language alone changed"
    assert (await send(page, "PATCH", "/session", {"extension": None}))[1]["extension"] is None


async def test_a_new_owner_takes_the_desk_from_its_guest(
    box: Agent, admin: aiohttp.ClientSession, page: aiohttp.ClientSession
) -> None:
    await add_user(admin, "bob")
    await log_in(page, "bob")
    await send(page, "PATCH", "/session", {"extension": "1003"})
    await add_user(admin, "carol", extension="1003")
    assert (await send(page, "GET", "/session"))[1]["extension"] is None
