"""Queue members as they should be and as they are; the difference as commands. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appliance_agent.asterisk.models import Member
from appliance_agent.config.model import Desired
from appliance_agent.features.seats.model import Seat

Place = tuple[str, str]
"""(queue id, interface)"""


@dataclass(frozen=True, slots=True)
class Wanted:
    extension: str
    paused: str | None
    """The reason; None: not paused."""


@dataclass(frozen=True, slots=True)
class Add:
    queue: str
    extension: str
    paused: bool


@dataclass(frozen=True, slots=True)
class Remove:
    queue: str
    interface: str


@dataclass(frozen=True, slots=True)
class Pause:
    queue: str
    interface: str
    reason: str | None
    """None: no longer."""


MemberCommand = Add | Remove | Pause


def interface(extension: str) -> str:
    return f"PJSIP/{extension}"


def wanted_members(seats: Iterable[Seat], desired: Desired) -> dict[Place, Wanted]:
    """Every logged-in seat is a member of the queues that name its extension."""
    by_extension = {seat.extension: seat for seat in seats}
    return {
        (queue.id, interface(extension)): Wanted(extension, by_extension[extension].paused)
        for queue in desired.queues
        for extension in queue.seats
        if extension in by_extension
    }


def reconcile(wanted: Mapping[Place, Wanted], actual: Mapping[Place, Member]) -> list[MemberCommand]:
    """What has to be done. Members that nobody asked for go, but those of the configuration files stay.

    Whoever is to be paused is added paused, and its reason told afterwards: no call slips in between.
    """
    commands: list[MemberCommand] = [
        Remove(*place) for place, member in actual.items() if place not in wanted and member.dynamic
    ]
    for (queue, channel), want in wanted.items():
        member = actual.get((queue, channel))
        if member is None:
            commands.append(Add(queue, want.extension, want.paused is not None))
            if want.paused is not None:
                commands.append(Pause(queue, channel, want.paused))
        elif (member.paused_reason if member.paused else None) != want.paused:
            commands.append(Pause(queue, channel, want.paused))
    return commands


def after(actual: Mapping[Place, Member], command: MemberCommand) -> dict[Place, Member]:
    """`actual` once Asterisk has done it; its own event says the same a little later."""
    result = dict(actual)
    match command:
        case Add(queue, extension, paused):
            channel = interface(extension)
            result[queue, channel] = Member.plain(queue, channel, extension, paused=paused, reason="")
        case Remove(queue, channel):
            result.pop((queue, channel), None)
        case Pause(queue, channel, reason):
            old = result.get((queue, channel))
            if old is not None:  # else its removal was told meanwhile
                paused_now = reason is not None
                result[queue, channel] = Member.plain(queue, channel, old.name, paused=paused_now, reason=reason or "")
    return result
