"""Looks for stuck channels and frees them; what is done stands in the log and in the alarm's end."""

import asyncio
import re
from collections.abc import Mapping

import structlog

from appliance_agent.asterisk.control import Control
from appliance_agent.asterisk.dahdi import Circuit, pri_circuits, ss7_circuits
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault
from appliance_agent.system.lines import console
from appliance_agent.system.lines.cards import Cards
from appliance_agent.system.lines.channels import Channels
from appliance_agent.system.lines.stuck import Key, Look, Suspects, due, observe, repaired
from appliance_agent.system.lines.watch import LineWatch

log = structlog.get_logger()

LOOK_S = 15.0
_UP = re.compile(r"^PRI span (\d+)/\d+: Up, Active", re.MULTILINE)


class Repair:
    name = "line repair"

    def __init__(self, *, cards: Cards, watch: LineWatch, channels: Channels, control: Control, clock: Clock) -> None:
        self._cards, self._watch, self._channels, self._control, self._clock = cards, watch, channels, control, clock
        self._suspects = Suspects()
        self.now: dict[str, frozenset[int]] = {}
        """Line → timeslots that are stuck."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Fault as fault:
                log.info("stuck channels not looked for", reason=fault.message)

    async def look(self) -> None:
        """One look, and what follows from it. Raises Fault when Asterisk does not answer."""
        channels = await self._channels.read()
        if not channels:
            self.now = {}
            return
        looks = await self._looks(channels)
        # Asked last: a channel that came in between must not look like a ghost.
        alive = await self._control.channel_ids()
        now = self._clock.monotonic()
        self._suspects = observe(self._suspects, looks, alive, now)
        for key in due(self._suspects, now):
            await self._free(key)
            self._suspects = repaired(self._suspects, key, now)
        stuck: dict[str, set[int]] = {}
        for line, timeslot in self._suspects.stuck(now):
            stuck.setdefault(line, set()).add(timeslot)
        self.now = {line: frozenset(slots) for line, slots in stuck.items()}

    async def _looks(self, channels: Mapping[int, object]) -> dict[Key, Look]:
        circuits = {one.channel: one for one in pri_circuits(await self._control.command("pri show channels"))}
        circuits |= {one.channel: one for one in ss7_circuits(await self._control.command("ss7 show channels"))}
        up = {int(span) for span in _UP.findall(await self._control.command("pri show spans"))}
        owners = self._channels.now
        looks: dict[Key, Look] = {}
        for name, seen in self._watch.seen.items():
            line = self._cards.found.line(name) if self._cards.found else None
            if line is None or line.channel is None or seen.facts.wanted is None:
                continue
            signalling = seen.facts.wanted.signalling
            for timeslot in seen.facts.bearers - seen.facts.blocked:
                number = line.channel + timeslot - 1
                if number in channels:
                    owner = owners[number].uniqueid if number in owners else ""
                    settled = not seen.facts.alarms and (signalling != "pri" or line.span_number in up)
                    looks[name, timeslot] = _look(signalling, owner, circuits.get(number), settled)
        return looks

    async def _free(self, key: Key) -> None:
        name, timeslot = key
        seen, line = self._watch.seen.get(name), self._cards.found.line(name) if self._cards.found else None
        if seen is None or seen.facts.wanted is None or line is None or line.channel is None:
            return
        words = console.repairs(seen.facts.wanted, timeslot)
        log.warning("stuck channel", line=name, timeslot=timeslot, why=self._suspects.since[key][0], commands=words)
        for one in words:
            await self._control.command(one)


def _look(signalling: str, owner: str, circuit: Circuit | None, settled: bool) -> Look:
    """Without a word of the signalling (R2, analog) only ghosts can be told."""
    if circuit is None:
        return Look(owner, settled=settled)
    if circuit.owner and not owner:
        return Look("", settled=False)  # it came between the two questions
    # An SS7 circuit is not free, too, while it is blocked or its link is down: there a held call alone says something.
    return Look(owner, circuit.idle or signalling == "ss7", circuit.call, settled)
