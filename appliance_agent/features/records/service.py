"""Finishes recordings: spool → archive, as soon as a call is written down; what is left over, at start and hourly."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from appliance_agent.features.records import wav
from appliance_agent.features.records.store import RecordingRow, RecordStore, Unfinished
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.events import RecordWritten
from contracts.paths import RECORDING_SIDES, BoxPaths

log = structlog.get_logger()

QUIET_S = 0.25
"""Asterisk's mixing thread closes the files a moment after the channel's end; unchanged for this long = whole."""
QUIET_LIMIT_S = 5.0
SWEEP_S = 3600.0
BATCH = 1000
AT_ONCE = 8
"""Most of the time of one is waiting for Asterisk to close the file."""
LEFTOVER_AGE_US = 60_000_000
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""Of a call, and of the spool files that belong together."""

Alarm = Callable[[str, str, str, dict[str, object]], Awaitable[None]]
"""key, level, subject, detail: `Alarms.raise_`."""
Pair = tuple[Path, Path]
"""What came from the recorded leg, what went to it."""


class RecordingService:
    """Killed at any point it begins again: a WAV is whole or absent, the spool files go last."""

    name = "recordings"

    def __init__(self, paths: BoxPaths, store: RecordStore, bus: Bus, clock: Clock, alarm: Alarm) -> None:
        self._spool, self._archive = paths.recording_spool, paths.recordings
        self._store, self._bus, self._clock, self._alarm = store, bus, clock, alarm
        self._busy: set[str] = set()
        """Calls whose recording is being finished."""
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        with self._bus.subscribe(RecordWritten) as written:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await self.finish_all(tasks)
                    await self.finish_leftovers()
                    try:
                        async with asyncio.timeout(SWEEP_S):
                            while True:
                                await written.get()  # which one does not matter, nor does a gap: the database knows
                                await self.finish_all(tasks)
                    except TimeoutError:
                        continue

    async def finish_all(self, tasks: asyncio.TaskGroup) -> None:
        """Begin every recording of a written call that is not in the archive, each in a task of its own."""
        for item in await self._store.unfinished(BATCH):
            if item.call_id not in self._busy:
                self._busy.add(item.call_id)
                tasks.create_task(self._finish_quietly(item), name=f"recording {item.call_id}")

    async def _finish_quietly(self, item: Unfinished, *, leftover: bool = False) -> None:
        try:
            async with self._slots:
                await self._finish(item, leftover=leftover)
        except OSError as error:
            log.error("recording not finished", call_id=item.call_id, reason=str(error))
            await self._alarm("recording.failed", "critical", item.call_id, {"reason": str(error)})
        finally:
            self._busy.discard(item.call_id)

    async def _finish(self, item: Unfinished, *, leftover: bool) -> None:
        if not _NAME.fullmatch(item.file) or not _NAME.fullmatch(item.call_id):
            raise OSError(f"{item.file!r} is not a name of ours")
        if not leftover and await self._store.recording(item.call_id) is not None:
            return  # finished since it was listed
        path = relative_path(item.call_id, item.started_us)
        pair = _pair(self._spool, item.file)
        sizes = await _settled(pair)
        # One side and a WAV: killed while the spool files were removed; made again, it would lose the other side.
        if max(sizes) < 0 or (min(sizes) < 0 and await asyncio.to_thread((self._archive / path).is_file)):
            await self._missing(item, path)
            await asyncio.to_thread(_remove, pair)
            return
        if min(sizes) < 0:
            log.warning("one side of a recording is missing", call_id=item.call_id)
        made = await self._convert(pair, self._archive / path)
        await self._add(item.call_id, path, made)
        await asyncio.to_thread(_remove, pair)
        await asyncio.to_thread(wav.store_peaks, self._archive / path)
        log.info("recording finished", call_id=item.call_id, ms=made.duration_ms)
        if made.duration_ms * 2 < item.talk_ms - 2000:
            detail: dict[str, object] = {"recorded_ms": made.duration_ms, "talk_ms": item.talk_ms}
            await self._alarm("recording.short", "warning", item.call_id, detail)

    async def _add(self, call_id: str, path: Path, made: wav.Wav) -> None:
        seconds = round(made.frames / wav.RATE)
        row = RecordingRow(call_id, str(path), seconds, made.size_bytes, made.sha256, self._clock.now_us())
        await self._store.add_recording(row)

    async def _convert(self, pair: Pair, target: Path) -> wav.Wav:
        """Again when a spool file grew meanwhile: nothing that was recorded is thrown away."""
        for _ in range(10):
            before = await asyncio.to_thread(_sizes, pair)
            made = await asyncio.to_thread(wav.finish, *pair, target)
            if await asyncio.to_thread(_sizes, pair) == before:
                return made
            await _settled(pair)
        raise OSError(f"{pair[0].name} does not stop growing")

    async def _missing(self, item: Unfinished, path: Path) -> None:
        """No spool files, or one too few: finished before a kill came between file and row, or never written."""
        made = await asyncio.to_thread(wav.inspect, self._archive / path)
        if made is not None:
            await self._add(item.call_id, path, made)
            return
        if item.talk_ms > 0:
            await self._alarm("recording.missing", "critical", item.call_id, {"file": item.file})
        # Size 0 = there is no audio; the row keeps it from being looked for again.
        await self._store.add_recording(RecordingRow(item.call_id, "", 0, 0, "", self._clock.now_us()))

    async def finish_leftovers(self) -> None:
        """Files in the spool that no written call waits for: a consultation's, or of a call whose rows were lost."""
        now_us = self._clock.now_us()
        for name, changed_us in await asyncio.to_thread(_leftovers, self._spool):
            age_us = now_us - changed_us
            if name in self._busy or age_us < LEFTOVER_AGE_US or await self._store.is_open(name):
                continue
            log.warning("recording without a record", file=name)
            known = await self._store.recording(name)
            # Killed before the spool files were removed: to the same place again, though its day be another one.
            started_us = await self._store.started_us(name) if known is not None else None
            started_us = changed_us if started_us is None else started_us
            await self._finish_quietly(Unfinished(name, name, started_us, changed_us, 0), leftover=True)


