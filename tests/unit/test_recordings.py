"""Spool → archive: whole or absent, again after a kill, nothing thrown away."""

import array
import asyncio
import hashlib
import io
import math
import os
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert

from appliance_agent.features.records import service as service_module
from appliance_agent.features.records import wav
from appliance_agent.features.records.service import RecordingService, relative_path
from appliance_agent.features.records.store import RecordingRow, RecordStore, Unfinished
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.kernel.events import RecordWritten
from appliance_agent.store.database import Database
from appliance_agent.store.tables import call_record, open_call, recording
from contracts.paths import RECORDING_SIDES, BoxPaths
from tests.unit.journal_kit import database_at

STARTED_US = 1_795_383_273_000_000
LIMIT_S = 20


def sound(seconds: float, left_hz: float = 440, right_hz: float = 1000, height: float = 0.5) -> bytes:
    frames = range(int(seconds * wav.RATE))
    samples = array.array("h")
    for n in frames:
        for hertz in (left_hz, right_hz):
            samples.append(round(math.sin(2 * math.pi * hertz * n / wav.RATE) * 32767 * height))
    return samples.tobytes()


def side(stereo: bytes, number: int) -> bytes:
    return array.array("h", stereo)[number::2].tobytes()


class WatchedStore(RecordStore):
    """Tells when a recording was added."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.added: asyncio.Queue[str] = asyncio.Queue()

    async def add_recording(self, row: RecordingRow) -> None:
        await super().add_recording(row)
        self.added.put_nowait(row.call_id)


class Box:
    def __init__(self, root: Path, database: Database) -> None:
        self.paths, self.database, self.bus = BoxPaths(root), database, Bus()
        self.paths.recording_spool.mkdir(parents=True)
        self.store = WatchedStore(database)
        self.alarms: list[tuple[str, str]] = []
        self.service = RecordingService(self.paths, self.store, self.bus, SystemClock(), self._alarm)

    async def _alarm(self, key: str, _level: str, subject: str, _detail: dict[str, Any]) -> None:
        self.alarms.append((key, subject))

    async def record(self, call_id: str, talk_ms: int = 0, **changes: Any) -> None:
        texts = ("caller_name", "called_number", "did", "trunk", "line", "queue", "extension", "user_id", "user_name")
        numbers = ("menu_ms", "wait_ms", "ring_ms", "hold_ms", "transfers", "hangup_cause")
        row = dict.fromkeys(texts, "") | dict.fromkeys(numbers, 0) | {
            "call_id": call_id, "direction": "inbound", "result": "answered", "caller_number": "13800138000",
            "started_us": STARTED_US, "answered_us": STARTED_US, "ended_us": STARTED_US + talk_ms * 1000,
            "talk_ms": talk_ms, "hangup_by": "caller", "recording": call_id, "detail": {},
        }  # fmt: skip
        async with self.database.write() as connection:
            await connection.execute(insert(call_record).values(row | changes))

    def side(self, call_id: str, number: int) -> Path:
        return self.paths.recording_spool / f"{call_id}{RECORDING_SIDES[number]}"

    def spool(self, call_id: str, data: bytes, age_s: float = 0) -> None:
        """`data`: interleaved stereo, written as Asterisk writes it."""
        for number in (0, 1):
            path = self.side(call_id, number)
            path.write_bytes(side(data, number))
            if age_s:
                then = path.stat().st_mtime - age_s
                os.utime(path, (then, then))

    def spooled(self) -> list[str]:
        return sorted(path.name for path in self.paths.recording_spool.iterdir())

    def read(self, call_id: str) -> bytes:
        """The frames in the archive."""
        return self.archived(call_id).read_bytes()[44:]

    def archived(self, call_id: str) -> Path:
        return self.paths.recordings / relative_path(call_id, STARTED_US)

    async def finish(self) -> None:
        async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
            await self.service.finish_all(tasks)


@pytest.fixture
async def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Box]:
    monkeypatch.setattr(service_module, "QUIET_S", 0.05)
    async with database_at(tmp_path / "box.db") as database:
        yield Box(tmp_path, database)


async def test_a_recording_becomes_a_wav(box: Box) -> None:
    data = sound(2.5)
    box.spool("1.0", data)
    await box.record("1.0", 2500)
    await box.finish()
    row = await box.store.recording("1.0")
    target = box.archived("1.0")
    assert row is not None
    assert (row.path, row.seconds, row.size_bytes) == ("2026/11/22/1.0.wav", 2, len(data) + 44)
    assert row.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    with wave.open(io.BytesIO(target.read_bytes())) as file:
        assert file.getparams()[:4] == (2, 2, 8000, 20_000)
        assert file.readframes(20_000) == data
    assert box.spooled() == []
    assert list(target.parent.glob("*.part")) == []
    assert box.alarms == []


async def test_a_torn_last_sample_is_left_out(box: Box) -> None:
    data = sound(1)
    box.spool("1.0", data)
    for number in (0, 1):
        with box.side("1.0", number).open("ab") as file:
            file.write(b"\x01")
    await box.record("1.0")
    await box.finish()
    assert box.read("1.0") == data


@pytest.mark.parametrize("short", [0, 1])
@pytest.mark.parametrize("left_out_s", [0.5, 14.0, 20.0])
async def test_the_shorter_side_ends_in_silence(box: Box, short: int, left_out_s: float) -> None:
    """20 s = it is missing. Longer than what is copied in one piece."""
    data = sound(20)
    box.spool("1.0", data)
    kept = round((20 - left_out_s) * wav.RATE)
    if kept:
        os.truncate(box.side("1.0", short), kept * 2 + 1)
    else:
        box.side("1.0", short).unlink()
    await box.record("1.0")
    await box.finish()
    made = box.read("1.0")
    assert side(made, 1 - short) == side(data, 1 - short)
    assert side(made, short) == side(data, short)[: kept * 2].ljust(len(data) // 2, b"\0")
    assert box.spooled() == []


@pytest.mark.parametrize("growing", [(0, 1), (0,), (1,)])
async def test_a_file_that_still_grows_is_waited_for(box: Box, growing: tuple[int, ...]) -> None:
    """Asterisk's mixing thread writes on after the channel's end."""
    data = sound(3)
    box.spool("1.0", data)
    for number in growing:
        os.truncate(box.side("1.0", number), 20_000)
    await box.record("1.0", 3000)

    async def grow() -> None:
        for start in range(20_000, len(data) // 2, 4000):
            for number in growing:
                with box.side("1.0", number).open("ab") as file:
                    file.write(side(data, number)[start : start + 4000])
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(grow())
        tasks.create_task(box.finish())
    assert box.read("1.0") == data


@pytest.mark.parametrize("kept", ["row", "wav", "part"])
async def test_killed_in_between(box: Box, kept: str) -> None:
    """After the WAV but before its row; before the spool file went; in the middle of writing."""
    data = sound(1)
    box.spool("1.0", data)
    await box.record("1.0", 1000)
    await box.finish()
    if kept == "row":
        box.spool("1.0", data, age_s=120)
        await box.service.finish_leftovers()
    else:
        async with box.database.write() as connection:
            await connection.execute(delete(recording))
        if kept == "part":
            box.archived("1.0").rename(box.archived("1.0").with_suffix(".wav.part"))
            box.spool("1.0", data)
        await box.finish()
    row = await box.store.recording("1.0")
    assert row is not None
    assert row.size_bytes == 44 + len(data)
    assert box.read("1.0") == data
    assert box.spooled() == []
    assert box.alarms == []


@pytest.mark.parametrize("row_kept", [True, False])
async def test_killed_between_the_removal_of_the_two_sides(box: Box, row_kept: bool) -> None:
    """What is left over must not replace the whole recording by half of one. A power cut may lose the row, too."""
    data = sound(1)
    await box.record("1.0", 1000)
    box.spool("1.0", data)
    await box.finish()
    box.spool("1.0", data, age_s=120)
    box.side("1.0", 0).unlink()
    if row_kept:
        await box.service.finish_leftovers()
    else:
        async with box.database.write() as connection:
            await connection.execute(delete(recording))
        await box.finish()
    row = await box.store.recording("1.0")
    assert row is not None
    assert row.sha256 == hashlib.sha256(box.archived("1.0").read_bytes()).hexdigest()
    assert box.read("1.0") == data
    assert box.spooled() == []
    assert box.alarms == []


async def test_nothing_recorded_is_told_once(box: Box) -> None:
    await box.record("1.0", talk_ms=5000)
    await box.finish()
    await box.finish()
    assert box.alarms == [("recording.missing", "1.0")]
    box.spool("2.0", b"")
    await box.record("2.0", talk_ms=5000)
    await box.record("3.0", talk_ms=0)
    await box.finish()
    assert box.alarms[1:] == [("recording.short", "2.0")]


async def test_a_name_that_is_not_ours_is_refused(box: Box) -> None:
    outside = box.paths.recording_spool.parent / f"x{RECORDING_SIDES[0]}"
    outside.write_bytes(sound(0.1))
    await box.record("1.0", recording="../x")
    await box.finish()
    assert box.alarms == [("recording.failed", "1.0")]
    assert outside.exists()


async def test_leftovers(box: Box) -> None:
    """A consultation's recording, or a call whose rows were lost: kept. A call that goes on, or a new file: left."""
    box.spool("old.1", sound(1), age_s=300)
    box.spool("open.1", sound(1), age_s=300)
    box.spool("new.1", sound(1))
    async with box.database.write() as connection:
        await connection.execute(insert(open_call).values(call_id="open.1", first_seq=1, started_us=1))
    await box.service.finish_leftovers()
    row = await box.store.recording("old.1")
    assert row is not None
    assert (box.paths.recordings / row.path).read_bytes()[44:] == sound(1)
    assert box.spooled() == ["new.1-in.sln", "new.1-out.sln", "open.1-in.sln", "open.1-out.sln"]


