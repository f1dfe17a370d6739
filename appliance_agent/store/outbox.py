"""What headquarters is still to be told: rows that name what changed, written in the transaction that changed it.

A row names a call, a recording, a seat's event or an alarm; its state is read when a batch is packed. So the outbox
stays small, and changes of one thing that were not packed yet are one row: at most one such row each, beside those of
the batches under way. Numbers are given here, one after the other, by the box's only writer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance_agent.kernel.ids import new_id
from appliance_agent.store.database import Database
from appliance_agent.store.tables import outbox, sync_state
from contracts.sync import Kind

TELLABLE = (Kind.CALL, Kind.RECORDING, Kind.SEAT, Kind.ALARM)
"""What a new epoch tells from its beginning. The order in which that is done."""


@dataclass(frozen=True, slots=True)
class SyncState:
    """The row of a box that belongs to a headquarters."""

    epoch: str
    next_seq: int
    packed: int
    """Up to here numbers may have left the box: their rows are not joined by later changes."""
    mark: int
    """Up to here HQ has them."""
    address: str
    branch: str
    rate_kbit: int
    enrolled_us: int
    backfill: dict[str, int | None]
    """Kind → rowid below which everything is still to be told; None: not begun. Kinds that are done are not here."""
    inventory: dict[str, Any] | None

    @property
    def backlog(self) -> int:
        return self.next_seq - 1 - self.mark


@dataclass(frozen=True, slots=True)
class Row:
    seq: int
    kind: str
    key: str
    at_us: int


async def tell(connection: AsyncConnection, kind: Kind, keys: Iterable[str], at_us: int) -> None:
    """These changed, in this transaction. Nothing happens on a box that belongs to no headquarters.

    Only within `Database.write`: two writers at once would give the same numbers.
    """
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return
    state = (await connection.execute(select(sync_state.c.next_seq, sync_state.c.packed))).one_or_none()
    if state is None:
        return
    c = outbox.c
    query = select(c.key).where(c.kind == kind.value, c.key.in_(wanted), c.seq > state.packed)
    waiting = set((await connection.execute(query)).scalars())
    new = [key for key in wanted if key not in waiting]
    if not new:
        return
    rows = [
        {"seq": state.next_seq + n, "kind": kind.value, "key": key, "at_us": at_us} for n, key in enumerate(new)
    ]  # fmt: skip
    await connection.execute(insert(outbox), rows)
    await connection.execute(update(sync_state).values(next_seq=state.next_seq + len(new)))


class Outbox:
    """The link's side of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self) -> SyncState | None:
        """None: the box belongs to no headquarters."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(*_STATE))).mappings().one_or_none()
        return SyncState(**row) if row else None

    async def join(self, address: str, branch: str, now_us: int) -> None:
        """From now on changes are told, and what was before in steps (`appliance_agent.system.hq_link.backfill`)."""
        values = {"id": 1, "address": address, "branch": branch, "enrolled_us": now_us, "rate_kbit": 0} | _fresh()
        async with self._database.write() as connection:
            await connection.execute(delete(outbox))
            await connection.execute(upsert(sync_state).values(values).on_conflict_do_update(["id"], set_=values))

    async def leave(self) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(outbox))
            await connection.execute(delete(sync_state))

    async def new_epoch(self) -> None:
        """Numbers begin at 1 again, and everything is told again."""
        async with self._database.write() as connection:
            await connection.execute(delete(outbox))
            await connection.execute(update(sync_state).values(_fresh()))

    async def limit(self, rate_kbit: int) -> None:
        async with self._database.write() as connection:
            await connection.execute(update(sync_state).values(rate_kbit=rate_kbit))

    async def take(self, epoch: str, after: int, limit: int) -> list[Row]:
        """The next rows for a batch. From now on their numbers may have left the box.

        Read the state of what they name after this returned: a change since then has a row of its own.
        """
        query = select(outbox).where(outbox.c.seq > after).order_by(outbox.c.seq).limit(limit)
        async with self._database.write() as connection:
            if (await connection.execute(select(sync_state.c.epoch))).scalar() != epoch:
                return []
            rows = [Row(*row) for row in await connection.execute(query)]
            if rows:
                last = rows[-1].seq
                await connection.execute(update(sync_state).where(sync_state.c.packed < last).values(packed=last))
        return rows

    async def took(self, epoch: str, mark: int) -> None:
        """HQ has everything up to `mark`."""
        async with self._database.write() as connection:
            behind = update(sync_state).where(sync_state.c.epoch == epoch, sync_state.c.mark < mark)
            if (await connection.execute(behind.values(mark=mark))).rowcount:
                await connection.execute(delete(outbox).where(outbox.c.seq <= mark))

    async def note_inventory(self, inventory: dict[str, Any], now_us: int) -> None:
        """Told when it is not what was told last."""
        async with self._database.write() as connection:
            row = (await connection.execute(select(sync_state.c.inventory))).one_or_none()
            if row is not None and row.inventory != inventory:
                await connection.execute(update(sync_state).values(inventory=inventory))
                await tell(connection, Kind.INVENTORY, [""], now_us)


_STATE = [column for column in sync_state.c if column.name != "id"]


def _fresh() -> dict[str, Any]:
    return {
        "epoch": new_id(), "next_seq": 1, "packed": 0, "mark": 0, "inventory": None,
        "backfill": {kind.value: None for kind in TELLABLE},
    }  # fmt: skip
