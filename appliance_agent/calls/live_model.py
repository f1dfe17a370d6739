"""What is going on now: calls, their legs, and what each extension's phone does. Frozen values; `live` folds events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from appliance_agent.asterisk.models import Channel, ChannelState
from appliance_agent.kernel.clock import rfc3339

TRUNK_PREFIX = "trunk-"
"""Trunk endpoints and their channels: PJSIP/trunk-<id>-0000002a (render.pjsip)."""


class CallState(StrEnum):
    MENU = "menu"
    QUEUE = "queue"
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    DIALLING = "dialling"


class PhoneState(StrEnum):
    FREE = "free"
    RINGING = "ringing"
    TALKING = "talking"
    """Also while it dials out."""
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Leg:
    """One channel of a call."""

    channel: Channel
    called: bool
    """We dialled it; False: it dialled us."""
    bridge: str = ""
    held: bool = False
    queue: str = ""
    """The queue that offered the call to this leg."""

    @property
    def extension(self) -> str:
        endpoint = self.channel.endpoint
        return endpoint if endpoint.isascii() and endpoint.isdigit() else ""

    @property
    def trunk(self) -> str:
        endpoint = self.channel.endpoint
        return endpoint.removeprefix(TRUNK_PREFIX) if endpoint.startswith(TRUNK_PREFIX) else ""

    @property
    def use(self) -> PhoneState:
        """What this leg means to its phone."""
        if self.called and self.channel.state is not ChannelState.UP:
            return PhoneState.RINGING
        return PhoneState.HELD if self.held else PhoneState.TALKING


@dataclass(frozen=True, slots=True)
class Call:
    """All legs of one linkedid."""

    call_id: str
    started_us: int
    legs: tuple[Leg, ...] = ()
    direction: str = "internal"
    """inbound | outbound | internal"""
    caller_number: str = ""
    caller_name: str = ""
    called_number: str = ""
    did: str = ""
    trunk: str = ""
    menu_path: tuple[str, ...] = ()
    """"<menu id>:<digit>" of each choice."""
    in_menu: bool = False
    chosen: bool = False
    """In a menu: the last step belonged to the choice that ends `menu_path`."""
    queue: str = ""
    """The last queue joined."""
    waiting_since_us: int | None = None
    """In `queue` since then; None: not waiting."""
    state: CallState = CallState.DIALLING
    since_us: int = 0

    @property
    def extension(self) -> str:
        """Who of ours has to do with it now: connected, else ringing, else calling."""
        ours = [leg for leg in self.legs if leg.extension]
        ours.sort(key=lambda leg: (leg.use is PhoneState.RINGING, self.direction == "internal" and leg.called))
        return ours[0].extension if ours else ""

    def view(self) -> dict[str, Any]:
        """As in docs/api.md, "Live objects"."""
        return {
            "call_id": self.call_id, "direction": self.direction, "caller_number": self.caller_number,
            "called_number": self.called_number, "did": self.did, "state": self.state.value, "queue": self.queue,
            "extension": self.extension, "since": rfc3339(self.since_us), "started_at": rfc3339(self.started_us),
            "trunk": self.trunk,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class PhoneUse:
    """What an extension's phone does now."""

    state: PhoneState = PhoneState.FREE
    call_id: str = ""
    queue: str = ""
    """The queue whose call it is; "" for direct and outgoing calls."""


@dataclass(frozen=True, slots=True)
class PhoneChanged:
    """On the bus: published by the live service, in order, also for what a re-reading found."""

    extension: str
    use: PhoneUse


@dataclass(frozen=True, slots=True)
class BridgeJoined:
    """On the bus: a leg has come into this bridge, and the live state knows; also for what a re-reading found."""

    bridge: str


@dataclass(frozen=True, slots=True)
class LiveState:
    calls: Mapping[str, Call] = field(default_factory=lambda: MappingProxyType({}))
    where: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """uniqueid of a leg → call id."""
    phones: Mapping[str, PhoneUse] = field(default_factory=lambda: MappingProxyType({}))
    """Extensions in use; one that is not here is free."""

    def call_of(self, uniqueid: str) -> Call | None:
        return self.calls.get(self.where.get(uniqueid, ""))


@dataclass(frozen=True, slots=True)
class Changes:
    """What one event changed."""

    calls: frozenset[str] = frozenset()
    """Ids of calls whose view is another, or that are gone."""
    phones: frozenset[str] = frozenset()
    rung: tuple[str, str] | None = None
    """(call id, extension) that begins to ring."""
