"""Batches into the store: each event once, in order, all of a batch or nothing, and the mark with it."""

import asyncio

from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind
from contracts.sync import Batch, Event, Mark
from hq.boxes.changes import Changes, changes_of
from hq.store import calls
from hq.store.database import Database, Transaction
from hq.store.postgres import month_of

TRIES = 3
"""How often a batch is read again because another one of this box came first."""


class Gap(Exception):
    """The batch begins beyond what is held: the box goes on from the mark."""

    def __init__(self, mark: Mark) -> None:
        super().__init__(f"headquarters holds {mark.seq} of epoch {mark.epoch}")
        self.mark = mark


class Intake:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def mark(self, box: str, epoch: str) -> Mark:
        async with self._database.read() as transaction:
            return await _mark(transaction, box, epoch)

    async def take(self, batch: Batch) -> Mark:
        """Raises Gap; Fault CONFLICT when the epoch was followed by another one."""
        for _ in range(TRIES):
            mark = await self.mark(batch.box, batch.epoch)
            events = _beyond(batch, mark)
            if not events:
                return mark
            changes = await asyncio.to_thread(changes_of, events)
            started = [record.started_us for record in changes.calls.values() if record is not None]
            await self._database.make_months(sorted({month_of(time_us) for time_us in started}))
            after = await self._commit(batch, mark, events[-1].seq, changes)
            if after is not None:
                return after
        raise Fault(
            FaultKind.UNAVAILABLE, "batch.race", "Several batches of this box come at once.",
            hint="Send one after the other.", retry_after_s=1,
        )  # fmt: skip

    async def _commit(self, batch: Batch, before: Mark, last: int, changes: Changes) -> Mark | None:
        """None: another batch came first."""
        now = self._clock.now_us()
        async with self._database.write() as transaction:
            await transaction.lock_box(batch.box)
            if await _mark(transaction, batch.box, batch.epoch) != before:
                return None
            await _open_epoch(transaction, batch.box, batch.epoch, now)
            await _apply(transaction, batch.box, changes, now)
            await transaction.run(
                "UPDATE mark SET seq = ? WHERE box = ? AND epoch = ?", last, batch.box, batch.epoch
            )  # fmt: skip
            await transaction.run("UPDATE box SET heard_us = ? WHERE id = ?", now, batch.box)
        return Mark(batch.epoch, last)


def _beyond(batch: Batch, mark: Mark) -> tuple[Event, ...]:
    if batch.events[0].seq > mark.seq + 1:
        raise Gap(mark)
    return batch.events[max(0, mark.seq + 1 - batch.events[0].seq) :]


async def _mark(transaction: Transaction, box: str, epoch: str) -> Mark:
    found = await transaction.rows("SELECT seq FROM mark WHERE box = ? AND epoch = ?", box, epoch)
    return Mark(epoch, found[0]["seq"] if found else 0)


async def _open_epoch(transaction: Transaction, box: str, epoch: str, now: int) -> None:
    """A box writes in one epoch at a time. What comes late of an older one must not undo what the newer told."""
    row = await transaction.rows("SELECT epoch FROM box WHERE id = ?", box)
    if not row:
        raise Fault(FaultKind.NOT_FOUND, "box.unknown", f"There is no box {box}.", hint="Enrol it first.")
    if row[0]["epoch"] == epoch:
        return
    if await transaction.rows("SELECT 1 FROM mark WHERE box = ? AND epoch = ?", box, epoch):
        raise Fault(
            FaultKind.CONFLICT, "epoch.closed", "The box has begun a newer epoch since.",
            hint="Two boxes use one identity, or an old disk came back: enrol this box anew.",
        )  # fmt: skip
    await transaction.run("INSERT INTO mark (box, epoch, seq, began_us) VALUES (?, ?, 0, ?)", box, epoch, now)
    await transaction.run("UPDATE box SET epoch = ? WHERE id = ?", epoch, box)


def _upsert(table: str, key: str, columns: tuple[str, ...]) -> str:
    names = ("box", key, *columns)
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        f" ON CONFLICT (box, {key}) DO UPDATE SET {sets}"
    )


_RECORDING = _upsert("recording", "call_id", ("seconds", "size_bytes", "sha256", "finished_us"))
_SEAT = _upsert("seat", "id", ("at_us", "user_id", "extension", "state", "reason", "made_by"))
_ALARM = _upsert("alarm", "id", ("key", "level", "subject", "detail", "since_us", "cleared_us", "acked_by"))
_LEFT_OUT = (
    "INSERT INTO left_out (box, kind, why, count, last_us) VALUES (?, ?, ?, ?, ?) ON CONFLICT (box, kind) DO UPDATE SET"
    " why = excluded.why, count = left_out.count + excluded.count, last_us = excluded.last_us"
)


async def _apply(transaction: Transaction, box: str, changes: Changes, now: int) -> None:
    await calls.replace(transaction, box, changes.calls)
    for statement, rows in (
        (_RECORDING, changes.recordings), (_SEAT, changes.seats), (_ALARM, changes.alarms),
    ):  # fmt: skip
        if rows:
            await transaction.many(statement, [(box, key, *values) for key, values in rows.items()])
    if changes.left_out:
        told = [(box, one.kind, one.why, one.count, now) for one in changes.left_out.values()]
        await transaction.many(_LEFT_OUT, told)
    if changes.inventory is not None:
        await transaction.run("UPDATE box SET inventory = ? WHERE id = ?", changes.inventory, box)
