"""Records and reports over HTTP: who sees what, filters, paging, files; and ten thousand rows."""

import csv
import io
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import insert

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.features.records import wav
from appliance_agent.features.records.api import RecordsApi
from appliance_agent.features.records.store import RecordingRow, RecordStore
from appliance_agent.features.records.table import harmless
from appliance_agent.features.reports.api import ReportsApi
from appliance_agent.features.reports.store import ReportStore
from appliance_agent.kernel.clock import parse_rfc3339
from appliance_agent.store.database import Database
from appliance_agent.store.migrate import upgrade
from appliance_agent.store.tables import call_party, call_record
from contracts.paths import BoxPaths
from tests.ledger.streams import lines
from tests.unit.journal_kit import Desk
from tests.unit.people_agent import Agent, add_user, agent, log_in, send, set_up

DAY = "2026-11-22"
START_US = parse_rfc3339(f"{DAY}T00:00:00+08:00")


@dataclass
class Site:
    agent: Agent
    paths: BoxPaths
    database: Database
    store: RecordStore
    admin: aiohttp.ClientSession

    async def page(self, query: str = "", client: aiohttp.ClientSession | None = None) -> Any:
        status, body = await send(client or self.admin, "GET", f"/records?{query}")
        assert status == 200, body
        return body

    async def ids(self, query: str, client: aiohttp.ClientSession | None = None) -> list[str]:
        return [item["call_id"] for item in (await self.page(query, client))["items"]]


def row(number: int, **changes: Any) -> dict[str, Any]:
    texts = ("caller_name", "trunk", "line", "user_id", "user_name")
    start = START_US + number * 1_000_000
    return dict.fromkeys(texts, "") | {
        "call_id": f"{number}.0", "direction": "inbound", "result": "answered", "caller_number": f"138{number:08d}",
        "called_number": "075588886666", "did": "075588886666", "queue": "sales", "extension": "1001",
        "started_us": start, "answered_us": start + 5_000_000, "ended_us": start + 65_000_000, "menu_ms": 1000,
        "wait_ms": 4000, "ring_ms": 2000, "talk_ms": 60_000, "hold_ms": 0, "transfers": 0, "hangup_by": "caller",
        "hangup_cause": 16, "recording": "",
        "detail": {"menu_path": [], "legs": [], "queue_visits": [], "timeline": []},
    } | changes  # fmt: skip


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    paths = BoxPaths(tmp_path)
    paths.data.mkdir(parents=True)
    paths.setup_link.write_text("one-time-token-of-this-box")
    upgrade(paths.database)
    config = ConfigHolder()
    database = Database(paths.database)
    store = RecordStore(database)
    routes = [
        *RecordsApi(store, paths.recordings, config).routes(),
        *ReportsApi(ReportStore(database), config).routes(),
    ]
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(agent(tmp_path, routes))
        stack.push_async_callback(database.close)
        admin = await stack.enter_async_context(running.client())
        assert (await set_up(admin))[0] == 201
        yield Site(running, paths, database, store, admin)


async def put(site: Site, *rows: dict[str, Any], parties: dict[str, tuple[str, ...]] | None = None) -> None:
    async with site.database.write() as connection:
        await connection.execute(insert(call_record), list(rows))
        found = [
            {"call_id": call_id, "extension": str(2000 + n), "user_id": user_id}
            for call_id, users in (parties or {}).items()
            for n, user_id in enumerate(users)
        ]
        if found:
            await connection.execute(insert(call_party), found)


async def test_nothing_yet(site: Site) -> None:
    assert await site.page() == {"items": [], "total": 0}
    status, body = await send(site.admin, "GET", "/records/1.0")
    assert (status, body["error"]["key"]) == (404, "records.unknown")


async def test_a_real_call_in_detail(site: Site) -> None:
    """From the rows that Asterisk wrote to what the panel reads."""
    with site.agent.bus.subscribe(object) as written:
        desk = Desk(site.paths.data, site.database, site.agent.bus, written)
        desk.write(lines("attended_transfer"))
        await desk.read_all()
    (item,) = (await site.page())["items"]
    status, detail = await send(site.admin, "GET", f"/records/{item['call_id']}")
    assert status == 200
    assert item.items() <= detail.items()
    assert (detail["result"], detail["extension"], detail["transfers"]) == ("answered", "1002", 1)
    assert detail["menu_path"] == ["main:1"]
    assert [leg["role"] for leg in detail["legs"]] == ["caller", "callee", "consultation", "callee"]
    assert [visit["answered_by"] for visit in detail["queue_visits"]] == ["1001"]
    kinds = [entry["kind"] for entry in detail["timeline"]]
    assert kinds[0] == "start"
    assert kinds[-1] == "hangup"
    assert {"did", "menu", "digit", "queue_join", "ring", "answer", "hold", "transfer"} <= set(kinds)
    assert detail["recording"] is None


