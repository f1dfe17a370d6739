"""Users: who may log in, as what, with which extension of their own."""

import asyncio
import hmac
from pathlib import Path
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.model import ExtensionKind
from appliance_agent.features.people import sessions
from appliance_agent.features.people.audit import Actor, AuditTrail
from appliance_agent.features.people.model import Credentials, NewUser, Setup, User, UserChange
from appliance_agent.features.people.sessions import Sessions
from appliance_agent.http.limiter import AttemptLimiter
from appliance_agent.http.passwords import Passwords
from appliance_agent.http.route import Identity
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault
from appliance_agent.kernel.ids import new_id
from appliance_agent.store import tables
from appliance_agent.store.database import Database

_users = tables.user

WINDOW_S = 300.0
ATTEMPTS = 10
"""Failures per address and login."""
ATTEMPTS_OF_ADDRESS = 100
"""Failures per address, whatever the login: many logins from one place are guessing, too."""


class Users:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        config: ConfigHolder,
        *,
        all_sessions: Sessions,
        audit: AuditTrail,
        setup_link: Path,
    ) -> None:
        self._database, self._clock, self._config = database, clock, config
        self._sessions, self._audit, self._setup_link = all_sessions, audit, setup_link
        self._passwords = Passwords()
        self._by_login = AttemptLimiter(attempts=ATTEMPTS, window_s=WINDOW_S)
        self._by_address = AttemptLimiter(attempts=ATTEMPTS_OF_ADDRESS, window_s=WINDOW_S)

    # ── proving who one is ────────────────────────────────────────────────────────────────────────
    async def authenticate(self, credentials: Credentials, address: str) -> str:
        """The user's id. Raises Fault UNAUTHENTICATED (which never tells whether the user exists) or TOO_MANY."""
        login = credentials.login.lower()
        key = f"{address} {login}"
        self._count(key, address)
        async with self._database.read() as connection:
            either = or_(_users.c.login == login, _users.c.extension == credentials.login)
            rows = (await connection.execute(select(_users).where(either, _users.c.active))).all()
        user = next((row for row in rows if row.login == login), rows[0] if rows else None)
        good = await self._passwords.verify(user.password_hash if user else None, credentials.password)
        if user is None or not good:
            await self._audit.write(Actor(None, login, address), "session.refused", {})
            raise Fault(
                FaultKind.UNAUTHENTICATED, "session.refused", "The login or the password is wrong.",
                hint="The login is your name here or your extension's number.",
            )  # fmt: skip
        self._by_login.forget(key)
        self._by_address.take_back(address)
        return str(user.id)

    def _count(self, key: str, address: str) -> None:
        now = self._clock.monotonic()
        wait_s = self._by_login.begin(key, now) or self._by_address.begin(address, now)
        if wait_s:
            raise Fault(
                FaultKind.TOO_MANY, "session.too_many", f"Too many wrong attempts; try again in {wait_s} s.",
                retry_after_s=wait_s,
            )  # fmt: skip

    # ── the first start ───────────────────────────────────────────────────────────────────────────
    async def setup_needed(self) -> bool:
        async with self._database.read() as connection:
            return not await connection.scalar(select(func.count()).select_from(_users))

    async def set_up(self, setup: Setup, address: str) -> str:
        """Makes the first administrator by the one-time token; gives them the first free browser extension."""
        if not await self.setup_needed():
            raise _already_set_up()
        self._count(f"{address} setup", address)
        expected = await asyncio.to_thread(_read_token, self._setup_link)
        if expected is None or not hmac.compare_digest(expected.encode(), setup.token.encode()):
            raise Fault(
                FaultKind.DENIED, "setup.token", "This set-up link is not the one of this box.",
                hint="Use the link that the box printed at its first start.",
            )  # fmt: skip
        hashed = await self._passwords.hash(setup.password)
        new = NewUser(
            login=setup.login,
            name=setup.name,
            role="admin",
            language=setup.language,
            password=setup.password,
            extension=self._first_browser_extension(),
        )
        async with self._database.write() as connection:
            if await connection.scalar(select(func.count()).select_from(_users)):
                raise _already_set_up()
            user_id = await _insert(connection, new, hashed)
            await self._audit.add(connection, Actor(user_id, new.login.lower(), address), "setup", {})
        await asyncio.to_thread(self._setup_link.unlink, missing_ok=True)
        return user_id

    def _first_browser_extension(self) -> str | None:
        for extension in self._config.desired.extensions:
            if extension.kind is ExtensionKind.BROWSER:
                return extension.number
        return None

    # ── administration ────────────────────────────────────────────────────────────────────────────
    async def list(self) -> "list[User]":
        async with self._database.read() as connection:
            rows = (await connection.execute(select(_users).order_by(_users.c.login))).all()
        return [_user(row) for row in rows]

    async def create(self, who: Identity, new: NewUser) -> User:
        hashed = await self._passwords.hash(new.password)
        async with self._database.write() as connection:
            await _check_unique(connection, "", new.login.lower(), new.extension)
            user_id = await _insert(connection, new, hashed)
            released = await sessions.release(connection, new.extension, user_id)
            detail = {"user": new.login.lower(), "role": new.role}
            await self._audit.add(connection, Actor.of(who), "user.create", detail)
            row = await _row(connection, user_id)
        self._sessions.released(released)
        return _user(row)

    async def change(self, who: Identity, user_id: str, change: UserChange) -> User:
        """Ends the user's sessions when their password, role, extension or right to log in changes."""
        hashed = await self._passwords.hash(change.password) if change.password is not None else None
        async with self._database.write() as connection:
            before = await _row(connection, user_id)
            await _check_unique(connection, user_id, change.login.lower(), change.extension)
            if change.role != "admin" or not change.active:
                await _keep_an_administrator(connection, before)
            values: dict[str, Any] = change.model_dump(exclude={"password"}) | {"login": change.login.lower()}
            if hashed is not None:
                values["password_hash"] = hashed
            await connection.execute(update(_users).where(_users.c.id == user_id).values(values))
            changed = [name for name in values if values[name] != getattr(before, name)]
            ended = []
            if {"password_hash", "role", "extension", "active"} & set(changed):
                ended = list(await sessions.delete_of_user(connection, user_id))
            released = await sessions.release(connection, change.extension, user_id)
            left = await sessions.users_with_sessions(connection)
            detail = {"user": before.login, "changed": [name.removesuffix("_hash") for name in changed]}
            await self._audit.add(connection, Actor.of(who), "user.change", detail)
            row = await _row(connection, user_id)
        self._sessions.ended(ended, "changed", left)
        self._sessions.released(released)
        return _user(row)

    async def remove(self, who: Identity, user_id: str) -> None:
        async with self._database.write() as connection:
            before = await _row(connection, user_id)
            await _keep_an_administrator(connection, before)
            ended = await sessions.delete_of_user(connection, user_id)
            await connection.execute(delete(_users).where(_users.c.id == user_id))
            left = await sessions.users_with_sessions(connection)
            detail = {"user": before.login}
            await self._audit.add(connection, Actor.of(who), "user.remove", detail)
        self._sessions.ended(ended, "removed", left)


