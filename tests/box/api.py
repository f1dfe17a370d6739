"""A person's session at a box, as the tests need it: cookies, JSON, errors told."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

PASSWORD = "correct horse battery"
Json = Any


class ApiError(AssertionError):
    def __init__(self, status: int, body: Json, what: str) -> None:
        super().__init__(f"{what}: {status} {body}")
        self.status, self.body = status, body

    @property
    def key(self) -> str:
        return str(self.body["error"]["key"]) if isinstance(self.body, dict) else ""


class Api:
    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http, self.url = http, url

    async def call(self, method: str, path: str, body: Json = None, *, headers: dict[str, str] | None = None) -> Json:
        """The JSON answer; raises ApiError for any status ≥ 400."""
        async with self.http.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers) as answer:
            got = await answer.json() if answer.content_type == "application/json" else await answer.read()
            if answer.status >= 400:
                raise ApiError(answer.status, got, f"{method} {path}")
            return got

    async def get(self, path: str) -> Json:
        return await self.call("GET", path)

    async def post(self, path: str, body: Json = None) -> Json:
        return await self.call("POST", path, body)

    async def put(self, path: str, body: Json, *, headers: dict[str, str] | None = None) -> Json:
        return await self.call("PUT", path, body, headers=headers)

    async def delete(self, path: str) -> Json:
        return await self.call("DELETE", path)

    async def change(self, path: str, item: Json) -> None:
        """One edit of the draft, at its present revision."""
        revision = (await self.get("/config"))["revision"]
        await self.put(f"/config/{path}", item, headers={"If-Match": str(revision)})

    async def apply(self, when: str = "now", limit_s: float = 60) -> Json:
        """Applies the draft; returns the ended job, done or failed."""
        revision = (await self.get("/config"))["revision"]
        job = await self.post("/config/apply", {"revision": revision, "when": when})
        return await until_async(
            lambda: self.get(f"/config/jobs/{job['id']}"), lambda got: got["state"] in ("done", "failed"), limit_s
        )

    async def record_of(self, caller: str, *, recorded: bool = True, limit_s: float = 30) -> Json:
        """The newest record of a caller, with legs and timeline, once it is written down and its recording finished."""

        async def find() -> Json:
            items = (await self.get(f"/records?number={caller}&sort=-started_at"))["items"]
            return items[0] if items else None

        found = await until_async(
            find, lambda item: item is not None and (bool(item["recording"]) or not recorded), limit_s, "no record"
        )
        return await self.get(f"/records/{found['call_id']}")


async def until_async(
    ask: Callable[[], Awaitable[Json]], wanted: Callable[[Json], bool], limit_s: float = 30.0, what: str = ""
) -> Json:
    """Asks every 100 ms until the answer is wanted; the last answer stands in the failure."""
    end = time.monotonic() + limit_s
    while True:
        got = await ask()
        if wanted(got):
            return got
        if time.monotonic() > end:
            raise AssertionError(f"{what or 'not'} within {limit_s:g} s; last: {got}")
        await asyncio.sleep(0.1)


def today() -> str:
    """Query of a report that holds every call of this test run."""
    now = datetime.now(UTC)
    start, end = now - timedelta(days=1), now + timedelta(days=1)
    return f"from={start:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}"


@asynccontextmanager
async def visitor(url: str, trust: ssl.SSLContext | None = None) -> AsyncIterator[Api]:
    """Somebody without a session yet. `trust`: of an https address, Box.trust()."""
    connector = aiohttp.TCPConnector(ssl=trust or True)
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(
        timeout=timeout, connector=connector, cookie_jar=aiohttp.CookieJar(unsafe=True)
    ) as http:
        yield Api(http, url)


async def answers(url: str, limit_s: float = 60) -> None:
    """Until the agent behind the panel answers (again) and has Asterisk."""

    async def ask() -> Json:
        async with visitor(url) as api:
            try:
                return (await api.get("/status"))["asterisk"]
            except (ApiError, aiohttp.ClientError) as error:
                return str(error)

    await until_async(ask, lambda got: got == "up", limit_s, "the agent does not answer")


@asynccontextmanager
async def person(
    url: str, login: str, password: str = PASSWORD, trust: ssl.SSLContext | None = None
) -> AsyncIterator[Api]:
    async with visitor(url, trust) as api:
        await api.post("/session", {"login": login, "password": password})
        yield api
