"""Makes Asterisk's queue members be what the seats say, again and again, until they are."""

import asyncio
from collections.abc import Mapping

import structlog

from appliance_agent.asterisk.ami import Ami
from appliance_agent.asterisk.models import Member, MemberChanged, MemberGone
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.features.seats.members import (
    Add,
    MemberCommand,
    Pause,
    Place,
    Remove,
    after,
    interface,
    reconcile,
    wanted_members,
)
from appliance_agent.features.seats.model import Seat
from appliance_agent.kernel.errors import Fault

log = structlog.get_logger()

RETRY_S = 5.0
"""After a command that Asterisk refused (a queue that is not loaded yet), all is read and compared again."""


class QueueMembers:
    def __init__(self, ami: Ami, config: ConfigHolder, seats: Mapping[str, Seat]) -> None:
        self._ami, self._config, self._seats = ami, config, seats
        self._actual: dict[Place, Member] | None = None
        """None: not known; is read before anything is compared."""
        self._wake = asyncio.Event()

    def sync(self, *, reread: bool = False) -> None:
        """Something changed. `reread`: Asterisk's own members may be others than we think."""
        if reread:
            self._actual = None
        self._wake.set()

    def told(self, event: MemberChanged | MemberGone) -> None:
        if self._actual is None:
            return
        place = (event.member.queue, event.member.interface)
        if isinstance(event, MemberGone):
            self._actual.pop(place, None)
        else:
            self._actual[place] = event.member
        self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._compare()
            except Fault as fault:
                log.warning("queue members differ from the seats", reason=fault.message)
                self._actual = None
                try:
                    async with asyncio.timeout(RETRY_S):
                        await self._wake.wait()
                except TimeoutError:
                    self._wake.set()

    async def _compare(self) -> None:
        if self._actual is None:
            rows = await self._ami.list_action("QueueStatus")
            members = [Member.from_ami(row) for row in rows if row.event == "QueueMember"]
            self._actual = {(member.queue, member.interface): member for member in members}
        for command in reconcile(wanted_members(self._seats.values(), self._config.desired), self._actual):
            await self._do(command)
            if self._actual is None:  # asked to read anew while we waited
                self._wake.set()
                return
            self._actual = after(self._actual, command)

    async def _do(self, command: MemberCommand) -> None:
        match command:
            case Add(queue, extension, paused):
                fields = [
                    ("Queue", queue), ("Interface", interface(extension)), ("MemberName", extension),
                    ("StateInterface", interface(extension)), ("Paused", "true" if paused else "false"),
                ]  # fmt: skip
                await self._ami.action("QueueAdd", fields)
            case Remove(queue, channel):
                await self._ami.action("QueueRemove", [("Queue", queue), ("Interface", channel)])
            case Pause(queue, channel, reason):
                fields = [("Queue", queue), ("Interface", channel), ("Paused", "false" if reason is None else "true")]
                if reason is not None:
                    fields.append(("Reason", reason))
                await self._ami.action("QueuePause", fields)
