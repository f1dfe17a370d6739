"""The simulated box, put together, with the verbs that a test or a demonstration drives it by."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Set
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import assert_never

from hal.capabilities import Capability, require
from hal.model.inventory import Card, Inventory
from hal.protocols.box import Bell
from hal.sim.cards import Blueprint
from hal.sim.parts import SimConsole, SimLed, SimPower, SimSensors, SimWatchdog
from hal.sim.script import Alarms, Carries, Counts, Happens, Measures, Move, Plug, PortAlarms, Pull, Step
from hal.sim.voice import SimModule, VoiceWorld

LEDS = ("sa800:green:status", "sa800:red:alarm")


class SimBell:
    def __init__(self) -> None:
        self.ring = asyncio.Event()

    async def rung(self, within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                await self.ring.wait()
        except TimeoutError:
            return False
        self.ring.clear()
        return True


class SimBox:
    def __init__(self, lacks: Set[Capability] = frozenset()) -> None:
        """`lacks`: what this box shall not be able to do."""
        self._lacks = lacks
        self.capabilities: Set[Capability] = frozenset({Capability.HOT_PLUG}) - lacks
        self.world = VoiceWorld(on_change=self._ring)
        self._bells: set[SimBell] = set()
        self.sim_leds = () if Capability.LED in lacks else tuple(SimLed(name, lacks) for name in LEDS)
        self.sim_watchdog = SimWatchdog(lacks)
        self.sim_sensors = SimSensors(lacks)
        self.sim_power = SimPower(lacks)
        self.console = SimConsole(lacks)

    async def inventory(self) -> Inventory:
        return self.world.slots.inventory()

    def hot_plug(self) -> AbstractAsyncContextManager[Bell]:
        require(Capability.HOT_PLUG, self.capabilities, "this box", hint="probe from time to time")
        return self._listen()

    @contextlib.asynccontextmanager
    async def _listen(self) -> AsyncIterator[SimBell]:
        bell = SimBell()
        self._bells.add(bell)
        try:
            yield bell
        finally:
            self._bells.discard(bell)

    def voice(self, card: Card) -> SimModule:
        return SimModule(self.world, card, self._lacks)

    async def leds(self) -> tuple[SimLed, ...]:
        return self.sim_leds

    async def watchdog(self) -> SimWatchdog:
        return self.sim_watchdog

    async def sensors(self) -> SimSensors:
        return self.sim_sensors

    async def power(self) -> SimPower:
        return self.sim_power

    # What follows is not in the protocol: the hand that plugs, and the world that happens.

    def plug(self, blueprint: Blueprint, position: str, *, assign: bool = True) -> Card:
        card = self.world.slots.plug(blueprint, position, assign=assign)
        self._ring()
        return card

    def pull(self, position: str) -> Card:
        card = self.world.slots.pull(position)
        self.world.forget(card)
        self._ring()
        return card

    def play(self, steps: Iterable[Step]) -> None:
        """A script: one step after the other, at once."""
        for step in steps:
            self._do(step)

    def _do(self, step: Step) -> None:
        match step:
            case Plug(blueprint, position):
                self.plug(blueprint, position)
            case Pull(position):
                self.pull(position)
            case Move(position, to):
                blueprint = self.world.slots.blueprint(position)
                self.pull(position)
                self.plug(blueprint, to)
            case Alarms(span, alarms):
                world = self.world.span(span)
                world.state = replace(world.state, alarms=alarms)
            case PortAlarms(channel, alarms):
                self.world.port(channel).alarms = alarms
            case Counts(span, counters):
                self.world.span(span).counters = counters
            case Carries(channel, line):
                self.world.port(channel).line = line
            case Happens(channel, event):
                self.world.port(channel).happens(event)
            case Measures(reading):
                self.sim_sensors.readings.append(reading)
            case _:
                assert_never(step)

    def _ring(self) -> None:
        for bell in self._bells:
            bell.ring.set()
