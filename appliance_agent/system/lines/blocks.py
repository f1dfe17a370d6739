"""Ports and timeslots that people took out of service: told to Asterisk, told again after each of its starts."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from appliance_agent.asterisk.dahdi import ss7_circuits
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault
from appliance_agent.kernel.events import AsteriskUp, VersionApplied
from appliance_agent.store.database import Database
from appliance_agent.store.tables import line_block
from appliance_agent.system.lines import console
from appliance_agent.system.lines.cards import Cards, CardsChanged
from appliance_agent.system.lines.channels import Channels
from appliance_agent.system.lines.wanted import Wanted, wanted_lines
from hal.model.lines import Line

log = structlog.get_logger()

SETTLE_S = 3.0
"""After a start Asterisk's channels come up; before that it does not know them."""
RETRY_S = 10.0
READ_BACK_S = 3.0
LOOK_S = 0.2

Command = Callable[[str], Awaitable[str]]
"""Says something to Asterisk's console and returns its answer. Raises Fault."""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel of a line that is there and configured."""

    line: Line
    wanted: Wanted
    timeslot: int
    channel: int
    """DAHDI's number."""


class Blocks:
    """`command` None: behind simulated cards there is no Asterisk to be told."""

    name = "line blocks"

    def __init__(
        self, *, database: Database, clock: Clock, bus: Bus, config: ConfigHolder, cards: Cards, channels: Channels,
        command: Command | None,
    ) -> None:  # fmt: skip
        self._database, self._clock, self._bus, self._config = database, clock, bus, config
        self._cards, self._channels, self._command = cards, channels, command
        self._order = asyncio.Lock()
        """Guards: one thing after the other is said to Asterisk, and `now` is what was said."""
        self._due = asyncio.Event()
        self.now: dict[str, frozenset[int]] = {}

    async def run(self) -> None:
        await self._load()
        with self._bus.subscribe(AsteriskUp, VersionApplied, CardsChanged, limit=100) as events:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._repeat(), name="line blocks repeat")
                self._due.set()
                async for _ in events:
                    self._due.set()

    async def block(self, name: str, timeslots: Iterable[int], by: str) -> None:
        """Empty: all of it. Raises Fault: not there, not configured, no such timeslot, in a call, or not done."""
        async with self._order:
            for place in self._places(name, timeslots):
                if place.wanted.signalling in console.NEEDS_IDLE and self._busy(place):
                    raise Fault(
                        FaultKind.CONFLICT, "lines.in_call", f"{name}: timeslot {place.timeslot} is in a call",
                        hint="Wait until the call has ended, or end it.",
                    )  # fmt: skip
                await self._say(place, on=True)
                await self._note(name, place.timeslot, by)

    async def unblock(self, name: str, timeslots: Iterable[int]) -> None:
        """Empty: all that is blocked. A timeslot that is not blocked stays as it is."""
        async with self._order:
            held = self.now.get(name, frozenset())
            chosen = set(timeslots) & held if timeslots else held
            if not chosen:
                return
            for place in self._places(name, chosen):
                await self._say(place, on=False)
                await self._forget(name, place.timeslot)

    # ── Asterisk ───────────────────────────────────────────────────────────────────────────────────
    async def _say(self, place: Place, *, on: bool) -> None:
        words = (console.block if on else console.unblock)(place.wanted, place.channel, place.timeslot)
        log.info("line block", line=place.line.name, timeslot=place.timeslot, on=on, command=words)
        if self._command is None:
            return
        answer = await self._command(words)
        if not await self._became(place, on=on):
            raise Fault(
                FaultKind.UNAVAILABLE, "lines.block_failed",
                f"{place.line.name}, timeslot {place.timeslot}: not done by {words!r}: {answer[:200]}",
                hint="Look whether the line is in service, and try again.",
            )  # fmt: skip

    async def _became(self, place: Place, *, on: bool) -> bool:
        """Read back, where Asterisk tells: not for R2, whose signal bits say it and nothing else."""
        assert self._command is not None
        for _ in range(int(READ_BACK_S / LOOK_S)):
            match place.wanted.signalling:
                case "r2":
                    return True
                case "ss7":
                    circuits = ss7_circuits(await self._command("ss7 show channels"))
                    done = any(one.channel == place.channel and one.blocked_by_us is on for one in circuits)
                case _:
                    channel = (await self._channels.read()).get(place.channel)
                    done = channel is not None and channel.do_not_disturb is on
            if done:
                return True
            await asyncio.sleep(LOOK_S)
        return False

    async def _repeat(self) -> None:
        """What is blocked is blocked again: Asterisk forgets it when it restarts or makes a channel anew."""
        while True:
            await self._due.wait()
            self._due.clear()
            if self._command is None:
                continue
            await asyncio.sleep(SETTLE_S)
            if not await self._all_again():
                await asyncio.sleep(RETRY_S)
                self._due.set()

    async def _all_again(self) -> bool:
        complete = True
        async with self._order:
            for name, timeslots in list(self.now.items()):
                try:
                    for place in self._places(name, timeslots):
                        if place.wanted.signalling in console.NEEDS_IDLE and self._busy(place):
                            complete = False
                            continue
                        await self._say(place, on=True)
                except Fault as fault:
                    # Asterisk is away or the line is: both come back with an event.
                    log.info("line block waits", line=name, reason=fault.message)
        return complete

    def _places(self, name: str, timeslots: Iterable[int]) -> list[Place]:
        found, wanted = self._cards.found, wanted_lines(self._config.desired).get(name)
        line = found.line(name) if found else None
        if line is None or line.channel is None:
            raise Fault(FaultKind.CONFLICT, "lines.missing", f"{name} is not in the box now", hint="Put its card in.")
        if wanted is None:
            raise Fault(
                FaultKind.CONFLICT, "lines.not_configured", f"{name} is not configured: nothing is in service on it",
                hint="Set it up first.",
            )  # fmt: skip
        if wanted.signalling not in console.BLOCKABLE:
            raise Fault(
                FaultKind.CONFLICT, "lines.not_blockable",
                f"{name}: Asterisk cannot take B channels of a PRI out of service and give them back",
                hint="Ask the exchange to block them, or take the E1 out of its trunk.",
            )  # fmt: skip
        bearers = set(range(1, line.channels + 1)) - {wanted.data_link}
        chosen = set(timeslots) or bearers
        if strange := sorted(chosen - bearers):
            raise Fault(
                FaultKind.INVALID, "lines.timeslot", f"{name} has no talk in timeslot {strange[0]}",
                fields=[FieldFault("timeslots", f"{strange[0]} carries no talk")],
            )  # fmt: skip
        return [Place(line, wanted, slot, line.channel + slot - 1) for slot in sorted(chosen)]

    def _busy(self, place: Place) -> bool:
        channel = self._channels.now.get(place.channel)
        return channel is not None and bool(channel.uniqueid)

    # ── the database ───────────────────────────────────────────────────────────────────────────────
    async def _load(self) -> None:
        async with self._order:  # somebody may block a line meanwhile
            async with self._database.read() as connection:
                rows = (await connection.execute(select(line_block.c.line, line_block.c.timeslot))).all()
            found: dict[str, set[int]] = {}
            for line, timeslot in rows:
                found.setdefault(line, set()).add(timeslot)
            self.now = {line: frozenset(timeslots) for line, timeslots in found.items()}

    async def _note(self, line: str, timeslot: int, by: str) -> None:
        values = {"line": line, "timeslot": timeslot, "by": by[:64], "at_us": self._clock.now_us()}
        async with self._database.write() as connection:
            await connection.execute(insert(line_block).values(values).on_conflict_do_nothing())
        self.now[line] = self.now.get(line, frozenset()) | {timeslot}

    async def _forget(self, line: str, timeslot: int) -> None:
        here = (line_block.c.line == line, line_block.c.timeslot == timeslot)
        async with self._database.write() as connection:
            await connection.execute(delete(line_block).where(*here))
        self.now[line] = self.now.get(line, frozenset()) - {timeslot}
