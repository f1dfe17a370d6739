"""The next batch: rows of the outbox, marked as told, filled and compressed."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import structlog

from appliance_agent.store.database import Database
from appliance_agent.store.outbox import Outbox
from appliance_agent.system.hq_link import bodies, marker
from contracts.sync import MOST_BYTES, MOST_EVENTS, MOST_PACKED, Batch, Event, Kind, pack

log = structlog.get_logger()

ROOM = MOST_BYTES - 64 * 1024
"""For events; the rest is for the head."""
AROUND = 128
"""Bytes of a line beside its body, generously."""


@dataclass(frozen=True, slots=True)
class Packed:
    last: int
    data: bytes


class Packer:
    def __init__(self, *, box: str, database: Database, outbox: Outbox, folder: Path) -> None:
        self._box, self._database, self._outbox, self._folder = box, database, outbox, folder

    async def next(self, epoch: str, after: int) -> Packed | None:
        """Beginning behind `after`; None: there is nothing to tell."""
        rows = await self._outbox.take(epoch, after, MOST_EVENTS)
        if not rows:
            return None
        state = await self._outbox.state()
        if state is None or state.epoch != epoch:
            return None
        await asyncio.to_thread(marker.note, self._folder, self._database.path, epoch, state.packed)
        found = await bodies.events(self._database, rows)
        return await asyncio.to_thread(fill, self._box, epoch, found)


def fill(box: str, epoch: str, events: list[Event]) -> Packed:
    """As many of the events as fit, at least one. Takes up to a tenth of a second: in a thread."""
    room, chosen = ROOM, []
    for event in events:
        size = len(json.dumps(event.body)) + AROUND
        if size > ROOM:
            log.error("an event is too large for headquarters", seq=event.seq, kind=event.kind, size=size)
            event, size = Event(event.seq, Kind.VOID.value, event.at_us, {}), AROUND  # noqa: PLW2901
        if size > room:
            break
        room -= size
        chosen.append(event)
    while True:
        data = pack(Batch(box, epoch, tuple(chosen)))
        if len(data) <= MOST_PACKED or len(chosen) == 1:
            return Packed(chosen[-1].seq, data)
        chosen = chosen[: len(chosen) // 2]
