"""Whom to listen to, and why a listening ends. Pure."""

from dataclasses import replace

from appliance_agent.asterisk.models import ChannelState
from appliance_agent.calls.live_model import Call, Leg
from appliance_agent.kernel.errors import Fault, FaultKind

MOST = 8
"""Listenings at once: each costs two voices of Asterisk's and about 1 % of a processor."""


def leg_to_hear(call: Call) -> Leg | None:
    """The customer's, which stays when the call is handed on; in a call among ourselves, the caller's. None: nobody has
    answered."""
    up = [leg for leg in call.legs if leg.channel.state is ChannelState.UP and _sounds(leg)]
    up.sort(key=lambda leg: (not leg.bridge, bool(leg.extension), leg.called))
    return up[0] if up else None


def without(call: Call, leg: Leg) -> Call:
    """The call as it is when that leg has left it, which others may not know yet."""
    return replace(call, legs=tuple(one for one in call.legs if one.channel.uniqueid != leg.channel.uniqueid))


def talks(call: Call) -> bool:
    """Whether two are connected."""
    bridges = [leg.bridge for leg in call.legs if leg.bridge]
    return len(bridges) > len(set(bridges))


def _sounds(leg: Leg) -> bool:
    return leg.channel.technology in ("PJSIP", "DAHDI")


def no_call(call_id: str) -> Fault:
    return Fault(
        FaultKind.NOT_FOUND, "listen.no_call", f"there is no call {call_id} now",
        hint="It has ended. Choose one that goes on.",
    )  # fmt: skip


def nobody_yet(call_id: str) -> Fault:
    return Fault(
        FaultKind.CONFLICT, "listen.nobody", f"nobody has answered call {call_id} yet",
        hint="Listen again when it is talked.",
    )  # fmt: skip


def full() -> Fault:
    return Fault(
        FaultKind.TOO_MANY, "listen.full", f"{MOST} calls are being listened to, which is the most of a box",
        hint="Try again when somebody has stopped.",
    )  # fmt: skip


def call_ended() -> Fault:
    return Fault(FaultKind.NOT_FOUND, "listen.call_ended", "the call has ended")


def asterisk_away() -> Fault:
    return Fault(
        FaultKind.UNAVAILABLE, "listen.asterisk", "the telephone system is restarting",
        hint="Listen again when there are calls again.",
    )  # fmt: skip


def session_ended() -> Fault:
    return Fault(FaultKind.UNAUTHENTICATED, "listen.session", "the session has ended", hint="Log in again.")


def stopping() -> Fault:
    return Fault(
        FaultKind.UNAVAILABLE, "listen.restart", "the box's manager is restarting; calls go on",
        hint="Listen again in a few seconds.",
    )  # fmt: skip


def lost() -> Fault:
    return Fault(
        FaultKind.UNAVAILABLE, "listen.lost", "the sound of this call is no longer to be had; the call goes on",
        hint="Listen again.",
    )  # fmt: skip
