"""Looks at every line ten times a second: live state, alarms, history, counters.

Alarms give no event that could be waited for without taking the channel from Asterisk (DAHDI_GETEVENT goes to whoever
has it open), and RED to YELLOW gives none at all: so the spans are polled, and Asterisk's own word of an alarm only
makes the next look come at once.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from appliance_agent.asterisk.models import LineNews
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.model import Desired
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import LiveChanged, VersionApplied
from appliance_agent.system.alarms import Alarms, Level
from appliance_agent.system.lines.asking import Asking
from appliance_agent.system.lines.cards import Cards, CardsChanged, Found
from appliance_agent.system.lines.channels import Channels
from appliance_agent.system.lines.counting import grown
from appliance_agent.system.lines.facts import LineFacts, Shown, live_object, shown
from appliance_agent.system.lines.history import LineHistory
from appliance_agent.system.lines.judge import KEYS, Trouble, troubles
from appliance_agent.system.lines.wanted import Wanted, wanted_lines
from hal.model.inventory import PortKind
from hal.protocols.box import Box
from hal.protocols.voice import SpanCounters

LOOK_S = 0.1
IDLE_LOOK_S = 1.0
"""In a box without lines."""
PORTS_EVERY, COUNTERS_EVERY = 10, 100
"""Looks between two readings of ports (signalling, analog alarms), and of counters."""
SILENT = "lines.silent"

Timeslots = Mapping[str, frozenset[int]]
"""By line's name."""
NONE: Timeslots = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a line, and since when it looks as it does."""

    facts: LineFacts
    state: Shown
    since_us: int
    since: float
    """The same by the monotonic clock."""

    def view(self) -> dict[str, Any]:
        return live_object(self.facts, self.state, self.since_us)


class LineWatch:
    """`blocked`, `stuck`, `testing`: timeslots that people took out of service, that are stuck, that are tested."""

    name = "lines"

    def __init__(
        self, *, box: Box, cards: Cards, channels: Channels, history: LineHistory, config: ConfigHolder, alarms: Alarms,
        bus: Bus, clock: Clock, blocked: Callable[[], Timeslots], stuck: Callable[[], Timeslots],
        testing: Callable[[], Timeslots],
    ) -> None:  # fmt: skip
        self._cards, self._channels, self._history = cards, channels, history
        self._config, self._alarms, self._bus, self._clock = config, alarms, bus, clock
        self._blocked, self._stuck, self._testing = blocked, stuck, testing
        self._asking = Asking(box)
        self._news = asyncio.Event()
        self._looks = 0
        self._counters: dict[str, SpanCounters] = {}
        self._suffered: dict[str, frozenset[str]] = {}
        """Line → alarms in the history that have no end."""
        self._raised: set[tuple[str, str]] = set()
        """(key, line) of our alarms that are open."""
        self._told: dict[tuple[str, str], Trouble] = {}
        """What was last said with them."""
        self._silent = False
        self._looked = False
        self._wanted_of: tuple[Desired, Mapping[str, Wanted]] | None = None
        self.seen: Mapping[str, Seen] = {}
        """By name, in the order in which they were first named."""

    def live(self) -> list[dict[str, Any]]:
        return [seen.view() for seen in self.seen.values()]

    def one(self, name: str) -> Seen:
        """Raises Fault: NOT_FOUND, or UNAVAILABLE in the first seconds of the agent, when nothing was looked at yet."""
        if name in self.seen:
            return self.seen[name]
        if not self._looked:
            raise Fault(
                FaultKind.UNAVAILABLE, "lines.not_looked", "the box is looking for its cards",
                hint="Try again in some seconds.", retry_after_s=2,
            )  # fmt: skip
        raise Fault(FaultKind.NOT_FOUND, "lines.unknown", f"there is no line {name[:20]!r}")

    async def run(self) -> None:
        self._suffered = await self._history.open()
        self._raised = {(one["key"], one["subject"]) for one in await self._alarms.open() if one["key"] in KEYS}
        with self._bus.subscribe(LineNews, CardsChanged, VersionApplied, limit=1000) as news:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._look_on(), name="lines look")
                async for _ in news:
                    self._news.set()

    async def _look_on(self) -> None:
        while True:
            await self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S if self.seen else IDLE_LOOK_S):
                    await self._news.wait()
            self._news.clear()

    async def look(self) -> None:
        """One look at everything that is due."""
        found = self._cards.found
        if found is None:
            return
        await self._asking.look(found, self._due)
        await self._tell_silence(self._asking.silent)
        if self._looks % COUNTERS_EVERY == 0:
            await self._count(await self._asking.counters(found))
        self._looks += 1
        await self._take(self._facts(found))

    def _due(self, name: str) -> bool:
        """Also when it was configured a moment ago: it is to be shown in service as soon as it is."""
        seen = self.seen.get(name)
        return self._looks % PORTS_EVERY == 0 or (seen is not None and seen.state is Shown.NOT_READY)

    async def _tell_silence(self, reason: str) -> None:
        if reason and not self._silent:
            await self._alarms.raise_(SILENT, Level.CRITICAL, "", {"reason": reason[:300]})
        elif self._silent and not reason:
            await self._alarms.clear(SILENT, "")
        self._silent = bool(reason)

    async def _count(self, counters: Mapping[str, SpanCounters]) -> None:
        growth = {name: came for name, now in counters.items() if (came := grown(self._counters.get(name, now), now))}
        self._counters.update(counters)
        if growth:
            await self._history.count(growth)

    # ── what follows from it ───────────────────────────────────────────────────────────────────────
    def _facts(self, found: Found) -> list[LineFacts]:
        wanted = self._wanted()
        served = {line.name for line in found.admission.lines}
        calls, blocked, stuck, testing = self._calls(found), self._blocked(), self._stuck(), self._testing()
        facts = [
            LineFacts(
                line.name, line.kind, line.order, present=True, served=line.name in served,
                wanted=wanted.get(line.name), reading=self._asking.readings.get(line.name), timeslots=line.channels,
                calls=calls.get(line.name, frozenset()), blocked=blocked.get(line.name, frozenset()),
                stuck=stuck.get(line.name, frozenset()), testing=testing.get(line.name, frozenset()),
            )
            for line in found.naming.lines
        ]  # fmt: skip
        facts += [
            LineFacts(gone.name, gone.kind, gone.order, False, True, wanted.get(gone.name), None)
            for gone in found.naming.missing
        ]
        known = {one.name for one in facts}
        # Configured, and no card ever had it: a document from another box, or a card that is still to come.
        facts += [
            LineFacts(name, PortKind(name.rpartition("-")[0]), 10**6, False, True, wanted[name], None)
            for name in sorted(wanted.keys() - known)
        ]
        return sorted(facts, key=lambda one: (one.order, one.name))

    def _wanted(self) -> Mapping[str, Wanted]:
        """Worked out once for each document, not ten times a second."""
        desired = self._config.desired
        if self._wanted_of is None or self._wanted_of[0] is not desired:
            self._wanted_of = (desired, wanted_lines(desired))
        return self._wanted_of[1]

    def _calls(self, found: Found) -> Timeslots:
        busy = {number for number, channel in self._channels.now.items() if channel.uniqueid}
        if not busy:
            return NONE
        found_in: dict[str, frozenset[int]] = {}
        for line in found.naming.lines:
            if line.channel is not None:
                own = busy & set(range(line.channel, line.channel + line.channels))
                found_in[line.name] = frozenset(number - line.channel + 1 for number in own)
        return found_in

    async def _take(self, facts: list[LineFacts]) -> None:
        before, self.seen = self.seen, {one.name: self._aged(one) for one in facts}
        self._looked = True
        for name, seen in self.seen.items():
            was = before.get(name)
            if was != seen and (was is None or was.view() != seen.view()):
                self._bus.publish(LiveChanged("lines", name, seen.view()))
        for name in before.keys() - self.seen.keys():
            self._bus.publish(LiveChanged("lines", name, None))
        await self._remember()
        await self._warn()

    def _aged(self, facts: LineFacts) -> Seen:
        was, state = self.seen.get(facts.name), shown(facts)
        if was is not None and was.state is state:
            return replace(was, facts=facts)
        return Seen(facts, state, self._clock.now_us(), self._clock.monotonic())

    async def _remember(self) -> None:
        for name in self._suffered.keys() | self.seen.keys():
            had = self._suffered.get(name, frozenset())
            has = frozenset(alarm.value for alarm in self.seen[name].facts.alarms) if name in self.seen else frozenset()
            if had != has:
                await self._history.turn(name, begun=has - had, ended=had - has)
                self._suffered[name] = has

    async def _warn(self) -> None:
        """Raising an alarm again with the same detail costs a look into the database: only what changed is told."""
        now = self._clock.monotonic()
        known = {name for _, name in self._raised}
        wrong = {
            (trouble.key, name): trouble
            for name, one in self.seen.items()
            # What was wrong before (also before the agent's restart) has nothing to settle.
            for trouble in troubles(one.facts, one.state, math.inf if name in known else now - one.since)
        }
        for key, name in self._raised - wrong.keys():
            await self._alarms.clear(key, name)
        for (key, name), trouble in wrong.items():
            if self._told.get((key, name)) != trouble:
                await self._alarms.raise_(key, trouble.level, name, trouble.detail)
        self._raised, self._told = set(wrong), wrong
