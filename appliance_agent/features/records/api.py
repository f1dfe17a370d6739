"""HTTP: call records and their recordings."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.model import Desired
from appliance_agent.features.records import table, wav
from appliance_agent.features.records.model import (
    CsvQuery,
    DownloadQuery,
    LegItem,
    PeaksAnswer,
    RecordDetail,
    RecordingInfo,
    RecordItem,
    RecordPage,
    RecordQuery,
    TimelineEntry,
    VisitItem,
)
from appliance_agent.features.records.store import RecordStore, Viewer
from appliance_agent.http.route import Call, Identity, Role, Route
from appliance_agent.kernel.clock import rfc3339
from appliance_agent.kernel.errors import Fault, FaultKind

MOST_CSV_ROWS = 200_000
_TIMES = {"started_us": "started_at", "answered_us": "answered_at", "ended_us": "ended_at", "joined_us": "joined_at",
          "left_us": "left_at", "time_us": "at"}  # fmt: skip


class RecordsApi:
    def __init__(self, store: RecordStore, archive: Path, config: ConfigHolder) -> None:
        self._store, self._archive, self._config = store, archive, config

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/records", Role.AGENT, self.page, "Call records, filtered and sorted", query=RecordQuery,
                  reply=RecordPage),
            Route("GET", "/records.csv", Role.SUPERVISOR, self.csv, "Call records as CSV", query=CsvQuery,
                  reply="binary", media="text/csv"),
            Route("GET", "/records/{call_id}", Role.AGENT, self.one, "One call record", reply=RecordDetail,
                  errors=(404,)),
            Route("GET", "/records/{call_id}/recording", Role.AGENT, self.recording, "The recording",
                  query=DownloadQuery, reply="binary", media="audio/wav", errors=(404, 416)),
            Route("GET", "/records/{call_id}/peaks", Role.AGENT, self.peaks, "The recording's waveform",
                  reply=PeaksAnswer, errors=(404,)),
        ]  # fmt: skip

    async def page(self, call: Call) -> RecordPage:
        rows, total = await self._store.page(call.query, _viewer(call.who))
        return RecordPage(items=[RecordItem(**_item(row)) for row in rows], total=total)

    async def one(self, call: Call) -> RecordDetail:
        return RecordDetail(**_detail(await self._row(call), self._config.desired))

    async def csv(self, call: Call) -> web.StreamResponse:
        query: CsvQuery = call.query
        viewer = _viewer(call.who)
        count = await self._store.count(query, viewer)
        if count > MOST_CSV_ROWS:
            raise Fault(
                FaultKind.INVALID, "records.too_many", f"{count} records; a file has at most {MOST_CSV_ROWS}.",
                hint="Choose a shorter time.",
            )  # fmt: skip
        zone = ZoneInfo(self._config.desired.site.timezone)
        answer = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": 'attachment; filename="records.csv"',
            }
        )
        await answer.prepare(call.request)
        await answer.write(table.heading(query.lang).encode())
        async for rows in self._store.all(query, viewer):
            await answer.write(table.lines(rows, zone).encode())
        await answer.write_eof()
        return answer

    async def recording(self, call: Call) -> web.StreamResponse:
        row = await self._row(call)
        path = await self._wav(row)
        query: DownloadQuery = call.query
        kind = "attachment" if query.download == "1" else "inline"
        name = f"{rfc3339(row['started_us'])[:19].replace(':', '')}-{_safe(row['caller_number'])}.wav"
        return web.FileResponse(
            path, headers={"Content-Type": "audio/wav", "Content-Disposition": f'{kind}; filename="{name}"'}
        )

    async def peaks(self, call: Call) -> PeaksAnswer:
        path = await self._wav(await self._row(call))
        try:
            peaks = await asyncio.to_thread(wav.load_peaks, path)
        except FileNotFoundError:
            raise _no_recording() from None
        return PeaksAnswer(rate=peaks.rate, left=list(peaks.left), right=list(peaks.right))

    async def _row(self, call: Call) -> Mapping[str, Any]:
        row = await self._store.one(call.path["call_id"], _viewer(call.who))
        if row is None:
            raise Fault(FaultKind.NOT_FOUND, "records.unknown", "There is no such call record.")
        return row

    async def _wav(self, row: Mapping[str, Any]) -> Path:
        found = await self._store.recording(row["call_id"])
        if found is None or not found.path:
            raise _no_recording()
        path = self._archive / found.path
        if not await asyncio.to_thread(path.is_file):
            raise _no_recording()
        return path


def _no_recording() -> Fault:
    return Fault(FaultKind.NOT_FOUND, "records.no_recording", "This call has no recording (yet).")


def _viewer(who: Identity) -> Viewer:
    return Viewer(who.user_id, who.role)


def _safe(number: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", number)[:32] or "unknown"


def _times(row: Mapping[str, Any]) -> dict[str, Any]:
    """`*_us` → RFC 3339 under the API's names; the rest as it is."""
    return {
        _TIMES.get(key, key): rfc3339(value) if key in _TIMES and value is not None else value
        for key, value in row.items()
    }


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    size = row["recording_bytes"]
    info = (
        RecordingInfo(seconds=row["recording_seconds"], size_bytes=size, sha256=row["recording_sha256"])
        if size
        else None
    )
    return _times(row) | {"recording": info}


def _detail(row: Mapping[str, Any], desired: Desired) -> dict[str, Any]:
    detail = row["detail"]
    return _item(row) | {
        "menu_path": detail["menu_path"],
        "menu_names": desired.menu_names(detail["menu_path"]),
        "legs": [LegItem(**_times(leg)) for leg in detail["legs"]],
        "queue_visits": [VisitItem(**_times(visit)) for visit in detail["queue_visits"]],
        "timeline": [TimelineEntry(**_times(item)) for item in detail["timeline"]],
    }
