"""Routes of call control."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from appliance_agent.features.callcontrol.service import CallControl
from appliance_agent.http.route import Call, Role, Route

Number = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{2,32}$")]
"""What can be dialled: an extension, or a prefix and a number."""


class Dial(BaseModel):
    model_config = ConfigDict(extra="forbid")
    to: Number


class Dialled(BaseModel):
    call_id: str


class Hold(BaseModel):
    model_config = ConfigDict(extra="forbid")
    on: bool


class Transfer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    to: Number
    kind: Literal["blind", "attended"] = "blind"


def routes(control: CallControl) -> list[Route]:
    async def dial(call: Call) -> Dialled:
        body: Dial = call.body
        return Dialled(call_id=await control.dial(call.who, body.to))

    async def hang_up(call: Call) -> None:
        await control.hang_up(call.who, call.path["call_id"])

    async def hold(call: Call) -> None:
        body: Hold = call.body
        await control.hold(call.who, call.path["call_id"], on=body.on)

    async def transfer(call: Call) -> None:
        body: Transfer = call.body
        await control.transfer(call.who, call.path["call_id"], body.to, attended=body.kind == "attended")

    own = (404, 409)
    return [
        Route(
            "POST", "/calls", Role.AGENT, dial, "Ring my phone, then dial", body=Dial, reply=Dialled, status=202,
            errors=(409,),
        ),
        Route("POST", "/calls/{call_id}/hangup", Role.AGENT, hang_up, "End a call", status=204, errors=own),
        Route("POST", "/calls/{call_id}/hold", Role.AGENT, hold, "Hold or resume", body=Hold, status=204, errors=own),
        Route(
            "POST", "/calls/{call_id}/transfer", Role.AGENT, transfer, "Hand a call over", body=Transfer, status=204,
            errors=own,
        ),
    ]  # fmt: skip
