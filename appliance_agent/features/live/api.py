"""Route of the live board."""

from appliance_agent.features.live.model import LiveOut
from appliance_agent.features.live.service import LiveBoard
from appliance_agent.http.route import Call, Role, Route
from appliance_agent.kernel.clock import Clock, rfc3339


def routes(board: LiveBoard, clock: Clock) -> list[Route]:
    async def live(call: Call) -> LiveOut:
        return LiveOut(**board.snapshot(), at=rfc3339(clock.now_us()))

    return [Route("GET", "/live", Role.ANY, live, "The live board now; changes come by the WebSocket", reply=LiveOut)]
