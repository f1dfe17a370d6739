"""Routes of the alarms (`system.alarms` keeps them; it lies below the HTTP kit)."""

from typing import Any

from pydantic import BaseModel

from appliance_agent.http.route import Call, Role, Route
from appliance_agent.system.alarms import Alarms, Level


class AlarmOut(BaseModel):
    id: str
    key: str
    level: Level
    subject: str
    detail: dict[str, Any]
    since: str
    cleared_at: str | None
    acked_by: str | None


def routes(alarms: Alarms) -> list[Route]:
    async def listed(call: Call) -> list[AlarmOut]:
        return [AlarmOut(**item) for item in await alarms.list()]

    async def ack(call: Call) -> AlarmOut:
        return AlarmOut(**await alarms.ack(call.path["id"], call.who.login))

    return [
        Route("GET", "/alarms", Role.ANY, listed, "What is wrong now, then what was", reply=list[AlarmOut]),
        Route("POST", "/alarms/{id}/ack", Role.ANY, ack, "Seen", reply=AlarmOut, errors=(404,)),
    ]
