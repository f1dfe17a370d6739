"""make bench-hq: calls that headquarters takes in a second, through its HTTPS address and beside it in plain SQL.

All on this machine, one after the other, on one PostgreSQL with its data on the disk and fsync on; the same calls:
`api`: batches as boxes send them (packed, mutual TLS, several boxes at once) until the answer of the last;
`sql`: what a careful script would do with the parsed calls: a transaction a batch, INSERT … ON CONFLICT, sums added;
`copy`: COPY of the rows alone, no check of anything: the ceiling. Making and packing the batches is not measured.
"""

import asyncio
import json
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import aiohttp
import psutil
import psycopg
import structlog

from appliance_agent.kernel.clock import SystemClock
from appliance_agent.system.hq_link import identity
from appliance_agent.system.hq_link.answers import ask
from appliance_agent.system.hq_link.enrolment import Self, enrol_box
from contracts.sync import BATCH_PATH, Batch, Event, Kind, pack
from hq.authority import files
from hq.serve import Headquarters, served
from hq.store.calls import to_row
from hq.store.postgres import Postgres, month_of
from hq.store.schema import CALL_COLUMNS, COUNTS
from ledger import wire
from ledger.model import CallRecord, Result
from ledger.rollup import rollup
from tests.hq.postgres import Server
from tests.hq.told import NOVEMBER, record

BOXES, CALLS, A_BATCH = 4, 10_000, 1000
"""CALLS of each box."""
GAP_US = 7_000_000
QUEUES = ("sales", "service", "night", "")
_SUMMED = ("box", "at_us", "direction", "queue", *COUNTS, "max_wait_ms")
_INSERT = (
    f"INSERT INTO call ({', '.join(CALL_COLUMNS)}) VALUES ({', '.join(['%s'] * len(CALL_COLUMNS))})"
    " ON CONFLICT (box, call_id, started_us) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in CALL_COLUMNS[3:])
)
_SUM = (
    f"INSERT INTO rollup ({', '.join(_SUMMED)}) VALUES ({', '.join(['%s'] * len(_SUMMED))})"
    " ON CONFLICT (box, at_us, direction, queue) DO UPDATE SET "
    + ", ".join(f"{name} = rollup.{name} + excluded.{name}" for name in COUNTS)
    + ", max_wait_ms = greatest(rollup.max_wait_ms, excluded.max_wait_ms)"
)


def calls_of(number: int) -> list[CallRecord]:
    made = []
    for n in range(CALLS):
        started, talk_s = NOVEMBER + n * GAP_US + number, n * 37 % 600
        one = record(f"{number}.{n}", started, queue=QUEUES[n % len(QUEUES)], wait_ms=n * 131 % 90_000)
        if n % 5:
            one = replace(
                one, result=Result.ANSWERED, answered_us=started + 9_000_000, talk_ms=talk_s * 1000,
                ended_us=started + (9 + talk_s) * 1_000_000, extension="8001",
            )  # fmt: skip
        made.append(one)
    return made


def batches_of(box: str, calls: Sequence[CallRecord]) -> list[bytes]:
    events = [Event(n, Kind.CALL, one.ended_us, wire.to_wire(one)) for n, one in enumerate(calls, 1)]
    epoch = f"{int(box[4:]):032x}"
    return [pack(Batch(box, epoch, tuple(events[at : at + A_BATCH]))) for at in range(0, len(events), A_BATCH)]


async def join(headquarters: Headquarters, folder: Path, box: str) -> Path:
    code = await headquarters.enrolment.new_code(box, "bench", "local")
    await enrol_box(folder / box, f"127.0.0.1:{headquarters.port}", code.text, Self(box, "sa800", ""))
    return folder / box


async def send(port: int, folder: Path, batches: Sequence[bytes]) -> None:
    """One box: a batch after another, as its link does."""
    connector = aiohttp.TCPConnector(ssl=identity.mutual(folder))
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as http:
        for batch in batches:
            await ask(http, "POST", f"https://127.0.0.1:{port}{BATCH_PATH}", data=batch)


