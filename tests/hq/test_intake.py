"""Batches are taken once, in order, whole, whatever happens; records, sums and mark always agree. On both databases."""

import asyncio
import random
import sqlite3
from dataclasses import replace

import psycopg
import pytest

from appliance_agent.kernel.errors import Fault
from contracts.sync import Kind, Mark
from hq.boxes.intake import Gap, Intake
from hq.store.database import Database
from hq.store.postgres import Postgres
from ledger.model import CallRecord, Result
from ledger.rollup import QUARTER_US, rollup
from tests.hq import told
from tests.hq.postgres import Server
from tests.hq.told import DAY_US, NOVEMBER, ONE, TWO, ClockOf, batch, call, gone, held, record, rows, sums


@pytest.fixture
async def intake(database: Database) -> Intake:
    await told.add_box(database)
    return Intake(database, ClockOf())


async def check(database: Database, *expected: CallRecord) -> None:
    """These calls are held, and the sums are theirs."""
    calls = await held(database)
    assert calls == {one.call_id: one for one in expected}
    assert await sums(database) == rollup(expected)


async def test_a_batch_that_comes_twice_is_taken_once(database: Database, intake: Intake) -> None:
    one, other = record("1.1"), record("1.2", answered_us=NOVEMBER + 9, talk_ms=5)
    for _ in range(3):
        assert await intake.take(batch(1, call(one), call(other))) == Mark(ONE, 2)
    assert await intake.mark("box-1", ONE) == Mark(ONE, 2)
    await check(database, one, other)


async def test_a_batch_before_its_time_waits_for_the_one_between(database: Database, intake: Intake) -> None:
    with pytest.raises(Gap) as gap:
        await intake.take(batch(2, call(record("1.2"))))
    assert gap.value.mark == Mark(ONE, 0)
    await check(database)
    await intake.take(batch(1, call(record("1.1"))))
    await intake.take(batch(2, call(record("1.2"))))
    await check(database, record("1.1"), record("1.2"))


async def test_of_a_batch_that_overlaps_only_the_new_part_counts(database: Database, intake: Intake) -> None:
    await intake.take(batch(1, call(record("1.1", wait_ms=1)), call(record("1.2"))))
    late = batch(2, call(record("1.2", wait_ms=99)), call(record("1.3")))
    assert await intake.take(late) == Mark(ONE, 3)
    await check(database, record("1.1", wait_ms=1), record("1.2"), record("1.3"))


async def test_later_events_replace_earlier_ones(database: Database, intake: Intake) -> None:
    """Within a batch and across batches; the longest wait of a quarter can become shorter again."""
    await intake.take(batch(1, call(record("1.1", wait_ms=90_000)), call(record("1.1", wait_ms=80_000))))
    await check(database, record("1.1", wait_ms=80_000))
    answered = record("1.1", wait_ms=10, answered_us=NOVEMBER, result=Result.ANSWERED)
    await intake.take(batch(3, call(record("1.2", wait_ms=20)), call(answered)))
    await check(database, answered, record("1.2", wait_ms=20))


@pytest.mark.parametrize("by_us", [QUARTER_US, 40 * DAY_US, -40 * DAY_US])
async def test_a_call_that_moved_its_start_is_there_once(database: Database, intake: Intake, by_us: int) -> None:
    stays, moved = record("1.2"), record("1.1", NOVEMBER + by_us)
    await intake.take(batch(1, call(record("1.1")), call(stays)))
    await intake.take(batch(3, call(moved)))
    await check(database, stays, moved)


async def test_a_call_that_is_gone_leaves_nothing(database: Database, intake: Intake) -> None:
    await intake.take(batch(1, call(record("1.1")), call(record("1.2")), call(record("1.3")), gone("1.3")))
    await intake.take(batch(5, gone("1.1"), gone("of nobody")))
    await check(database, record("1.2"))


async def test_a_new_epoch_may_repeat_what_the_older_told(database: Database, intake: Intake) -> None:
    await intake.take(batch(1, call(record("1.1")), call(record("1.2")), call(record("1.3"))))
    assert await intake.take(batch(1, call(record("1.2")), call(record("1.4")), epoch=TWO)) == Mark(TWO, 2)
    await check(database, *(record(f"1.{n}") for n in (1, 2, 3, 4)))


