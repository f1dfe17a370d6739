"""The outbox: one number after the other, in the transaction of what changed, and small."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from appliance_agent.features.seats.model import Note, Seat, SeatState
from appliance_agent.features.seats.store import SeatStore
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.store.database import Database
from appliance_agent.store.migrate import upgrade
from appliance_agent.store.outbox import Outbox, tell
from appliance_agent.store.tables import outbox as rows
from appliance_agent.store.tables import seat_event
from appliance_agent.system.alarms import Alarms
from contracts.sync import Kind


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    await asyncio.to_thread(upgrade, tmp_path / "box.db")
    made = Database(tmp_path / "box.db")
    yield made
    await made.close()


@pytest.fixture
async def outbox(database: Database) -> Outbox:
    made = Outbox(database)
    await made.join("hq.example:443", "Harbour", 1)
    return made


async def change(database: Database, *keys: str, kind: Kind = Kind.CALL) -> None:
    async with database.write() as connection:
        await tell(connection, kind, keys, 7)


async def told(database: Database) -> list[tuple[int, str, str]]:
    async with database.read() as connection:
        found = await connection.execute(select(rows.c.seq, rows.c.kind, rows.c.key).order_by(rows.c.seq))
        return [(row.seq, row.kind, row.key) for row in found]


async def epoch_of(outbox: Outbox) -> str:
    state = await outbox.state()
    assert state is not None
    return state.epoch


async def test_box_without_headquarters_writes_nothing(database: Database) -> None:
    await change(database, "a")
    assert await told(database) == []
    assert await Outbox(database).state() is None


async def test_changes_of_one_thing_that_were_not_packed_are_one_row(database: Database, outbox: Outbox) -> None:
    await change(database, "a", "b", "a")
    await change(database, "a")
    await change(database, "a", kind=Kind.RECORDING)
    assert await told(database) == [(1, "call", "a"), (2, "call", "b"), (3, "recording", "a")]


async def test_change_after_packing_has_a_number_of_its_own(database: Database, outbox: Outbox) -> None:
    await change(database, "a", "b")
    epoch = await epoch_of(outbox)
    assert [row.seq for row in await outbox.take(epoch, 0, 1)] == [1]
    await change(database, "a", "b")
    assert await told(database) == [(1, "call", "a"), (2, "call", "b"), (3, "call", "a")]


async def test_numbers_go_on_when_all_was_taken(database: Database, outbox: Outbox) -> None:
    epoch = await epoch_of(outbox)
    await change(database, "a", "b", "c")
    await outbox.take(epoch, 0, 10)
    await outbox.took(epoch, 3)
    assert await told(database) == []
    await outbox.took(epoch, 2)  # an answer that comes late
    await change(database, "a")
    assert await told(database) == [(4, "call", "a")]
    state = await outbox.state()
    assert state is not None
    assert (state.mark, state.backlog) == (3, 1)


async def test_what_was_rolled_back_leaves_no_gap(database: Database, outbox: Outbox) -> None:
    await change(database, "a")
    with pytest.raises(RuntimeError, match="disk full"):
        async with database.write() as connection:
            await tell(connection, Kind.CALL, ["b", "c"], 7)
            raise RuntimeError("disk full")
    await change(database, "d")
    assert await told(database) == [(1, "call", "a"), (2, "call", "d")]


async def test_many_writers_at_once_give_numbers_without_gaps(database: Database, outbox: Outbox) -> None:
    async with asyncio.TaskGroup() as tasks:
        for n in range(40):
            tasks.create_task(change(database, f"a{n}", f"b{n}"))
    assert [seq for seq, _, _ in await told(database)] == list(range(1, 81))


async def test_new_epoch_begins_at_one_and_answers_of_the_old_one_change_nothing(
    database: Database, outbox: Outbox
) -> None:
    old = await epoch_of(outbox)
    await change(database, "a", "b")
    await outbox.take(old, 0, 10)
    await outbox.new_epoch()
    await change(database, "c")
    await outbox.took(old, 2)
    assert await outbox.take(old, 0, 10) == []
    assert await told(database) == [(1, "call", "c")]
    assert await epoch_of(outbox) != old


async def test_box_that_left_keeps_nothing(database: Database, outbox: Outbox) -> None:
    await change(database, "a")
    await outbox.leave()
    await change(database, "b")
    assert await told(database) == []


async def test_inventory_is_told_when_it_changed(database: Database, outbox: Outbox) -> None:
    for version in ("1", "1", "2"):
        await outbox.note_inventory({"version": version}, 5)
        await outbox.take(await epoch_of(outbox), 0, 10)
    assert [kind for _, kind, _ in await told(database)] == ["inventory", "inventory"]


async def test_alarms_tell_when_they_are_raised_seen_and_cleared(database: Database, outbox: Outbox) -> None:
    epoch, alarms = await epoch_of(outbox), Alarms(database, Bus(), SystemClock())
    await alarms.raise_("disk.space", "warning", "", {})
    assert await told(database) == [(1, "alarm", "1")]
    await outbox.take(epoch, 0, 10)
    await alarms.raise_("disk.space", "warning", "", {})  # as before: nothing to tell
    await alarms.ack("1", "boss")
    await outbox.take(epoch, 0, 10)
    await alarms.clear("disk.space", "")
    assert [key for _, _, key in await told(database)] == ["1", "1", "1"]


async def test_seats_tell_their_events(database: Database, outbox: Outbox) -> None:
    seat = Seat("u1", "Li", "8001", False, "", 5)
    await SeatStore(database).write([Note(seat, SeatState.IDLE), Note(seat, SeatState.BUSY)], "", 9)
    assert await told(database) == [(1, "seat", "1"), (2, "seat", "2")]
    async with database.read() as connection:
        assert len((await connection.execute(select(seat_event))).all()) == 2


async def test_event_of_a_row_that_could_not_be_written_is_not_told(database: Database, outbox: Outbox) -> None:
    values = {"id": 1, "at_us": 1, "user_id": "u", "extension": "1", "state": "idle", "reason": "", "by": ""}
    await _write_event(database, values)
    with pytest.raises(Exception, match="UNIQUE"):
        await _write_event(database, values)
    assert await told(database) == [(1, "seat", "1")]


async def _write_event(database: Database, values: dict[str, object]) -> None:
    async with database.write() as connection:
        await tell(connection, Kind.SEAT, [str(values["id"])], 1)
        await connection.execute(insert(seat_event).values(values))
