"""What a seat's page is told when it is rung. Pure."""

from typing import Any

from appliance_agent.calls.live_model import Call
from appliance_agent.config.model import Desired


def pop_body(call: Call, extension: str, desired: Desired, now_us: int) -> dict[str, Any]:
    """As in docs/api.md, `pop`; wait_ms is the time in the queue so far."""
    queue = call.queue if call.waiting_since_us is not None else ""
    return {
        "call_id": call.call_id,
        "extension": extension,
        "caller_number": call.caller_number,
        "caller_name": call.caller_name,
        "did": call.did,
        "did_name": next((did.name for did in desired.dids if did.number == call.did), ""),
        "queue": queue,
        "queue_name": next((item.name for item in desired.queues if item.id == queue), ""),
        "menu_path": list(call.menu_path),
        "menu_names": desired.menu_names(call.menu_path),
        "wait_ms": (now_us - call.waiting_since_us) // 1000 if call.waiting_since_us is not None else 0,
    }