async def test_an_older_epoch_cannot_undo_the_newer(database: Database, intake: Intake) -> None:
    await intake.take(batch(1, call(record("1.1", wait_ms=1))))
    await intake.take(batch(1, call(record("1.1", wait_ms=2)), epoch=TWO))
    assert await intake.take(batch(1, call(record("1.1", wait_ms=1)))) == Mark(ONE, 1), "taken before: answered alike"
    with pytest.raises(Fault, match="newer epoch"):
        await intake.take(batch(2, call(record("1.1", wait_ms=3))))
    await check(database, record("1.1", wait_ms=2))


async def test_what_cannot_be_read_is_counted_and_holds_nothing_up(database: Database, intake: Intake) -> None:
    broken = (Kind.CALL, {"v": 1, "call_id": "1.9"})
    long = call(record("1.8", queue="q" * 5000))
    new = ("of tomorrow", {"a": 1})
    assert await intake.take(batch(1, new, broken, call(record("1.1")), new, long)) == Mark(ONE, 5)
    await check(database, record("1.1"))
    found = await rows(database, "SELECT kind, count, why FROM left_out ORDER BY kind")
    assert [row[:2] for row in found] == [("call", 2), ("of tomorrow", 2)]
    assert "queue" in found[0][2]


async def test_neighbour_versions_are_taken(database: Database, intake: Intake) -> None:
    for first, version in ((1, 0), (2, 2)):
        kind, body = call(record(f"1.{version}"))
        await intake.take(replace(batch(first, (kind, body | {"v": version, "mood": "good"})), version=version))
    await check(database, record("1.0"), record("1.2"))


async def test_the_other_kinds_are_kept_by_their_own_keys(database: Database, intake: Intake) -> None:
    seat = {"id": 1, "at_us": 5, "user_id": "u", "extension": "8001", "state": "idle", "reason": "", "by": "u"}
    alarm = {"id": 7, "key": "disk", "level": "warning", "subject": "/", "detail": {"free": 3}, "since_us": 1}
    sound = {"call_id": "1.1", "seconds": 60, "size_bytes": 99, "sha256": "ab", "finished_us": 8}
    await intake.take(batch(
        1, (Kind.SEAT, seat), (Kind.ALARM, alarm), (Kind.RECORDING, sound), (Kind.INVENTORY, {"version": "1"}),
        (Kind.SEAT, seat | {"state": "busy"}),
    ))  # fmt: skip
    await intake.take(batch(6, (Kind.ALARM, alarm | {"cleared_us": 2, "acked_by": "王"}), (Kind.RECORDING, sound)))
    assert await rows(database, "SELECT id, state FROM seat") == [(1, "busy")]
    assert await rows(database, "SELECT id, cleared_us, acked_by FROM alarm") == [(7, 2, "王")]
    assert await rows(database, "SELECT call_id, seconds FROM recording") == [("1.1", 60)]
    assert await rows(database, "SELECT inventory FROM box") == [('{"version": "1"}',)]


async def test_boxes_do_not_touch_each_other(database: Database, intake: Intake) -> None:
    await told.add_box(database, "box-2")
    await intake.take(batch(1, call(record("1.1", wait_ms=1))))
    await intake.take(batch(1, call(record("1.1", wait_ms=2)), gone("1.2"), box="box-2"))
    await intake.take(batch(2, gone("1.1")))
    assert await held(database) == {}
    assert await held(database, "box-2") == {"1.1": record("1.1", wait_ms=2)}
    assert await sums(database, "box-2") == rollup([record("1.1", wait_ms=2)])


async def test_batches_at_once_are_taken_once(database: Database, intake: Intake) -> None:
    told_twice = batch(1, *(call(record(f"1.{n}")) for n in range(50)))
    marks = await asyncio.gather(*(intake.take(told_twice) for _ in range(6)), return_exceptions=True)
    assert Mark(ONE, 50) in marks
    assert all(mark == Mark(ONE, 50) or isinstance(mark, Fault) for mark in marks)
    await check(database, *(record(f"1.{n}") for n in range(50)))


