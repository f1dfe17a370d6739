"""Windows of legs, and their sums by peer and quarter of an hour, in one transaction."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Text, delete, select, type_coerce
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance_agent.calls.live_model import TRUNK_PREFIX
from appliance_agent.features.quality.fold import Taken
from appliance_agent.features.quality.pack import pack, unpack
from appliance_agent.store.database import Database
from appliance_agent.store.tables import leg_quality, quality_quarter
from ledger.quality import WINDOW_S, Sums, Window

QUARTER_US = 900_000_000
KEPT_US = 800 * 86_400_000_000
"""As far back as a report reaches."""
MOST_BYTES = 22 * 8640
"""A day of one leg; what a leg says after that is in the sums only."""
CHUNK = 500
"""Legs asked for at a time: SQLite has a limit on a statement's values."""

PAGE = 2000


class Quarter(NamedTuple):
    """Sums of a peer over a quarter of an hour."""

    peer: str
    at_us: int
    """When it began."""
    counts: str
    """`ledger.quality.Sums.counts` as JSON."""


Quarters = dict[tuple[str, int], Sums]


def peer_of(channel: str) -> str:
    """Channel PJSIP/trunk-<id>-0000002a → the trunk's id; "" for the box's own phones."""
    endpoint = channel.partition("/")[2].rpartition("-")[0]
    return endpoint.removeprefix(TRUNK_PREFIX) if endpoint.startswith(TRUNK_PREFIX) else ""


class QualityStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, taken: Sequence[Taken]) -> None:
        """Windows that were not added before."""
        quarters: Quarters = defaultdict(Sums)
        async with self._database.write() as connection:
            for start in range(0, len(taken), CHUNK):
                await _add_legs(connection, taken[start : start + CHUNK], quarters)
            await _add_quarters(connection, quarters)

    async def windows(self, uniqueids: Iterable[str]) -> dict[str, list[Window]]:
        """Of these legs, as far as they are known; in order."""
        query = select(leg_quality.c.uniqueid, leg_quality.c.windows)
        async with self._database.read() as connection:
            rows = await connection.execute(query.where(leg_quality.c.uniqueid.in_(list(uniqueids)[:CHUNK])))
            return {row.uniqueid: unpack(row.windows) for row in rows}

    async def quarters(self, from_us: int, to_us: int) -> AsyncIterator[list[Quarter]]:
        """Those that began in [from_us, to_us), page by page."""
        c = quality_quarter.c
        # As text: reading JSON of years would hold up the agent's loop.
        query = select(c.peer, c.at_us, type_coerce(c.counts, Text)).where(c.at_us >= from_us, c.at_us < to_us)
        async with self._database.read() as connection:
            result = await connection.stream(query.order_by(c.at_us))
            async for rows in result.partitions(PAGE):
                yield [Quarter(*row) for row in rows]


async def _add_legs(connection: AsyncConnection, taken: Sequence[Taken], quarters: Quarters) -> None:
    """A leg whose row is there goes on in it: also when another agent began it."""
    c = leg_quality.c
    query = select(c.uniqueid, c.windows).where(c.uniqueid.in_([leg.uniqueid for leg in taken]))
    before = {row.uniqueid: row.windows for row in await connection.execute(query)}
    rows = []
    for leg in taken:
        peer, old = peer_of(leg.channel), before.get(leg.uniqueid, b"")
        if not old:
            quarters[peer, _quarter(leg.windows[0])].begin_leg()
        for window in leg.windows:
            quarters[peer, _quarter(window)].add(window)
        if len(old) < MOST_BYTES:
            rows.append({"uniqueid": leg.uniqueid, "windows": old + pack(leg.windows)})
    if rows:
        statement = upsert(leg_quality)
        longer = {"windows": statement.excluded.windows}
        await connection.execute(statement.on_conflict_do_update(index_elements=["uniqueid"], set_=longer), rows)


async def _add_quarters(connection: AsyncConnection, quarters: Quarters) -> None:
    c = quality_quarter.c
    for (peer, at_us), sums in quarters.items():
        old = (await connection.execute(select(c.counts).where(c.peer == peer, c.at_us == at_us))).scalar()
        if old is None:
            await connection.execute(delete(quality_quarter).where(c.at_us < at_us - KEPT_US))
        sums.merge(old or {})
        values = {"peer": peer, "at_us": at_us, "counts": {name: round(n, 2) for name, n in sums.counts.items() if n}}
        statement = upsert(quality_quarter).values(values)
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["peer", "at_us"], set_={"counts": values["counts"]})
        )


def _quarter(window: Window) -> int:
    at_us = window.slot * WINDOW_S * 1_000_000
    return at_us - at_us % QUARTER_US
