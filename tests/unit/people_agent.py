"""A real agent without Asterisk: database, people, status, events, HTTP on a Unix socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.model import Desired, Extension, ExtensionKind
from appliance_agent.features.people.api import PeopleApi
from appliance_agent.features.people.audit import AuditTrail
from appliance_agent.features.people.sessions import Sessions
from appliance_agent.features.people.users import Users
from appliance_agent.features.status.api import StatusApi
from appliance_agent.http.hub import EventsHub
from appliance_agent.http.route import Route
from appliance_agent.http.server import ApiServer, application
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.identity import BoxIdentity, Edition
from appliance_agent.store.database import Database
from appliance_agent.store.migrate import upgrade
from contracts.paths import BoxPaths

PASSWORD = "correct horse battery"
TOKEN = "one-time-token-of-this-box"


class HandClock:
    """Real time, moved by hand."""

    def __init__(self) -> None:
        self.moved_s = 0.0

    def now_us(self) -> int:
        import time

        return time.time_ns() // 1000 + round(self.moved_s * 1_000_000)

    def monotonic(self) -> float:
        import time

        return time.monotonic() + self.moved_s


@dataclass
class Phones:
    """Stands where Asterisk takes secrets; `away` makes it answer as Asterisk does when it restarts."""

    secrets: dict[str, str] = field(default_factory=dict)
    given: int = 0
    away: bool = False
    forgotten: asyncio.Event = field(default_factory=asyncio.Event)

    def _answer(self) -> None:
        if self.away:
            raise Fault(FaultKind.UNAVAILABLE, "asterisk.unavailable", "away", retry_after_s=1)

    async def set_secret(self, extension: str, secret: str) -> None:
        self._answer()
        self.given += 1
        self.secrets[extension] = secret

    async def forget(self, extension: str) -> None:
        self._answer()
        self.secrets.pop(extension, None)
        self.forgotten.set()


@dataclass
class Agent:
    paths: BoxPaths
    bus: Bus
    clock: HandClock
    sip: Phones
    hub: EventsHub
    sessions: Sessions
    database: Database
    live: dict[str, Any]

    def client(self, **options: Any) -> aiohttp.ClientSession:
        """A page of its own: cookies are kept, requests go to the agent's socket."""
        return aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(self.paths.agent_socket)),
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            base_url="http://box.test",
            **options,
        )


def configuration() -> ConfigHolder:
    holder = ConfigHolder()
    extensions = [Extension(number="1000", name="phone", kind=ExtensionKind.PHONE, secret="abcdefghijkl1")]
    extensions += [Extension(number=str(number), name=f"seat {number}") for number in range(1001, 1006)]
    holder.set(1, Desired(extensions=tuple(extensions)))
    return holder


@asynccontextmanager
async def agent(root: Path, more: list[Route] | None = None, *, queue_limit: int = 100) -> AsyncIterator[Agent]:
    paths = BoxPaths(root)
    paths.data.mkdir(parents=True, exist_ok=True)
    paths.agent_socket.parent.mkdir(parents=True, exist_ok=True)
    if not paths.database.exists():
        paths.setup_link.write_text(TOKEN)
    await asyncio.to_thread(upgrade, paths.database)
    database, bus, clock, config, sip = Database(paths.database), Bus(), HandClock(), configuration(), Phones()
    audit = AuditTrail(database, clock)
    sessions = Sessions(database, bus, clock, config, phones=sip, realm="asterisk")
    users = Users(database, clock, config, all_sessions=sessions, audit=audit, setup_link=paths.setup_link)
    live: dict[str, Any] = {"queues": [], "seats": [], "calls": [], "alarms": [], "lines": []}
    hub = EventsHub(bus, clock, sessions, lambda: live, queue_limit=queue_limit)
    identity = BoxIdentity("sa800-test", Edition.SA800)
    status = StatusApi(identity, "0", config, setup_needed=users.setup_needed, asterisk_up=lambda: False)
    routes = [*status.routes(), *PeopleApi(users, sessions, audit).routes(), *(more or [])]
    server = ApiServer(application(routes, sessions, hub, "0"), hub, paths.agent_socket)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(part.run()) for part in (server, hub, sessions)]
        try:
            async with asyncio.timeout(10):
                await server.listening.wait()
            yield Agent(paths, bus, clock, sip, hub, sessions, database, live)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await database.close()


async def set_up(client: aiohttp.ClientSession, **changes: str) -> tuple[int, Any]:
    """Makes the first administrator; the client is logged in then."""
    body = {"token": TOKEN, "login": "admin", "password": PASSWORD, "name": "管理员", "language": "zh"} | changes
    return await send(client, "POST", "/setup", body)


async def add_user(client: aiohttp.ClientSession, login: str, **changes: Any) -> Any:
    body = {"login": login, "password": PASSWORD, "name": login, "role": "agent"} | changes
    status, user = await send(client, "POST", "/users", body)
    assert status == 201, user
    return user


async def log_in(client: aiohttp.ClientSession, login: str, password: str = PASSWORD) -> tuple[int, Any]:
    return await send(client, "POST", "/session", {"login": login, "password": password})


async def send(
    client: aiohttp.ClientSession, method: str, path: str, body: Any = None, **options: Any
) -> tuple[int, Any]:
    if body is not None:
        options["json"] = body
    async with client.request(method, f"/api/v1{path}", **options) as answer:
        return answer.status, await answer.json() if answer.status != 204 else None