async def test_a_batch_that_fails_half_way_leaves_nothing(database: Database, intake: Intake) -> None:
    """Its calls were written when its seat could not be."""
    await intake.take(batch(1, call(record("1.1"))))
    async with database.write() as transaction:
        await transaction.run("ALTER TABLE seat RENAME TO seat_away")
    seat = {"id": 1, "at_us": 5, "user_id": "u", "extension": "8001", "state": "idle", "reason": "", "by": "u"}
    both = batch(2, gone("1.1"), call(record("1.2")), (Kind.SEAT, seat))
    with pytest.raises((psycopg.Error, sqlite3.Error, Fault)):
        await intake.take(both)
    await check(database, record("1.1"))
    assert await intake.mark("box-1", ONE) == Mark(ONE, 1)
    async with database.write() as transaction:
        await transaction.run("ALTER TABLE seat_away RENAME TO seat")
    assert await intake.take(both) == Mark(ONE, 4)
    await check(database, record("1.2"))


async def test_a_shorter_batch_at_once_does_not_turn_the_mark_back(database: Database, intake: Intake) -> None:
    calls = [call(record(f"1.{n}")) for n in range(20)]
    await asyncio.gather(intake.take(batch(1, *calls)), intake.take(batch(1, *calls[:5])), return_exceptions=True)
    held_now = (await intake.mark("box-1", ONE)).seq
    await intake.take(batch(held_now + 1, gone("1.0")))
    assert held_now in (5, 20)
    await check(database, *(record(f"1.{n}") for n in range(1, held_now)))


@pytest.mark.parametrize("seed", range(3))
async def test_any_history_ends_as_if_told_once(database: Database, intake: Intake, seed: int) -> None:
    """Cut into batches at random, repeated and reordered: what is held is the last word on each call."""
    dice = random.Random(seed)
    history = []
    last: dict[str, CallRecord | None] = {}
    for _ in range(120):
        call_id = f"1.{dice.randrange(25)}"
        if dice.random() < 0.15:
            history.append(gone(call_id))
            last[call_id] = None
        else:
            started = NOVEMBER + dice.randrange(40) * QUARTER_US * dice.choice([1, 200])
            answered = dice.choice([None, started + 5])
            one = record(call_id, started, answered_us=answered, wait_ms=dice.randrange(700_000), talk_ms=3,
                         queue=dice.choice(["", "sales", "fast"]))  # fmt: skip
            history.append(call(one))
            last[call_id] = one
    mark = 0
    while mark < len(history):
        first = max(1, mark + dice.choice([-9, -3, 1, 1, 1, 4]))
        try:
            mark = (await intake.take(batch(first, *history[first - 1 : first - 1 + dice.randint(1, 30)]))).seq
        except Gap as gap:
            assert gap.mark.seq == mark
    await check(database, *(one for one in last.values() if one is not None))


@pytest.mark.long
async def test_kill_9_of_postgresql_in_the_middle_of_a_batch(postgres_server: Server) -> None:
    """The batch has written its calls and waits for the seats' table, which another one holds: then all is dead."""
    address = postgres_server.new_database()
    database = Postgres(address)
    await database.prepare()
    await told.add_box(database)
    intake = Intake(database, ClockOf())
    await intake.take(batch(1, call(record("1.1"))))
    seat = {"id": 1, "at_us": 5, "user_id": "u", "extension": "8001", "state": "idle", "reason": "", "by": "u"}
    both = batch(2, gone("1.1"), call(record("1.2")), (Kind.SEAT, seat))
    holder = await psycopg.AsyncConnection.connect(address, autocommit=False)
    await holder.execute("LOCK TABLE seat IN ACCESS EXCLUSIVE MODE")
    taking = asyncio.create_task(intake.take(both))
    watcher = await psycopg.AsyncConnection.connect(address, autocommit=True)
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'seat'::regclass"
    async with asyncio.timeout(60):
        while await (await watcher.execute(waiting)).fetchone() is None:
            assert not taking.done()
    await asyncio.to_thread(postgres_server.kill)
    with pytest.raises(Fault, match="cannot be reached"):
        await taking
    for connection in (holder, watcher):
        await connection.close()
    await asyncio.to_thread(postgres_server.start)
    await check(database, record("1.1"))
    assert await intake.take(both) == Mark(ONE, 4)
    await check(database, record("1.2"))
    await database.close()