def relative_path(call_id: str, started_us: int) -> Path:
    """Below BoxPaths.recordings; the day is UTC's."""
    day = datetime.fromtimestamp(started_us // 1_000_000, UTC)
    return Path(f"{day:%Y/%m/%d}") / f"{call_id}.wav"


def _pair(spool: Path, name: str) -> Pair:
    left, right = (spool / f"{name}{side}" for side in RECORDING_SIDES)
    return left, right


def _sizes(pair: Pair) -> tuple[int, int]:
    """-1: there is no such file."""
    return wav.size(pair[0]), wav.size(pair[1])


def _remove(pair: Pair) -> None:
    for side in pair:
        side.unlink(missing_ok=True)


async def _settled(pair: Pair) -> tuple[int, int]:
    """Wait until both files have been as they are for QUIET_S; their sizes."""
    sizes = await asyncio.to_thread(_sizes, pair)
    try:
        async with asyncio.timeout(QUIET_LIMIT_S):
            while True:
                await asyncio.sleep(QUIET_S)
                now = await asyncio.to_thread(_sizes, pair)
                if now == sizes:
                    return now
                sizes = now
    except TimeoutError:
        return sizes


def _leftovers(spool: Path) -> list[tuple[str, int]]:
    """Base names and when the younger of their files was last written."""
    changed: dict[str, int] = {}
    for path in spool.iterdir() if spool.is_dir() else ():
        name = next((path.name.removesuffix(side) for side in RECORDING_SIDES if path.name.endswith(side)), "")
        if _NAME.fullmatch(name):
            changed[name] = max(changed.get(name, 0), path.stat().st_mtime_ns // 1000)
    return sorted(changed.items())
