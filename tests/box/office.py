"""A staffed box: an administrator, and agents who sit at SIP phones and take a queue's calls."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.box.api import PASSWORD, Api, ApiError, answers, person, until_async, visitor
from tests.callers.client import Phones, phones
from tests.lab.exchange import Call
from tests.lab.lab import Box, Lab

ADMIN = "boss"
FIRST_TONE_HZ = 700.0
TONE_STEP_HZ = 37.0


def host_address(box: Box) -> str:
    """The test host's own address on the lab's bridge: the first of its network."""
    return box.address.rsplit(".", 1)[0] + ".1"


@dataclass
class Office:
    lab: Lab
    admin: Api
    phones: Phones
    seats: dict[str, Api] = field(default_factory=dict)
    """Extension → its agent's session."""
    tones: dict[str, float] = field(default_factory=dict)
    other_calls: list[Call] = field(default_factory=list)
    """Those that keep seats busy while a test looks at another one."""

    @property
    def box(self) -> Box:
        return self.lab.box()


async def make_admin(box: Box) -> None:
    """First start, once a lab: whoever comes later logs in."""
    token = box.setup_token
    if token is None:
        return
    async with visitor(box.panel_url) as api:
        await api.post(
            "/setup", {"token": token, "login": ADMIN, "password": PASSWORD, "name": "主管", "language": "zh"}
        )


def phone_secrets(box: Box) -> dict[str, str]:
    """Extension → SIP secret, from the running version's file: as the technician types it into the phone."""
    found: dict[str, str] = {}
    version = json.loads(box.command("/usr/bin/python3", "-c", READ_SECRETS))
    found.update(version)
    return found


READ_SECRETS = """
import json, sqlite3
row = sqlite3.connect('file:/var/lib/sa800/box.db?mode=ro', uri=True).execute(
    "select document from config_version where state = 'running'").fetchone()
print(json.dumps({e['number']: e['secret'] for e in json.loads(row[0])['extensions'] if e.get('secret')}))
"""


async def hire(admin: Api, extension: str, role: str = "agent") -> str:
    """A user for an extension; returns the login. Does nothing when there is one."""
    login = f"agent{extension}"
    users = await admin.get("/users")
    if all(user["login"] != login for user in users):
        await admin.post(
            "/users",
            {"login": login, "name": f"坐席 {extension}", "role": role, "extension": extension, "password": PASSWORD},
        )
    return login


@asynccontextmanager
async def office(
    lab: Lab, extensions: tuple[str, ...] = ("1011",), *, record_dir: Path | None = None, answer: str = "auto",
    answer_after_s: float = 0.5, state: str = "idle",
) -> AsyncIterator[Office]:  # fmt: skip
    """Phones registered, agents logged in and in `state`. At the end the seats are logged out again."""
    box = lab.box()
    await answers(box.panel_url)  # a test before this one may have left the agent starting
    await make_admin(box)
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(person(box.panel_url, ADMIN))
        farm = await stack.enter_async_context(phones(host_address(box)))
        it = Office(lab, admin, farm)
        secrets = phone_secrets(box)
        for index, extension in enumerate(extensions):
            it.tones[extension] = FIRST_TONE_HZ + index * TONE_STEP_HZ
            await farm.add(
                extension, domain=box.address, secret=secrets[extension], tone_hz=it.tones[extension], answer=answer,
                answer_after_s=answer_after_s, record_dir=str(record_dir or ""),
            )  # fmt: skip
            login = await hire(admin, extension)
            seat = await stack.enter_async_context(person(box.panel_url, login))
            it.seats[extension] = seat
            await seat.put("/seats/me", {"state": state})
        try:
            yield it
        finally:
            for seat in it.seats.values():
                await until_async(partial(_leave, seat), bool, 20, "seat log-out")


async def _leave(seat: Api) -> bool:
    """False while the agent is away: a fault test's end need not wait for it."""
    try:
        await seat.delete("/seats/me")
    except ApiError as error:
        return error.status != 503
    return True