async def test_filters_sorting_paging(site: Site) -> None:
    await put(
        site,
        row(1),
        row(2, result="busy", queue="", did="075588881001", answered_us=None, talk_ms=0),
        row(3, direction="outbound", caller_number="1001", called_number="13900139000", did="", talk_ms=500),
        row(4, caller_number="100%_x", wait_ms=9000, queue="support"),
        parties={"3.0": ("u1",), "1.0": ("u1", "u2")},
    )
    assert await site.ids("") == ["4.0", "3.0", "2.0", "1.0"]
    assert await site.ids("sort=started_at&limit=2&offset=1") == ["2.0", "3.0"]
    assert (await site.page("limit=1"))["total"] == 4
    assert await site.ids("sort=-wait_ms&limit=1") == ["4.0"]
    assert await site.ids("sort=talk_ms&limit=1") == ["2.0"]
    assert await site.ids("result=busy,answered&direction=inbound") == ["4.0", "2.0", "1.0"]
    assert await site.ids("queue=support") == ["4.0"]
    assert await site.ids("did=075588881001") == ["2.0"]
    assert await site.ids("number=139001") == ["3.0"]
    assert await site.ids("number=%25_") == ["4.0"], "no wildcards"
    assert await site.ids("extension=2000") == ["3.0", "1.0"]
    assert await site.ids(f"from={DAY}T00:00:02%2B08:00&to={DAY}T00:00:04%2B08:00") == ["3.0", "2.0"]
    for wrong in ("sort=detail", "limit=201", "offset=-1", "result=lost", "from=yesterday", "from=2026-11-22", "x=1",
                  "from=0001-01-01T00:00:00%2B14:00", "to=9999-12-31T23:59:59-14:00"):  # fmt: skip
        status, body = await send(site.admin, "GET", f"/records?{wrong}")
        assert status in (200, 422), (wrong, body)
        assert status == 422 or wrong[:4] in ("from", "to=9"), wrong


async def test_agents_see_the_calls_they_took_part_in(site: Site) -> None:
    users = {name: await add_user(site.admin, name, role=role) for name, role in
             (("anna", "agent"), ("bob", "agent"), ("sue", "supervisor"), ("tom", "technician"))}  # fmt: skip
    await put(site, row(1), row(2), row(3), parties={
        "1.0": (users["anna"]["id"],), "2.0": (users["bob"]["id"], users["anna"]["id"]), "3.0": (users["bob"]["id"],),
    })  # fmt: skip
    async with site.agent.client() as anna, site.agent.client() as sue, site.agent.client() as tom:
        for client, name in ((anna, "anna"), (sue, "sue"), (tom, "tom")):
            assert (await log_in(client, name))[0] == 201
        assert await site.ids("", anna) == ["2.0", "1.0"]
        assert (await site.page("", anna))["total"] == 2
        assert (await send(anna, "GET", "/records/3.0"))[0] == 404
        assert (await send(anna, "GET", "/records/3.0/peaks"))[0] == 404
        assert (await send(anna, "GET", "/records/2.0"))[0] == 200
        assert (await send(anna, "GET", "/records.csv"))[0] == 403
        assert (await send(anna, "GET", f"/reports/calls?from={DAY}T00:00:00Z&to={DAY}T01:00:00Z"))[0] == 403
        assert await site.ids("", sue) == ["3.0", "2.0", "1.0"]
        assert (await send(tom, "GET", "/records"))[0] == 403
    async with site.agent.client() as nobody:
        assert (await send(nobody, "GET", "/records"))[0] == 401


async def test_the_recording_by_parts(site: Site) -> None:
    left, right = site.paths.data / "a-in.sln", site.paths.data / "a-out.sln"
    left.write_bytes(bytes(range(256)) * 125)
    right.write_bytes(bytes(range(255, -1, -1)) * 125)
    target = site.paths.recordings / "2026/11/22/1.0.wav"
    made = wav.finish(left, right, target)
    await put(site, row(1, caller_number='+86 138\r\n"x'), row(2))
    await site.store.add_recording(RecordingRow("1.0", "2026/11/22/1.0.wav", 2, made.size_bytes, made.sha256, 1))
    await site.store.add_recording(RecordingRow("2.0", "", 0, 0, "", 1))
    items = {item["call_id"]: item["recording"] for item in (await site.page())["items"]}
    assert items == {"1.0": {"seconds": 2, "size_bytes": 64_044, "sha256": made.sha256}, "2.0": None}
    whole = target.read_bytes()
    async with site.admin.get("/api/v1/records/1.0/recording") as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "audio/wav", whole)
    async with site.admin.get("/api/v1/records/1.0/recording?download=1", headers={"Range": "bytes=44-99"}) as answer:
        assert (answer.status, await answer.read()) == (206, whole[44:100])
        assert answer.headers["Content-Range"] == f"bytes 44-99/{len(whole)}"
        disposition = answer.headers["Content-Disposition"]
        assert disposition == 'attachment; filename="2026-11-21T160001-86138x.wav"'
    async with site.admin.get("/api/v1/records/1.0/recording", headers={"Range": "bytes=99999999-"}) as answer:
        assert answer.status == 416
    status, peaks = await send(site.admin, "GET", "/records/1.0/peaks")
    assert (status, peaks["rate"], len(peaks["left"])) == (200, 50, 100)
    for call_id in ("2.0", "..%2f..%2fsecrets", "3.0"):
        status, _ = await send(site.admin, "GET", f"/records/{call_id}/recording")
        assert status == 404
    target.unlink()
    assert (await send(site.admin, "GET", "/records/1.0/recording"))[0] == 404


