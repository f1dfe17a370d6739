"""Windows in the database, and what a record and the report say of them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from sqlalchemy import event, insert, select

from appliance_agent.asterisk.link import Link
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.model import Desired, Site, Trunk
from appliance_agent.features.quality.api import QualityApi
from appliance_agent.features.quality.fold import Taken
from appliance_agent.features.quality.service import ALARM, Quality
from appliance_agent.features.quality.store import KEPT_US, MOST_BYTES, QUARTER_US, QualityStore, peer_of
from appliance_agent.features.records.store import RecordStore, Viewer
from appliance_agent.http.route import Identity
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import parse_rfc3339
from appliance_agent.store.database import Database
from appliance_agent.store.migrate import upgrade
from appliance_agent.store.tables import call_record, quality_quarter
from appliance_agent.system.alarms import Alarms
from contracts.paths import BoxPaths
from ledger.quality import Flow, Window
from tests.unit.people_agent import Agent, HandClock, add_user, agent, log_in, send, set_up
from tests.unit.test_records_api import START_US, row

SLOT = START_US // 10_000_000
TRUNK, PHONE = "PJSIP/trunk-mobile-00000001", "PJSIP/1001-00000002"
DAY = {"from": "2026-11-22T00:00:00+08:00", "to": "2026-11-23T00:00:00+08:00"}


def good(number: int = 0) -> Window:
    return Window(SLOT + number, Flow(500, 0, 1.0), Flow(500, 0, 1.0), 20.0)


def bad(number: int = 0) -> Window:
    return Window(SLOT + number, Flow(500, 100, 12.0), Flow(), None, 0.25, 80.0)


@dataclass
class Bed:
    agent: Agent
    database: Database
    store: QualityStore
    admin: aiohttp.ClientSession

    async def report(self, **query: str) -> Any:
        status, body = await send(self.admin, "GET", f"/reports/quality?{urlencode(DAY | query)}")
        assert status == 200, body
        return body


@pytest.fixture
async def bed(tmp_path: Path) -> AsyncIterator[Bed]:
    paths = BoxPaths(tmp_path)
    paths.data.mkdir(parents=True)
    paths.setup_link.write_text("one-time-token-of-this-box")
    upgrade(paths.database)
    config = ConfigHolder()
    config.set(1, Desired(site=Site(name="福田"), trunks=(Trunk(id="mobile", name="移动", host="192.0.2.1"),)))
    database = Database(paths.database)
    records, store = RecordStore(database), QualityStore(database)

    async def find(call_id: str, who: Identity) -> Mapping[str, Any] | None:
        return await records.one(call_id, Viewer(who.user_id, who.role))

    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(agent(tmp_path, QualityApi(store, find, config).routes()))
        stack.push_async_callback(database.close)
        admin = await stack.enter_async_context(running.client())
        assert (await set_up(admin))[0] == 201
        yield Bed(running, database, store, admin)


async def put_record(bed: Bed, *uniqueids: str) -> None:
    legs = [{"uniqueid": uniqueid} for uniqueid in uniqueids]
    detail = {"menu_path": [], "legs": legs, "queue_visits": [], "timeline": []}
    async with bed.database.write() as connection:
        await connection.execute(insert(call_record), [row(1, detail=detail)])


@pytest.mark.parametrize(
    ("channel", "peer"),
    [(TRUNK, "mobile"), ("PJSIP/trunk-a-b-00000001", "a-b"), (PHONE, ""), ("DAHDI/1-1", ""), ("", "")],
)
def test_peers(channel: str, peer: str) -> None:
    assert peer_of(channel) == peer


async def test_a_legs_windows_go_on_where_they_ended(bed: Bed) -> None:
    """Also when another agent began them: nothing is kept but the database."""
    await bed.store.add([Taken("1.0", TRUNK, (good(0), bad(1))), Taken("1.1", PHONE, (good(0),))])
    await QualityStore(bed.database).add([Taken("1.0", TRUNK, (good(3),))])
    assert await bed.store.windows(["1.0", "1.1", "1.2"]) == {"1.0": [good(0), bad(1), good(3)], "1.1": [good(0)]}


async def test_a_leg_that_never_ends_is_kept_for_a_day(bed: Bed) -> None:
    day = tuple(good(number) for number in range(MOST_BYTES // 22))
    await bed.store.add([Taken("1.0", TRUNK, day)])
    await bed.store.add([Taken("1.0", TRUNK, (bad(8640),))])
    assert len((await bed.store.windows(["1.0"]))["1.0"]) == 8640


async def test_a_record_tells_its_legs(bed: Bed) -> None:
    await put_record(bed, "1.0", "1.1", "1.2")
    await bed.store.add([Taken("1.2", PHONE, (good(0),)), Taken("1.0", TRUNK, (good(0), bad(1))),
                         Taken("9.9", TRUNK, (good(0),))])  # fmt: skip
    status, body = await send(bed.admin, "GET", "/records/1.0/quality")
    assert status == 200
    assert body["window_s"] == 10
    trunk, phone = body["legs"]
    assert [trunk["uniqueid"], phone["uniqueid"]] == ["1.0", "1.2"], "in the record's order; of 1.1 nothing is known"
    series = trunk["windows"]
    assert series["at"] == ["2026-11-21T16:00:00.000Z", "2026-11-21T16:00:10.000Z"]
    assert series["loss_came"] == [0.0, 0.2]
    assert series["loss_went"] == [0.0, None]
    assert (series["r_went"][1], series["mos_went"][1], series["rtt_ms"][1]) == (None, None, None)
    assert (series["concealed"], series["buffer_ms"]) == ([None, 0.25], [None, 80.0])
    assert series["r_came"][0] == 91.5
    assert series["mos_came"][0] == 4.37
    assert (trunk["category_came"], trunk["category_went"]) == ("low", "best")
    assert trunk["figures"]["loss_came"] == 0.1


async def test_a_record_without_sound_over_ip(bed: Bed) -> None:
    await put_record(bed, "1.0")
    assert (await send(bed.admin, "GET", "/records/1.0/quality"))[1] == {"window_s": 10, "legs": []}


async def test_who_may_see_what(bed: Bed) -> None:
    await put_record(bed, "1.0")
    for name in ("anna", "tom"):
        await add_user(bed.admin, name, role={"anna": "agent", "tom": "technician"}[name])
    async with bed.agent.client() as anna, bed.agent.client() as tom, bed.agent.client() as nobody:
        await log_in(anna, "anna")
        await log_in(tom, "tom")
        status, body = await send(anna, "GET", "/records/1.0/quality")
        assert (status, body["error"]["key"]) == (404, "records.unknown"), "a call that is none of theirs"
        report = f"/reports/quality?{urlencode(DAY)}"
        got = [(await send(client, "GET", path))[0] for client in (anna, tom, nobody)
               for path in (report, "/records/1.0/quality")]  # fmt: skip
        assert got == [403, 404, 403, 403, 401, 401]


async def test_the_report_by_trunk_and_hour(bed: Bed) -> None:
    await bed.store.add([Taken("1.0", TRUNK, (good(0), bad(1))), Taken("1.1", PHONE, (good(0), good(1)))])
    await bed.store.add([Taken("1.0", TRUNK, (bad(2), bad(359), bad(360))), Taken("2.0", TRUNK, (good(361),))])
    report = await bed.report(lang="en")
    assert (report["site"], report["timezone"], len(report["buckets"])) == ("福田", "Asia/Shanghai", 24)
    seen = [(cell["peer"], cell["bucket"][11:13], cell["legs"], cell["poor"]) for cell in report["cells"]]
    assert seen == [("", "00", 1, 0.0), ("mobile", "00", 1, 0.75), ("mobile", "01", 1, 0.5)]
    assert [(peer["peer"], peer["name"], peer["legs"]) for peer in report["peers"]] == [
        ("", "", 1),
        ("mobile", "移动", 2),
    ]
    assert [peer["category"] for peer in report["peers"]] == ["best", "poor"]
    assert report["total"]["legs"] == 3
    assert report["definitions"]["poor"].startswith("Share of the 10 s windows")
    by_hour = await bed.report(by="hour_of_day")
    assert [cell["bucket"] for cell in by_hour["cells"]] == ["00", "00", "01"]


async def test_nothing_yet(bed: Bed) -> None:
    report = await bed.report()
    assert (report["cells"], report["peers"]) == ([], [])
    assert report["total"]["r_came"] is None


@pytest.mark.parametrize(
    "query", [{"to": "2026-11-22T00:00:00+08:00"}, {"to": "2027-11-22T00:00:00+08:00"}, {"by": "week"}, {"from": "now"}]
)
async def test_what_cannot_be_reported(bed: Bed, query: dict[str, str]) -> None:
    status, body = await send(bed.admin, "GET", f"/reports/quality?{urlencode(DAY | query)}")
    assert status == 422
    assert body["error"]["fields"][0]["path"].startswith("query/")


async def test_no_whole_table_is_read(bed: Bed) -> None:
    """Years of sums are there: a call's end and a report find their own."""
    ran: list[tuple[str, Any]] = []
    event.listen(bed.database._engine.sync_engine, "before_cursor_execute", lambda *told: ran.append(told[2:4]))
    await bed.store.add([Taken("1.0", TRUNK, (good(0),)), Taken("1.1", PHONE, (good(0),))])
    await bed.store.windows(["1.0", "1.1"])
    await bed.report()
    of_ours = [(text, values) for text, values in ran if "quality" in text and not text.startswith("INSERT")]
    assert len(of_ours) >= 6
    async with bed.database.read() as connection:
        for text, values in of_ours:
            plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)).all()
            assert not [step for step in plan if step[3].startswith("SCAN")], text


