"""The link against a headquarters that speaks the contracts over TLS: nothing lost, nothing twice, nobody else told."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from appliance_agent.kernel.bus import Subscription
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import LiveChanged
from appliance_agent.store.outbox import tell
from appliance_agent.store.tables import alarm
from appliance_agent.system.hq_link import backfill, retry, sender, service
from appliance_agent.system.hq_link.answers import parse_address
from appliance_agent.system.hq_link.packing import fill
from contracts import live
from contracts.sync import MOST_BYTES, Event, Kind, unpack
from tests.unit.hq_box import box_at
from tests.unit.hq_kit import Headquarters, headquarters


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_S", 0.02)
    monkeypatch.setattr(sender, "LOOK_S", 0.02)
    monkeypatch.setattr(service, "WATCH_S", 0.02)


@pytest.fixture
async def hq(tmp_path: Path) -> AsyncIterator[Headquarters]:
    async with headquarters(tmp_path) as made:
        yield made


def seats(hq: Headquarters) -> list[int]:
    """Each once: what a new epoch tells from before may be told as new, too; it is an upsert by its id."""
    return list(dict.fromkeys(one.body["id"] for one in hq.events() if one.kind == Kind.SEAT))


def in_order(hq: Headquarters) -> bool:
    return [event.seq for event in hq.events()] == list(range(1, len(hq.events()) + 1))


async def test_what_was_before_and_what_comes_arrives_once(hq: Headquarters, tmp_path: Path) -> None:
    async with box_at(tmp_path) as box:
        await box.happens(3)
        await box.link.join(hq.address, hq.authority.code.lower())
        await hq.until(lambda: sorted(seats(hq)) == [1, 2, 3])
        await box.happens(2)
        await hq.until(lambda: sorted(seats(hq)) == [1, 2, 3, 4, 5])
        view = (await box.link.view())["joined"]
    assert (view["branch"], view["trouble"]) == ("Harbour", "")
    assert view["certificate_ends"].endswith("GMT")
    assert in_order(hq)
    assert [one.body["version"] for one in hq.events() if one.kind == Kind.INVENTORY] == ["1"]


@pytest.mark.parametrize("fault", ["lose_answer", "error", "garbage", "huge"])
async def test_after_a_fault_it_goes_on_where_headquarters_is(hq: Headquarters, tmp_path: Path, fault: str) -> None:
    hq.faults += [fault, fault]
    async with box_at(tmp_path) as box:
        await box.link.join(hq.address, hq.authority.code)
        await hq.until(lambda: hq.events() != [])
        await box.happens(5)
        await hq.until(lambda: len(seats(hq)) == 5)
        assert hq.faults == []
    assert sorted(seats(hq)) == [1, 2, 3, 4, 5]
    assert in_order(hq)
    assert len(hq.epochs) == 1


async def test_headquarters_that_lost_some_is_told_all_again(hq: Headquarters, tmp_path: Path) -> None:
    async with box_at(tmp_path) as box:
        await box.link.join(hq.address, hq.authority.code)
        await box.happens(4)
        await hq.until(lambda: len(seats(hq)) == 4)
        hq.faults.append("drop")
        await box.happens(1)
        await hq.until(lambda: len(hq.epochs) == 2 and len(seats(hq)) == 5)
    assert sorted(seats(hq)) == [1, 2, 3, 4, 5]
    assert in_order(hq)


async def test_agent_that_starts_again_goes_on_in_its_epoch(hq: Headquarters, tmp_path: Path) -> None:
    async with box_at(tmp_path) as box:
        await box.link.join(hq.address, hq.authority.code)
        await box.happens(2)
        await hq.until(lambda: len(seats(hq)) == 2)
    async with box_at(tmp_path) as box:
        await box.happens(1)
        await hq.until(lambda: len(seats(hq)) == 3)
    assert len(hq.epochs) == 1
    assert in_order(hq)


async def test_restored_backup_begins_a_new_epoch(hq: Headquarters, tmp_path: Path) -> None:
    async with box_at(tmp_path) as box:
        await box.link.join(hq.address, hq.authority.code)
        await box.happens(1)
        await hq.until(lambda: len(seats(hq)) == 1)
    await asyncio.to_thread(_copy, tmp_path / "box.db", tmp_path / "backup.db")
    async with box_at(tmp_path) as box:
        await box.happens(2)
        await hq.until(lambda: len(seats(hq)) == 3)
    await asyncio.to_thread(_copy, tmp_path / "backup.db", tmp_path / "box.db")
    async with box_at(tmp_path) as box:
        await box.happens(1)
        await hq.until(lambda: len(hq.epochs) == 2 and len(seats(hq)) == 2)
    assert sorted(seats(hq)) == [1, 2]
    assert in_order(hq)


async def test_impostor_does_not_hear_the_secret(tmp_path: Path) -> None:
    async with headquarters(tmp_path, impostor=True) as other, box_at(tmp_path) as box:
        with pytest.raises(Fault) as caught:
            await box.link.join(other.address, other.shown.code)  # it shows the true authority
        assert caught.value.key == "hq.enrol"
        with pytest.raises(Fault) as caught:
            other.shown = other.authority
            await box.link.join(other.address, "0123-4567-89AB-CDEF-0000-0000-0000-0000")
        assert caught.value.key == "hq.pin"
        assert other.secrets == []
        assert (await box.link.view()) == {"joined": None}


@pytest.mark.parametrize("address", ["", "hq:0", "hq:99999", "hq/evil", "a b", "user@hq", ":443"])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        parse_address(address)


async def test_wrong_code_is_told_and_changes_nothing(hq: Headquarters, tmp_path: Path) -> None:
    wrong = "ZZZZ" + hq.authority.code[4:]
    async with box_at(tmp_path) as box:
        with pytest.raises(Fault, match="unknown code"):
            await box.link.join(hq.address, wrong)
        with pytest.raises(Fault, match="letters and digits"):
            await box.link.join(hq.address, "1234")
    assert [path.name for path in (tmp_path / "headquarters").iterdir()] == []


async def test_live_state_and_commands(hq: Headquarters, tmp_path: Path) -> None:
    async with box_at(tmp_path) as box:
        await box.link.join(hq.address, hq.authority.code)
        await hq.until(lambda: len(hq.states) >= 2)
        assert [said["type"] for said in hq.states[:2]] == ["hello", "state"]
        assert hq.states[1]["trunks"] == {"t1": "reachable"}
        await box.alarms.raise_("disk.space", "warning", "", {})
        (socket,) = hq.sockets
        order = {"type": "command", "by": "chief", "arguments": {"alarm": "1"}}
        await socket.send_str("nonsense")
        await socket.send_json(order | {"id": "a", "name": "acknowledge"})
        await socket.send_json(order | {"id": "b", "name": "format_disk"})
        await socket.send_json(order | {"id": "c", "name": "acknowledge", "arguments": {"alarm": "77"}})
        await socket.send_json(order | {"id": "d", "name": "sync_now"})
        await hq.until(lambda: len(hq.results) == 4)
        found = {said["id"]: said["ok"] or said["error"]["code"] for said in hq.results}
        assert found == {"a": True, "b": "hq.command", "c": "alarms.unknown", "d": True}
        assert (await box.alarms.open())[0]["acked_by"] == "chief"


async def test_a_socket_that_breaks_in_a_command_is_made_anew(
    hq: Headquarters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def hold(_alarm: str, _by: str) -> dict[str, Any]:
        begun.set()
        await asyncio.Event().wait()
        return {}

    async with box_at(tmp_path) as box:
        monkeypatch.setattr(box.alarms, "ack", hold)
        await box.link.join(hq.address, hq.authority.code)
        await hq.until(lambda: len(hq.states) == 2)
        order = {"type": "command", "by": "chief", "arguments": {"alarm": "1"}, "id": "a", "name": "acknowledge"}
        await hq.sockets[0].send_json(order)
        await asyncio.wait_for(begun.wait(), 60)
        async with asyncio.timeout(live.STATE_S / 2):  # a state that cannot be said would tell later
            await hq.sockets[0].close()
            await hq.until(lambda: len(hq.sockets) == 2 and len(hq.states) == 4)
        assert hq.results == []


async def test_headquarters_that_lost_all_is_told_it_again_though_nothing_happens(
    hq: Headquarters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "ASK_S", 0.02)
    async with box_at(tmp_path) as box:
        await box.happens(3)
        await box.link.join(hq.address, hq.authority.code)
        await hq.until(lambda: sorted(seats(hq)) == [1, 2, 3])
        hq.epochs.clear()
        await hq.until(lambda: sorted(seats(hq)) == [1, 2, 3])
        assert in_order(hq)


async def test_headquarters_away_is_an_alarm_until_it_answers(
    hq: Headquarters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with box_at(tmp_path) as box:
        await box.link.join(hq.address, hq.authority.code)
        await hq.until(lambda: hq.events() != [])
        with box.bus.subscribe(LiveChanged) as changes:
            monkeypatch.setattr(service, "AWAY_S", -1.0)
            assert (await _alarm(changes))["key"] == service.ALARM
            monkeypatch.setattr(service, "AWAY_S", 600.0)
            assert await _alarm(changes) is None


async def test_box_that_left_tells_nothing_more(hq: Headquarters, tmp_path: Path) -> None:
    async with box_at(tmp_path) as box:
        await box.link.join(hq.address, hq.authority.code)
        await hq.until(lambda: len(hq.sockets) == 1 and hq.states != [])
        await box.link.leave()
        await hq.until(lambda: hq.sockets[0].closed)
        assert await box.link.view() == {"joined": None}
        assert not (tmp_path / "headquarters/key.pem").exists()


async def test_backfill_waits_while_much_is_to_be_told(
    hq: Headquarters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "STEP", 3)
    monkeypatch.setattr(backfill, "WAITING", 4)
    async with box_at(tmp_path) as box:
        await box.happens(20)
        await box.link.join(hq.address, hq.authority.code)
        await hq.until(lambda: len(seats(hq)) == 20)
    assert seats(hq)[0] == 20, "newest first"
    assert sorted(seats(hq)) == list(range(1, 21))


async def test_alarm_that_was_forgotten_keeps_its_number(hq: Headquarters, tmp_path: Path) -> None:
    async with box_at(tmp_path) as box:
        await box.link.join(hq.address, hq.authority.code)
        await hq.until(lambda: hq.events() != [])
        async with box.database.write() as connection:
            await tell(connection, Kind.ALARM, ["999"], 1)
            await connection.execute(alarm.delete())
        await hq.until(lambda: any(one.kind == Kind.VOID for one in hq.events()))
    assert in_order(hq)


def test_batches_keep_to_the_limits() -> None:
    big = {"text": "x" * (MOST_BYTES // 3)}
    events = [Event(n, "seat", 1, big) for n in range(1, 6)]
    packed = fill("b", "00000000000000000000000000000000", events)
    assert packed.last == 2
    assert len(unpack(packed.data).events) == 2
    alone = fill(
        "b",
        "00000000000000000000000000000000",
        [Event(1, "seat", 1, {"text": "x" * MOST_BYTES}), Event(2, "seat", 1, {})],
    )
    assert [event.kind for event in unpack(alone.data).events] == ["void", "seat"]


def test_waits_grow_and_have_a_limit() -> None:
    assert retry.delay_s(1, 0.0) < retry.delay_s(3, 0.0) < retry.delay_s(1000, 1.0) <= retry.LONGEST_S
    assert retry.pause_s(125_000, 0.25, 1000) == 0.75
    assert retry.pause_s(125_000, 0.0, 0) == 0.0


async def _alarm(changes: Subscription) -> Any:
    """The next change of an alarm; None: it went."""
    async with asyncio.timeout(30):
        async for event in changes:
            if event.kind == "alarms":
                return event.object
    raise AssertionError("the bus never ends")


def _copy(source: Path, target: Path) -> None:
    for path in (target, *(target.with_name(target.name + end) for end in ("-wal", "-shm"))):
        path.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
