"""SIP secrets of browser sessions, as `auth` objects of PJSIP (ARI push configuration; sorcery keeps them in astdb).

Asterisk looks the object up for each request: a new secret counts at once, and the old one no longer does.
"""

from collections.abc import Iterable

import structlog
from sqlalchemy import select

from appliance_agent.asterisk.ari import Ari
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import AsteriskUp
from appliance_agent.render.pjsip import session_auth
from appliance_agent.store.database import Database
from appliance_agent.store.tables import session as sessions

log = structlog.get_logger()


class WebPhones:
    """Also puts back what Asterisk does not have (any more): astdb writes a second late, and a kill may come first."""

    name = "web phones"

    def __init__(self, ari: Ari, database: Database, bus: Bus) -> None:
        self._ari, self._database, self._bus = ari, database, bus

    async def set_secret(self, extension: str, secret: str) -> None:
        """From now on only `secret` registers `extension` and places its calls. Fault as Ari.request."""
        fields = {"auth_type": "userpass", "username": extension, "password": secret}
        body = {"fields": [{"attribute": key, "value": value} for key, value in fields.items()]}
        await self._ari.request("PUT", _path(extension), body=body)

    async def forget(self, extension: str) -> None:
        """Nobody can register it any more. Fault as Ari.request; that there is none is none."""
        try:
            await self._ari.request("DELETE", _path(extension))
        except Fault as fault:
            if fault.kind is not FaultKind.NOT_FOUND:
                raise

    async def run(self) -> None:
        with self._bus.subscribe(AsteriskUp) as ups:
            async for _ in ups:
                try:
                    await self.replay()
                except Fault as fault:
                    log.warning("SIP secrets not put back; waiting for Asterisk", reason=fault.message)

    async def replay(self) -> None:
        """Every session's secret that Asterisk does not have as it should be."""
        columns = sessions.c.sip_username, sessions.c.sip_secret
        query = select(*columns).where(sessions.c.sip_username != "", sessions.c.sip_secret.is_not(None))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        for extension, secret in rows:
            if await self._has(extension) != secret:
                await self.set_secret(extension, secret)

    async def _has(self, extension: str) -> str | None:
        try:
            attributes: Iterable[dict[str, str]] = await self._ari.request("GET", _path(extension))
        except Fault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return None
            raise
        return next((item["value"] for item in attributes if item.get("attribute") == "password"), None)


def _path(extension: str) -> str:
    return f"/asterisk/config/dynamic/res_pjsip/auth/{session_auth(extension)}"