async def test_a_list_read_too_early_begins_nothing_again(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.spool("1.0", sound(0.5))
    await box.record("1.0", 500)
    early = await box.store.unfinished(10)
    await box.finish()

    async def stale(_limit: int) -> list[Unfinished]:
        return early

    monkeypatch.setattr(box.store, "unfinished", stale)
    await box.finish()
    assert box.store.added.qsize() == 1


async def test_the_service_finishes_what_is_written_down(box: Box) -> None:
    box.spool("before", sound(0.5))
    await box.record("before")
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(box.service.run())
        assert await box.store.added.get() == "before"
        for number in range(20):
            box.spool(f"{number}.0", sound(0.5))
            await box.record(f"{number}.0")
            box.bus.publish(RecordWritten(f"{number}.0", "answered"))
        assert {await box.store.added.get() for _ in range(20)} == {f"{number}.0" for number in range(20)}
        running.cancel()
    assert len(list(box.paths.recordings.rglob("*.wav"))) == 21


def test_peaks_show_where_it_is_loud(tmp_path: Path) -> None:
    left, right, target = (tmp_path / name for name in ("a-in.sln", "a-out.sln", "a.wav"))
    data = sound(1, height=0.5) + bytes(32_000) + sound(1, height=1.0)
    left.write_bytes(side(data, 0))
    right.write_bytes(side(data, 1))
    wav.finish(left, right, target)
    peaks = wav.load_peaks(target)
    assert peaks.rate == 50
    assert len(peaks.left) == len(peaks.right) == 150
    assert max(peaks.left[:50]) == pytest.approx(0.5, abs=0.01)
    assert max(peaks.right[51:99]) == 0
    assert max(peaks.right[101:]) == pytest.approx(1.0, abs=0.01)
    again = wav.load_peaks(target)
    assert again == peaks
    wav.peaks_path(target).write_text("{broken")
    assert wav.load_peaks(target) == peaks


def test_peaks_of_a_long_recording_are_bounded(tmp_path: Path) -> None:
    left, right, target = (tmp_path / name for name in ("a-in.sln", "a-out.sln", "a.wav"))
    left.write_bytes(bytes(wav.SAMPLE_BYTES * wav.RATE * 300))
    wav.finish(left, right, target)
    assert len(wav.load_peaks(target).left) == wav.MOST_PEAKS
    left.write_bytes(b"")
    wav.finish(left, right, target)
    assert wav.compute_peaks(target).left == ()
