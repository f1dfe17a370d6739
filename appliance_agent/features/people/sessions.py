"""Sessions: log-in, the cookie's life, which extension a session speaks for, and its phone's secret."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any, Protocol

import structlog
from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.model import ExtensionKind
from appliance_agent.features.people.model import Session, SessionChange, SessionUser, SipAccount
from appliance_agent.http.route import Identity
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock, rfc3339
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault
from appliance_agent.kernel.events import SessionChanged, SessionEnded
from appliance_agent.store import tables
from appliance_agent.store.database import Database
from appliance_agent.store.sessions import session_id

log = structlog.get_logger()

IDLE_US = 12 * 3600 * 1_000_000
"""A session that nobody used for so long ends."""
ABSOLUTE_US = 7 * 86400 * 1_000_000
"""Every session ends after this, used or not."""
TOUCH_US = 60 * 1_000_000
"""Use is written down at most this often: a request must not cost a write."""
PER_USER = 20
"""Sessions of one user; a further log-in ends the oldest."""
SWEEP_S = 20.0


class SipPhones(Protocol):
    """Where Asterisk keeps the secrets of browser phones. Both verbs raise Fault UNAVAILABLE while it is away."""

    async def set_secret(self, extension: str, secret: str) -> None:
        """From now on only `secret` registers `extension`."""
        ...

    async def forget(self, extension: str) -> None:
        """Nobody can register it any more."""
        ...


_sessions, _users = tables.session, tables.user


class Sessions:
    """Also the HTTP kit's Authenticator, and a service that ends what has expired."""

    name = "sessions"

    def __init__(
        self,
        database: Database,
        bus: Bus,
        clock: Clock,
        config: ConfigHolder,
        *,
        phones: SipPhones,
        realm: str,
    ) -> None:
        self._database, self._bus, self._clock, self._config = database, bus, clock, config
        self._phones, self._realm = phones, realm
        self._sip = asyncio.Lock()
        """Guards: who holds an extension's phone, here and in Asterisk."""
        self._orphaned: set[str] = set()
        """Extensions whose holder's session ended: Asterisk must forget their secret."""
        self._wake = asyncio.Event()

    # ── the HTTP kit ──────────────────────────────────────────────────────────────────────────────
    async def identify(self, token: str) -> Identity | None:
        now = self._clock.now_us()
        async with self._database.read() as connection:
            row = await _live(connection, session_id(token), now)
        if row is None:
            return None
        if now - row.seen_us > TOUCH_US:
            async with self._database.write() as connection:
                expires_us = min(now + IDLE_US, row.created_us + ABSOLUTE_US)
                values = {"seen_us": now, "expires_us": expires_us}
                await connection.execute(update(_sessions).where(_sessions.c.id == row.id).values(values))
        return Identity(row.id, row.user_id, row.login, row.name, row.role, row.extension, row.address)

    # ── log-in and log-out ────────────────────────────────────────────────────────────────────────
    async def open(self, user_id: str, address: str) -> tuple[str, Session]:
        """A new session of this user. Returns the cookie's token, which is kept nowhere, and the session."""
        token = secrets.token_urlsafe(32)
        now = self._clock.now_us()
        async with self._database.write() as connection:
            user = (await connection.execute(select(_users).where(_users.c.id == user_id))).one()
            mine = select(_sessions.c.id).where(_sessions.c.user_id == user_id).order_by(_sessions.c.seen_us.desc())
            known = (await connection.execute(mine)).scalars().all()
            surplus = await _delete(connection, _sessions.c.id.in_(known[PER_USER - 1 :]))
            values = {
                "id": session_id(token),
                "user_id": user_id,
                "role": user.role,
                "extension": user.extension,
                "created_us": now,
                "seen_us": now,
                "expires_us": now + IDLE_US,
                "address": address[:64],
            }
            await connection.execute(_sessions.insert().values(values))
        self.ended(surplus, "replaced", {user_id})
        self._bus.publish(SessionChanged(session_id(token), user_id, user.extension))
        return token, await self.show(session_id(token))

    async def show(self, key: str) -> Session:
        async with self._database.read() as connection:
            row = await _live(connection, key, self._clock.now_us())
        if row is None:
            raise _gone()
        return Session(
            user=SessionUser(id=row.user_id, login=row.login, name=row.name, role=row.role, language=row.language),
            extension=row.extension,
            extension_kind=self._kind(row.extension),
            expires_at=rfc3339(row.expires_us),
            timezone=self._config.desired.site.timezone,
        )

    async def close(self, key: str) -> None:
        async with self._database.write() as connection:
            rows = await _delete(connection, _sessions.c.id == key)
            left = await users_with_sessions(connection)
        self.ended(rows, "logged_out", left)

    def ended(self, rows: Sequence[Row[Any]], reason: str, left: set[str]) -> None:
        """Tell everyone, after the commit. `left`: users who still have a session."""
        for row in rows:
            if row.sip_username:
                self._orphaned.add(row.sip_username)
            self._bus.publish(SessionEnded(row.id, row.user_id, reason, row.user_id not in left))
        self._wake.set()

    def released(self, rows: Sequence[Row[Any]]) -> None:
        """Sessions that lost their hot-desk extension to its new owner; after the commit."""
        for row in rows:
            if row.sip_username:
                self._orphaned.add(row.sip_username)
            self._bus.publish(SessionChanged(row.id, row.user_id, None))
        self._wake.set()

    # ── the extension and its phone ───────────────────────────────────────────────────────────────
    async def change(self, who: Identity, change: SessionChange) -> Session:
        async with self._sip, self._database.write() as connection:
            row = await _live(connection, who.session_id, self._clock.now_us())
            if row is None:
                raise _gone()
            asked = "extension" in change.model_fields_set
            moved = asked and change.extension != row.extension
            if moved or (asked and row.sip_username == ""):
                await self._check_free(connection, who, change.extension)
                if row.sip_username:
                    self._orphaned.add(row.sip_username)
                values = {"extension": change.extension, "sip_username": None, "sip_secret": None}
                await connection.execute(update(_sessions).where(_sessions.c.id == who.session_id).values(values))
            if change.language is not None:
                chosen = update(_users).where(_users.c.id == who.user_id).values(language=change.language)
                await connection.execute(chosen)
        if moved:
            self._wake.set()
            self._bus.publish(SessionChanged(who.session_id, who.user_id, change.extension))
        return await self.show(who.session_id)

    async def _check_free(self, connection: AsyncConnection, who: Identity, extension: str | None) -> None:
        if extension is None:
            return
        if self._kind(extension) is None:
            message = f"There is no extension {extension} in the running configuration."
            fields = [FieldFault("extension", message)]
            raise Fault(FaultKind.INVALID, "session.extension_unknown", message, fields=fields)
        owner = select(_users.c.name).where(
            _users.c.extension == extension, _users.c.id != who.user_id, _users.c.active
        )
        at = _sessions.join(_users, _users.c.id == _sessions.c.user_id)
        holder = select(_users.c.name).select_from(at).where(
            _sessions.c.extension == extension,
            _sessions.c.user_id != who.user_id,
            _sessions.c.expires_us > self._clock.now_us(),
        )  # fmt: skip
        taken = await connection.scalar(owner) or await connection.scalar(holder)
        if taken is not None:
            raise Fault(
                FaultKind.CONFLICT, "session.extension_taken", f"Extension {extension} is used by {taken}.",
                hint="Choose another extension, or ask them to log out.",
            )  # fmt: skip

    async def sip_account(self, who: Identity) -> SipAccount:
        """The phone of this session. The last session that asks holds the extension's phone; one that it was taken
        from gets CONFLICT until it takes the extension again (PATCH /session), so that two pages do not fight."""
        async with self._sip:
            async with self._database.read() as connection:
                row = await _live(connection, who.session_id, self._clock.now_us())
            if row is None:
                raise _gone()
            if self._kind(row.extension) != "browser":
                raise Fault(
                    FaultKind.CONFLICT, "session.no_phone", "This session has no browser extension.",
                    hint="Take one (PATCH /session), or ask an administrator to give you one.",
                )  # fmt: skip
            if row.sip_username == "":
                raise Fault(
                    FaultKind.CONFLICT, "session.phone_taken", "Another page of this extension has taken the phone.",
                    hint="Take the extension again (PATCH /session) to bring it here.",
                )  # fmt: skip
            secret = row.sip_secret if row.sip_username == row.extension else None
            if secret is None:
                secret = secrets.token_hex(16)
                await self._phones.set_secret(row.extension, secret)
                await self._take_phone(row, secret)
            return SipAccount(username=row.extension, secret=secret, realm=self._realm, ws_path="/ws", ice=[])

    async def _take_phone(self, row: Row[Any], secret: str) -> None:
        async with self._database.write() as connection:
            others = update(_sessions).where(_sessions.c.sip_username == row.extension, _sessions.c.id != row.id)
            await connection.execute(others.values(sip_username="", sip_secret=None))
            mine = update(_sessions).where(_sessions.c.id == row.id)
            await connection.execute(mine.values(sip_username=row.extension, sip_secret=secret))
        self._orphaned.discard(row.extension)

    def _kind(self, extension: str | None) -> Any:
        for known in self._config.desired.extensions:
            if known.number == extension:
                return "browser" if known.kind is ExtensionKind.BROWSER else "phone"
        return None

    # ── the service ───────────────────────────────────────────────────────────────────────────────
    async def run(self) -> None:
        while True:
            await self.sweep()
            await self._forget_orphans()
            try:
                async with asyncio.timeout(SWEEP_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def sweep(self) -> None:
        """Ends what has expired."""
        self._wake.clear()
        now = self._clock.now_us()
        expired = (_sessions.c.expires_us <= now) | (_sessions.c.created_us > now + ABSOLUTE_US)
        async with self._database.read() as connection:
            if (await connection.execute(select(_sessions.c.id).where(expired).limit(1))).first() is None:
                return
        async with self._database.write() as connection:
            rows = await _delete(connection, expired)
            left = await users_with_sessions(connection)
        self.ended(rows, "expired", left)
        self._wake.clear()

    async def _forget_orphans(self) -> None:
        """A session's SIP secret dies with it. Tried again while Asterisk is away."""
        for extension in sorted(self._orphaned):
            async with self._sip:
                async with self._database.read() as connection:
                    held = select(_sessions.c.id).where(_sessions.c.sip_username == extension)
                    if (await connection.execute(held)).first() is not None:
                        self._orphaned.discard(extension)
                        continue
                try:
                    await self._phones.forget(extension)
                except Fault as fault:
                    log.warning("SIP secret not yet withdrawn", extension=extension, reason=fault.message)
                    return
                self._orphaned.discard(extension)


async def users_with_sessions(connection: AsyncConnection) -> set[str]:
    return set((await connection.execute(select(_sessions.c.user_id).distinct())).scalars())


async def delete_of_user(connection: AsyncConnection, user_id: str) -> Sequence[Row[Any]]:
    """In the caller's transaction; call `Sessions.ended` with the rows after its commit."""
    return await _delete(connection, _sessions.c.user_id == user_id)


async def release(connection: AsyncConnection, extension: str | None, owner: str) -> Sequence[Row[Any]]:
    """Takes `extension` from sessions of everyone but its owner; call `Sessions.released` after the commit."""
    which = (_sessions.c.extension == extension) & (_sessions.c.user_id != owner)
    rows = (await connection.execute(select(_sessions).where(which))).all()
    values = {"extension": None, "sip_username": None, "sip_secret": None}
    await connection.execute(update(_sessions).where(_sessions.c.id.in_([row.id for row in rows])).values(values))
    return rows


async def _delete(connection: AsyncConnection, which: ColumnElement[bool]) -> Sequence[Row[Any]]:
    rows = (await connection.execute(select(_sessions).where(which))).all()
    await connection.execute(delete(_sessions).where(_sessions.c.id.in_([row.id for row in rows])))
    return rows


async def _live(connection: AsyncConnection, key: str, now: int) -> Row[Any] | None:
    columns = (_users.c.login, _users.c.name, _users.c.role.label("user_role"), _users.c.language)
    joined = _sessions.join(_users, _users.c.id == _sessions.c.user_id)
    chosen = select(_sessions, *columns).select_from(joined)
    wanted = chosen.where(_sessions.c.id == key, _sessions.c.expires_us > now, _users.c.active)
    return (await connection.execute(wanted)).first()


def _gone() -> Fault:
    return Fault(FaultKind.UNAUTHENTICATED, "session.none", "The session has ended.")
