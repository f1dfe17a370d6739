"""The one WebSocket of a box to headquarters: what is now, and what HQ asks the box to do.

`GET /live/v1` over mutual TLS; every message is one JSON text {"type": …, …}, at most MOST_BYTES. The box says HELLO,
then STATE at most twice a second when something changed, and at least every STATE_S. HQ sends COMMAND; the box answers
one RESULT each. Nothing on this socket is needed for calls, and nothing here is kept: what must not be lost goes by
`contracts.sync`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LIVE_PATH = "/live/v1"
VERSION = 1
MOST_BYTES = 256 * 1024
STATE_S = 30
COMMAND_S = 60
"""A command that has no result by then has failed at HQ; the box drops it."""


class Say(StrEnum):
    HELLO = "hello"
    """box → HQ: version, box, epoch, inventory."""
    STATE = "state"
    """box → HQ: `State`."""
    COMMAND = "command"
    """HQ → box: id, name (`Command`), arguments, by (HQ's operator)."""
    RESULT = "result"
    """box → HQ: id, ok, result or error {code, message, hint}."""


class Command(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    """arguments: alarm (id)."""
    PLAN = "plan"
    """Take these routes of the numbering plan. arguments: plan (`contracts.plan.SiteRoutes`, the receiving box's own).
    result: version."""
    SYNC_NOW = "sync_now"
    """Do not wait for the next turn."""


@dataclass(frozen=True, slots=True)
class Inventory:
    edition: str
    version: str
    """Of the product."""
    asterisk: str
    hardware: str
    lines: tuple[dict[str, Any], ...] = ()
    """name, kind (e1|fxo|fxs), card."""


@dataclass(frozen=True, slots=True)
class State:
    at_us: int
    calls: int
    """Up now."""
    waiting: int
    """Callers in queues."""
    agents: dict[str, int]
    """idle | busy | wrap_up | talking → how many."""
    trunks: dict[str, str]
    """id → reachable | unreachable | unknown."""
    alarms: dict[str, int]
    """critical | warning | info → how many are raised."""
    backlog: int
    """Events that HQ does not have yet."""
