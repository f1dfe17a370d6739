"""Finds the box's cards, names their lines, and does so again when cards come or go."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from appliance_agent.kernel.bus import Bus
from appliance_agent.system.alarms import Alarms, Level
from appliance_agent.system.lines.patient import Patient
from hal.boards import Admission, Board, admit
from hal.capabilities import Capability
from hal.errors import HalError, NamesDamaged
from hal.model.inventory import Card, CardId, Inventory, Span
from hal.model.lines import Line, Names, Naming, forget, put_in_place_of
from hal.names_file import NamesFile
from hal.protocols.box import Bell, Box
from hal.reprobe import next_changes

log = structlog.get_logger()

PROBE_LIMIT_S = 10.0
LOOK_ANYWAY_S = 60.0
"""Rings can be lost; a probe of an unchanged box costs some milliseconds."""
WITHOUT_BELL_S = 10.0
RETRY_S = 5.0
UNKNOWN, REFUSED, GUESSED, DRIVER, NAMES = "card.unknown", "card.refused", "card.guessed", "lines.driver", "lines.names"


@dataclass(frozen=True, slots=True)
class Found:
    """One probe with the names given to it."""

    inventory: Inventory
    naming: Naming
    admission: Admission

    def line(self, name: str) -> Line | None:
        return next((line for line in self.naming.lines if line.name == name), None)

    def place(self, line: Line) -> tuple[Card, Span]:
        """The line's card and span; they are there, the naming says so."""
        card = self.inventory.card(line.card)
        assert card is not None
        return card, next(span for span in card.spans if span.local == line.span)


@dataclass(frozen=True, slots=True)
class CardsChanged:
    """On the bus: cards, names or what the edition serves are others than before."""


class Cards:
    name = "cards"

    def __init__(self, *, box: Box, board: Board, names: NamesFile, alarms: Alarms, bus: Bus) -> None:
        self.board = board
        self._box, self._names, self._alarms, self._bus = box, names, alarms, bus
        self._patient = Patient(PROBE_LIMIT_S)
        self._order = asyncio.Lock()
        """Guards: what was found, which is as new as the names that were stored last."""
        self._raised: dict[str, set[str]] = {}
        self.found: Found | None = None
        """None before the first probe."""
        self.fault = ""
        """Why the hardware cannot be looked at; "" when it can."""

    async def run(self) -> None:
        while True:
            try:
                if Capability.HOT_PLUG in self._box.capabilities:
                    async with self._box.hot_plug() as bell:
                        await self._follow(bell)
                await self.look()
                await asyncio.sleep(WITHOUT_BELL_S)
            except (HalError, OSError) as error:
                self.fault = str(error)
                await self._alarms.raise_(DRIVER, Level.CRITICAL, "", {"reason": str(error)[:300]})
                self._bus.publish(CardsChanged())
                await asyncio.sleep(RETRY_S)

    async def _follow(self, bell: Bell) -> None:
        while True:
            inventory = await self.look()
            await next_changes(self._box, bell, inventory, LOOK_ANYWAY_S)

    async def look(self) -> Inventory:
        """Probes and names now."""
        return await self._name()

    async def forget(self, card: CardId) -> None:
        """Its names are free for others. Raises Refused when no line belongs to it."""
        await self._name(lambda names: forget(names, card))

    async def replace(self, old: CardId, new: CardId) -> None:
        """`new` takes over the names of `old`. Raises Refused."""
        await self._name(lambda names: put_in_place_of(names, old, new))

    async def _name(self, change: Callable[[Names], Names] | None = None) -> Inventory:
        inventory = await self._patient.ask(self._box.inventory)
        async with self._order:
            try:
                naming = await asyncio.to_thread(self._names.name, inventory, change)
            except NamesDamaged as error:
                await self._recover(error)
                naming = await asyncio.to_thread(self._names.name, inventory, change)
            await self._take(inventory, naming)
        return inventory

    async def _recover(self, error: NamesDamaged) -> None:
        """A damaged file is set aside and told; the lines go on with the names of before."""
        if recovered := await asyncio.to_thread(self._names.recover):
            log.error("names of lines damaged", reason=str(error), kept=str(recovered.set_aside))
            detail = {"reason": error.message[:300], "path": recovered.set_aside.name}
            await self._alarms.raise_(NAMES, Level.CRITICAL, "", detail)

    async def _take(self, inventory: Inventory, naming: Naming) -> None:
        before, self.fault = (self.found, self.fault), ""
        self.found = Found(inventory, naming, admit(self.board, inventory, naming.lines))
        await self._alarms.clear(DRIVER, "")
        if before == (self.found, ""):
            return
        log.info("cards", cards=[str(card.id) for card in inventory.cards], lines=[line.name for line in naming.lines])
        self._bus.publish(CardsChanged())
        unknown = {str(card.id): {"reason": card.trouble} for card in inventory.cards if not card.known}
        refused = {str(one.card.id): {"reason": one.reason, "hint": one.hint} for one in self.found.admission.refusals}
        guessed = {str(match.now): {"before": str(match.before)} for match in naming.guessed}
        await self._tell(UNKNOWN, Level.WARNING, unknown)
        await self._tell(REFUSED, Level.WARNING, {card: why for card, why in refused.items() if card not in unknown})
        await self._tell(GUESSED, Level.INFO, guessed)

    async def _tell(self, key: str, level: Level, wrong: dict[str, dict[str, str]]) -> None:
        if key not in self._raised:
            self._raised[key] = {alarm["subject"] for alarm in await self._alarms.open() if alarm["key"] == key}
        for gone in self._raised[key] - {card[:128] for card in wrong}:
            await self._alarms.clear(key, gone)
        for card, detail in wrong.items():
            await self._alarms.raise_(key, level, card[:128], detail)
        self._raised[key] = {card[:128] for card in wrong}
