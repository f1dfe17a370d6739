"""Routes of the seats."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from appliance_agent.config.text import Name
from appliance_agent.features.seats.model import SeatState
from appliance_agent.features.seats.service import Seats
from appliance_agent.http.route import Call, Role, Route

Reason = Name | Annotated[str, StringConstraints(max_length=0)]


class SeatOut(BaseModel):
    """`call_id` is "" when the phone is free; `since` is null for a seat that was not seen since the agent started."""

    user_id: str
    name: str
    extension: str
    state: SeatState
    reason: str
    since: str | None
    queues: list[str]
    call_id: str
    until: str | None
    """When wrap-up ends by itself."""


class OwnState(BaseModel):
    model_config = ConfigDict(extra="forbid")
    state: Literal["idle", "busy"]
    reason: Reason = ""


class ForcedState(BaseModel):
    model_config = ConfigDict(extra="forbid")
    state: Literal["idle", "busy", "offline"]
    reason: Reason = ""


def routes(seats: Seats) -> list[Route]:
    async def listed(call: Call) -> list[SeatOut]:
        return [SeatOut(**seat) for seat in await seats.all()]

    async def put_own(call: Call) -> SeatOut:
        body: OwnState = call.body
        busy = body.reason if body.state == "busy" else None
        who = call.who
        return SeatOut(**await seats.want(who.user_id, who.name, who.extension, busy=busy, by=who.login))

    async def leave(call: Call) -> None:
        await seats.log_out(call.who.user_id, by=call.who.login)

    async def force(call: Call) -> SeatOut:
        body: ForcedState = call.body
        done = await seats.force(call.path["user_id"], SeatState(body.state), body.reason, by=call.who.login)
        return SeatOut(**done)

    return [
        Route("GET", "/seats", Role.ANY, listed, "Seats and what they do", reply=list[SeatOut]),
        Route(
            "PUT", "/seats/me", Role.AGENT, put_own,
            "Log in; be idle (also ends wrap-up) or busy (after the call, when there is one)",
            body=OwnState, reply=SeatOut, errors=(409,),
        ),
        Route("DELETE", "/seats/me", Role.AGENT, leave, "Log the own seat out", status=204),
        Route(
            "PUT", "/seats/{user_id}", Role.SUPERVISOR, force, "Set the state of another's seat",
            body=ForcedState, reply=SeatOut, errors=(404, 409),
        ),
    ]  # fmt: skip