async def _insert(connection: AsyncConnection, new: NewUser, hashed: str) -> str:
    user_id = new_id()
    values = new.model_dump(exclude={"password"}) | {"id": user_id, "login": new.login.lower(), "password_hash": hashed}
    await connection.execute(_users.insert().values(values))
    return user_id


async def _row(connection: AsyncConnection, user_id: str) -> Row[Any]:
    row = (await connection.execute(select(_users).where(_users.c.id == user_id))).first()
    if row is None:
        raise Fault(FaultKind.NOT_FOUND, "user.unknown", "There is no such user.")
    return row


async def _check_unique(connection: AsyncConnection, user_id: str, login: str, extension: str | None) -> None:
    others = select(_users).where(_users.c.id != user_id)
    if (await connection.execute(others.where(_users.c.login == login))).first() is not None:
        raise _taken("login", f"The login {login} is taken.")
    if extension is None:
        return
    row = (await connection.execute(others.where(_users.c.extension == extension))).first()
    if row is not None:
        raise _taken("extension", f"Extension {extension} belongs to {row.name}.")


async def _keep_an_administrator(connection: AsyncConnection, row: Row[Any]) -> None:
    """Raises Fault CONFLICT when `row` is the last one who could ever log in as administrator."""
    if row.role != "admin" or not row.active:
        return
    others = select(func.count()).select_from(_users)
    count = await connection.scalar(others.where(_users.c.role == "admin", _users.c.active, _users.c.id != row.id))
    if not count:
        raise Fault(
            FaultKind.CONFLICT, "user.last_admin", "This is the last administrator.",
            hint="Make another administrator first.",
        )  # fmt: skip


def _taken(path: str, message: str) -> Fault:
    return Fault(FaultKind.CONFLICT, f"user.{path}_taken", message, fields=[FieldFault(path, message)])


def _already_set_up() -> Fault:
    return Fault(
        FaultKind.CONFLICT, "setup.done", "This box has been set up already.", hint="Log in, or ask an administrator."
    )


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        login=row.login,
        name=row.name,
        role=row.role,
        extension=row.extension,
        language=row.language,
        active=row.active,
    )


def _read_token(path: Path) -> str | None:
    try:
        return path.read_text("ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