async def test_no_alarm_is_left_of_a_trunk_that_is_none_any_more(bed: Bed) -> None:
    """Also when it went while the agent was restarted, and nobody calls."""
    bus, clock, config = Bus(), HandClock(), ConfigHolder()
    config.set(1, Desired(trunks=(Trunk(id="mobile", name="移动", host="192.0.2.1"),)))
    alarms = Alarms(bed.database, bus, clock)
    for trunk in "mobile", "gone":
        await alarms.raise_(ALARM, "warning", trunk, {})
    link = Link(bus, secrets=Path("/nowhere"), seen=Path("/nowhere"))
    quality = Quality(link=link, bus=bus, clock=clock, store=bed.store, alarms=alarms, config=config)
    await quality._keep(ended_only=False)
    assert [alarm["subject"] for alarm in await alarms.open()] == ["mobile"]


async def test_quarters_older_than_any_report_go(bed: Bed) -> None:
    old = (START_US - KEPT_US - QUARTER_US) // 10_000_000 - SLOT
    await bed.store.add([Taken("0.1", TRUNK, (good(old),)), Taken("0.2", TRUNK, (good(old + 180),))])
    await bed.store.add([Taken("1.0", TRUNK, (good(0),))])
    async with bed.database.read() as connection:
        rows = await connection.execute(select(quality_quarter.c.at_us).order_by(quality_quarter.c.at_us))
        assert rows.scalars().all() == [START_US - KEPT_US + QUARTER_US, parse_rfc3339(DAY["from"])]
