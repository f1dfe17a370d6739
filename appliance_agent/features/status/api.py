"""GET /status: public, so that the log-in page knows what it belongs to."""

from collections.abc import Awaitable, Callable
from typing import Literal

from pydantic import BaseModel

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.http.route import Call, Role, Route
from appliance_agent.kernel.identity import BoxIdentity, Edition

PRODUCTS = {Edition.SA800: "SA800", Edition.SE800: "SE800"}


class Status(BaseModel):
    product: str
    edition: Edition
    version: str
    box_id: str
    setup_needed: bool
    """No user exists yet: the one-time link makes the first administrator."""
    asterisk: Literal["up", "down"]
    language: Literal["zh", "en"]


class StatusApi:
    def __init__(
        self,
        identity: BoxIdentity,
        version: str,
        config: ConfigHolder,
        *,
        setup_needed: Callable[[], Awaitable[bool]],
        asterisk_up: Callable[[], bool],
    ) -> None:
        self._identity, self._version, self._config = identity, version, config
        self._setup_needed, self._asterisk_up = setup_needed, asterisk_up

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/status", Role.PUBLIC, self._status, "What this box is", reply=Status),
        ]

    async def _status(self, _call: Call) -> Status:
        return Status(
            product=PRODUCTS[self._identity.edition],
            edition=self._identity.edition,
            version=self._version,
            box_id=self._identity.box_id,
            setup_needed=await self._setup_needed(),
            asterisk="up" if self._asterisk_up() else "down",
            language=self._config.desired.site.language,
        )
