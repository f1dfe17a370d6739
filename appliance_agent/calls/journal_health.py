"""Is the journal written and read as it must be? Checked at start and each minute; alarms when not."""

import asyncio
import contextlib
import os
import pwd
import stat
from pathlib import Path
from typing import Any, Protocol

import structlog

from appliance_agent.calls.journal_file import JournalFault
from appliance_agent.calls.journal_tail import JournalTail, LiveChannels
from appliance_agent.kernel.errors import Fault

log = structlog.get_logger()

CHECK_S = 60.0
LEAST_FREE_BYTES = 67_108_864
SUBJECT = "journal"


class Alarms(Protocol):
    """`system.alarms` fulfils it."""

    async def raise_(self, key: str, level: str, subject: str, detail: dict[str, Any]) -> None: ...

    async def clear(self, key: str, subject: str) -> None: ...


class JournalHealth:
    """Alarms: journal.folder (missing or not writable: Asterisk drops its rows then with only a line in its log),
    journal.truncated, journal.replaced, journal.garbage, journal.count (calls that Asterisk has and the journal does
    not, or the other way round, at two checks in a row)."""

    name = "journal health"

    def __init__(
        self, path: Path, tail: JournalTail, alarms: Alarms, live_channels: LiveChannels, *, writer: str = "asterisk"
    ) -> None:
        self._path, self._tail, self._alarms, self._writer = path, tail, alarms, writer
        self._live_channels = live_channels
        self._suspects: frozenset[str] = frozenset()

    async def run(self) -> None:
        while True:
            await self.check()
            await asyncio.sleep(CHECK_S)

    async def check(self) -> None:
        problem = await asyncio.to_thread(folder_problem, self._path, self._writer)
        await self._tell("journal.folder", problem != "", "critical", {"problem": problem})
        faults, self._tail.faults = self._tail.faults, []
        for fault in JournalFault:
            await self._tell(f"journal.{fault}", fault in faults, "critical", {"count": faults.count(fault)})
        garbage, self._tail.garbage = self._tail.garbage, []
        await self._tell("journal.garbage", bool(garbage), "warning", {"lines": len(garbage), "first": garbage[:1]})
        await self._count()

    async def _count(self) -> None:
        """Compare channels; a difference must stand for two checks, for rows and events come a moment apart."""
        try:
            alive = await self._live_channels()
        except Fault:
            return  # Asterisk is away: that has an alarm of its own
        known = self._tail.open_channels()
        differing = frozenset(alive ^ known)
        stuck, self._suspects = differing & self._suspects, differing
        missing, ended = stuck & alive, stuck & known
        detail = {"not_in_journal": sorted(missing)[:20], "without_end": sorted(ended)[:20]}
        await self._tell("journal.count", bool(stuck), "critical", detail)
        if ended:
            log.error("channels without an end in the journal", **detail)
            with contextlib.suppress(OSError):  # journal.folder tells it
                await self._tail.close_dead_channels(ended)

    async def _tell(self, key: str, wrong: bool, level: str, detail: dict[str, Any]) -> None:
        if wrong:
            await self._alarms.raise_(key, level, SUBJECT, detail)
        else:
            await self._alarms.clear(key, SUBJECT)


def folder_problem(path: Path, writer: str) -> str:
    """What keeps the user `writer` (Asterisk) or us from writing rows to `path`, "" when nothing does. Blocking."""
    folder = path.parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist"
    for item, mode in ((folder, os.W_OK | os.X_OK), (path, os.R_OK | os.W_OK)):
        if not item.exists():
            continue
        if not os.access(item, mode):
            return f"{item} is not readable and writable for the box agent"
        if not _may_write(item, writer):
            return f"{item} is not writable for {writer}"
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if free < LEAST_FREE_BYTES:
        return f"only {free // 1024} KiB are free for {folder}"
    return ""


def _may_write(item: Path, writer: str) -> bool:
    """By owner, groups and mode, as the kernel would say for that user. A user that does not exist is not asked."""
    try:
        entry = pwd.getpwnam(writer)
    except KeyError:
        return True
    status = item.stat()
    groups = set(os.getgrouplist(writer, entry.pw_gid))
    if entry.pw_uid in (0, status.st_uid):
        return entry.pw_uid == 0 or bool(status.st_mode & stat.S_IWUSR)
    return bool(status.st_mode & (stat.S_IWGRP if status.st_gid in groups else stat.S_IWOTH))