async def by_api(address: str, folder: Path, told: dict[str, list[CallRecord]]) -> float:
    authority, database = files.Folder(folder / "authority"), Postgres(address)
    await asyncio.to_thread(files.make, authority, ["127.0.0.1"], SystemClock().now_us())
    await database.prepare()
    try:
        async with served(
            database=database, folder=authority, clock=SystemClock(), host="127.0.0.1", port=0
        ) as headquarters:  # fmt: skip
            joined = {box: await join(headquarters, folder, box) for box in told}
            packed = {box: batches_of(box, calls) for box, calls in told.items()}
            began = time.perf_counter()
            await asyncio.gather(*(send(headquarters.port, joined[box], packed[box]) for box in told))
            return time.perf_counter() - began
    finally:
        await database.close()


async def prepared(address: str, told: dict[str, list[CallRecord]]) -> None:
    database = Postgres(address)
    await database.prepare()
    await database.make_months(sorted({month_of(one.started_us) for calls in told.values() for one in calls}))
    await database.close()


def by_sql(address: str, told: dict[str, list[CallRecord]]) -> float:
    rows = {box: [(one, to_row(box, one)) for one in calls] for box, calls in told.items()}
    began = time.perf_counter()
    with psycopg.connect(address) as connection:
        for at in range(0, CALLS, A_BATCH):
            for box, made in rows.items():
                part = made[at : at + A_BATCH]
                with connection.transaction(), connection.cursor() as cursor:
                    cursor.executemany(_INSERT.encode(), [row for _, row in part])
                    cursor.executemany(_SUM.encode(), [
                        (box, *key, one.offered, one.answered, one.queued, one.wait_ms, one.talk_ms, *one.within,
                         one.max_wait_ms)
                        for key, one in rollup(record for record, _ in part).items()
                    ])  # fmt: skip
    return time.perf_counter() - began


def by_copy(address: str, told: dict[str, list[CallRecord]]) -> float:
    rows = [to_row(box, one) for box, calls in told.items() for one in calls]
    into = f"COPY call ({', '.join(CALL_COLUMNS)}) FROM STDIN"
    began = time.perf_counter()
    with psycopg.connect(address) as connection, connection.cursor() as cursor, cursor.copy(into.encode()) as copy:
        for row in rows:
            copy.write_row(row)
    return time.perf_counter() - began


def held(address: str) -> tuple[int, int]:
    """Calls, and calls by the sums."""
    with psycopg.connect(address) as connection:
        (calls,) = connection.execute("SELECT count(*) FROM call").fetchone() or (0,)
        (summed,) = connection.execute("SELECT coalesce(sum(offered), 0) FROM rollup").fetchone() or (0,)
    return int(calls), int(summed)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    told = {f"box-{number}": calls_of(number) for number in range(1, BOXES + 1)}
    count = BOXES * CALLS
    server = Server(durable=True)
    server.start()
    seconds: dict[str, float] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="sa800-bench-") as folder:
            api = server.new_database()
            seconds["api"] = asyncio.run(by_api(api, Path(folder), told))
        sql, copy = server.new_database(), server.new_database()
        for address in (sql, copy):
            asyncio.run(prepared(address, told))
        seconds["sql"], seconds["copy"] = by_sql(sql, told), by_copy(copy, told)
        found = {"api": held(api), "sql": held(sql)}
    finally:
        server.remove()
    print(f"held (calls, calls by the sums): {found}, {count} each are wanted")
    assert found == {"api": (count, count), "sql": (count, count)}, found
    rate = {f"{name}_rows_s": round(count / took) for name, took in seconds.items()}
    memory = round(psutil.Process().memory_info().rss / 2**20)
    print(json.dumps({
        "calls": count, **rate, "api_of_sql": round(seconds["sql"] / seconds["api"], 2), "memory_mib": memory,
        "cores": len(os.sched_getaffinity(0)), "load_1min": round(os.getloadavg()[0], 2),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