@pytest.mark.parametrize("text", ["=1+1", "+8613800138000", "-1", "@x", "\tx", "\r=1"])
def test_cells_that_a_spreadsheet_would_run(text: str) -> None:
    assert harmless(text) == f"'{text}"


async def test_csv(site: Site) -> None:
    await put(site, row(1, caller_name='=HYPERLINK("http://x","y")'), row(2, answered_us=None, result="busy"))
    async with site.admin.get("/api/v1/records.csv") as answer:
        assert answer.content_type == "text/csv"
        text = (await answer.read()).decode("utf-8")
    assert text.startswith("\ufeff通话编号,")
    first, second = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert first["开始时间"] == f"{DAY} 00:00:01", "in the site's zone"
    assert first["主叫名称"] == '\'=HYPERLINK("http://x","y")'
    assert (first["通话时长（秒）"], second["接通时间"]) == ("60.0", "")
    async with site.admin.get("/api/v1/records.csv?lang=en&result=busy") as answer:
        assert (await answer.text(encoding="utf-8-sig")).count("\r\n") == 2


async def test_the_report(site: Site) -> None:
    await put(site, row(1), row(2, result="abandoned_queue", answered_us=None, talk_ms=0, wait_ms=30_000),
              row(3700, direction="outbound"), row(3601, queue="support"))  # fmt: skip
    span = f"from={DAY}T00:00:00%2B08:00&to={DAY}T02:00:00%2B08:00"
    status, body = await send(site.admin, "GET", f"/reports/calls?{span}&by=hour")
    assert status == 200
    assert body["timezone"] == "Asia/Shanghai"
    assert body["rows"][0] == {
        "bucket": f"{DAY}T00:00:00+08:00", "offered": 2, "answered": 1, "lost": 1, "lost_rate": 0.5,
        "avg_wait_ms": 17_000, "max_wait_ms": 30_000, "avg_talk_ms": 60_000, "service_level": 0.5,
    }  # fmt: skip
    assert [item["offered"] for item in body["rows"]] == [2, 1]
    assert body["total"]["offered"] == 3
    assert set(body["definitions"]) == set(body["total"]) - {"bucket"}
    assert "呼损" in body["definitions"]["lost"]
    status, body = await send(site.admin, "GET", f"/reports/calls?{span}&by=hour_of_day&queue=support&lang=en")
    assert (len(body["rows"]), body["total"]["offered"]) == (24, 1)
    assert body["definitions"]["lost"].isascii()
    for wrong in (f"from={DAY}T00:00:00Z&to={DAY}T00:00:00Z", "by=day", f"{span}&by=minute",
                  "from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z&by=hour"):  # fmt: skip
        assert (await send(site.admin, "GET", f"/reports/calls?{wrong}"))[0] == 422


async def test_ten_thousand_rows(site: Site) -> None:
    """Lists, files and reports stay quick; the limits leave room for a slow machine."""
    random.seed(3)
    results = ("answered", "abandoned_queue", "queue_timeout")
    rows = [row(n, result=random.choice(results), wait_ms=random.randrange(60_000)) for n in range(12_000)]
    await put(site, *rows, parties={item["call_id"]: ("u1",) for item in rows[::3]})
    begin = time.monotonic()
    body = await site.page("sort=-wait_ms&limit=200&offset=11800&result=answered,abandoned_queue,queue_timeout")
    assert (len(body["items"]), body["total"]) == (200, 12_000)
    assert (await site.page("number=0001&extension=2000"))["total"] > 100
    assert time.monotonic() - begin < 10
    begin = time.monotonic()
    span = f"from={DAY}T00:00:00%2B08:00&to={DAY}T23:00:00%2B08:00"
    status, body = await send(site.admin, "GET", f"/reports/calls?{span}&by=hour")
    assert (status, body["total"]["offered"]) == (200, 12_000)
    assert time.monotonic() - begin < 10
    async with site.admin.get("/api/v1/records.csv") as answer:
        assert (await answer.read()).count(b"\r\n") == 12_001
