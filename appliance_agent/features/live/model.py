"""Objects of the live board, and a queue's figures from seats and calls. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from appliance_agent.calls.live_model import Call
from appliance_agent.config.model import Queue
from appliance_agent.kernel.clock import rfc3339

AWAY = "offline"


class WaitingCaller(BaseModel):
    call_id: str
    number: str
    since: str


class QueueOut(BaseModel):
    id: str
    name: str
    waiting: int
    longest_wait_ms: int
    seats_idle: int
    seats_busy: int
    seats_ringing: int
    answered_today: int
    lost_today: int
    callers: list[WaitingCaller]


class CallOut(BaseModel):
    call_id: str
    direction: str
    caller_number: str
    called_number: str
    did: str
    state: str
    queue: str
    extension: str
    since: str
    started_at: str
    trunk: str


class LiveOut(BaseModel):
    """Seats, alarms and lines as in GET /seats, GET /alarms and GET /lines."""

    queues: list[QueueOut]
    seats: list[dict[str, Any]]
    calls: list[CallOut]
    alarms: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    at: str


def queue_object(
    queue: Queue, seats: Iterable[dict[str, Any]], calls: Iterable[Call], today: tuple[int, int], now_us: int
) -> dict[str, Any]:
    """As in docs/api.md. `today`: (answered, lost). Busy: at a call, in wrap-up or away from the phone."""
    states = [seat["state"] for seat in seats if queue.id in seat["queues"] and seat["state"] != AWAY]
    waiting = sorted(
        (call.waiting_since_us, call.call_id, call.caller_number)
        for call in calls
        if call.queue == queue.id and call.waiting_since_us is not None
    )
    return {
        "id": queue.id,
        "name": queue.name,
        "waiting": len(waiting),
        "longest_wait_ms": max(0, now_us - waiting[0][0]) // 1000 if waiting else 0,
        "seats_idle": states.count("idle"),
        "seats_busy": len(states) - states.count("idle") - states.count("ringing"),
        "seats_ringing": states.count("ringing"),
        "answered_today": today[0],
        "lost_today": today[1],
        "callers": [{"call_id": id_, "number": number, "since": rfc3339(since)} for since, id_, number in waiting],
    }


def midnight_us(now_us: int, timezone: str) -> int:
    """The beginning of the site's present day."""
    local = datetime.fromtimestamp(now_us / 1e6, ZoneInfo(timezone))
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * 1_000_000
