"""Levels, alarms in a real database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import LiveChanged
from appliance_agent.store.database import Database
from appliance_agent.store.migrate import upgrade
from appliance_agent.system.alarms import Alarms, Level
from appliance_agent.system.limits import MIB, Space, disk_level, memory_level


@pytest.mark.parametrize(
    ("free_mib", "level"), [(100_000, None), (2100, None), (2000, "warning"), (501, "warning"), (499, "critical")]
)
def test_disk_levels_of_a_large_disk(free_mib: int, level: str | None) -> None:
    assert disk_level(Space(free_mib * MIB, 200_000 * MIB)) == level


@pytest.mark.parametrize(("free_mib", "level"), [(150, None), (90, "warning"), (40, "critical")])
def test_a_small_disk_is_judged_by_its_share(free_mib: int, level: str | None) -> None:
    assert disk_level(Space(free_mib * MIB, 1000 * MIB)) == level


@pytest.mark.parametrize(("free", "level"), [(11, None), (9, "warning"), (4, "critical")])
def test_memory_levels(free: int, level: str | None) -> None:
    assert memory_level(Space(free, 100)) == level


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    upgrade(tmp_path / "box.db")
    made = Database(tmp_path / "box.db")
    yield made
    await made.close()


async def test_an_alarm_is_one_until_it_is_cleared(database: Database) -> None:
    bus = Bus()
    alarms = Alarms(database, bus, SystemClock())
    with bus.subscribe(LiveChanged) as told:
        await alarms.raise_("trunk.unreachable", Level.WARNING, "main", {"n": 1})
        first = await told.get()
        await alarms.raise_("trunk.unreachable", Level.WARNING, "main", {"n": 1})
        await alarms.raise_("trunk.unreachable", Level.CRITICAL, "main", {"n": 2})
        second = await told.get()
        assert (first.id, first.object["since"]) == (second.id, second.object["since"])
        assert second.object["level"] == "critical"
        await alarms.raise_("trunk.unreachable", Level.WARNING, "other", {})
        assert [alarm["subject"] for alarm in await alarms.open()] == ["other", "main"]
        acked = await alarms.ack(first.id, "boss")
        assert acked["acked_by"] == "boss"
        await alarms.clear("trunk.unreachable", "main")
        await alarms.clear("trunk.unreachable", "main")
        assert [alarm["subject"] for alarm in await alarms.open()] == ["other"]
        listed = await alarms.list()
        assert [(alarm["subject"], alarm["cleared_at"] is None) for alarm in listed] == [
            ("other", True),
            ("main", False),
        ]
        await alarms.raise_("trunk.unreachable", Level.WARNING, "main", {})
        assert len(await alarms.list()) == 3


@pytest.mark.parametrize("id_", ["1", "x", "-1", "9" * 30, "１"])
async def test_no_such_alarm(database: Database, id_: str) -> None:
    with pytest.raises(Fault, match="no alarm"):
        await Alarms(database, Bus(), SystemClock()).ack(id_, "boss")
