"""What a line's signalling says, written down for a while: bounded in time and size, one line at a time.

Asterisk writes it into a log channel of its own, which the agent makes, reads and closes again; an agent that was
killed meanwhile closes it at its next start.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Row, delete, select, update

from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import AsteriskUp
from appliance_agent.kernel.files import write_atomically
from appliance_agent.kernel.ids import new_id
from appliance_agent.store.database import Database
from appliance_agent.store.tables import line_trace
from appliance_agent.system.lines import console
from appliance_agent.system.lines.cards import Cards
from appliance_agent.system.lines.watch import LineWatch

log = structlog.get_logger()

LONGEST_S = 600
MOST_BYTES = 4 * 1024 * 1024
KEPT = 20
"""Traces of all lines; the oldest go first."""
LOOK_S = 0.5
LEVELS = "verbose"
"""Signalling is told as verbose messages, whatever the console's own level is."""

Command = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Trace:
    id: str
    line: str
    by: str
    began_us: int
    ended_us: int | None
    """None: it runs."""
    size_bytes: int
    end: str
    """time | size | stopped | failed; "" while it runs."""


class Traces:
    """`written`: where Asterisk writes it (its own folder); `kept`: where they are kept. `command` None: behind
    simulated cards there is no Asterisk to be asked."""

    name = "line traces"

    def __init__(
        self, *, database: Database, clock: Clock, bus: Bus, cards: Cards, watch: LineWatch, command: Command | None,
        written: Path, kept: Path,
    ) -> None:  # fmt: skip
        self._database, self._clock, self._bus, self._cards, self._watch = database, clock, bus, cards, watch
        self._asterisk, self._written, self._kept = command, written, kept
        self._asked: asyncio.Queue[tuple[Trace, list[str], list[str], int]] = asyncio.Queue(1)
        self._stop = asyncio.Event()
        self._running = ""
        """Id of the trace that runs; "" for none."""

    async def run(self) -> None:
        await self._end_leftovers()
        with self._bus.subscribe(AsteriskUp, limit=100) as ups:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._work(), name="line traces work")
                async for _ in ups:
                    if not self._running and self._asterisk is not None:
                        with contextlib.suppress(Fault):
                            await self._close()

    async def begin(self, name: str, seconds: int, by: str) -> Trace:
        """Raises Fault: another runs, the line has no signalling of its own, or it is not there."""
        on, off = self._words(name, on=True), self._words(name, on=False)
        if self._running:
            raise Fault(
                FaultKind.CONFLICT, "lines.tracing", "another trace runs", hint="Wait until it has ended, or stop it.",
                retry_after_s=5,
            )  # fmt: skip
        trace = Trace(new_id(), name, by, self._clock.now_us(), None, 0, "")
        self._running = trace.id
        async with self._database.write() as connection:
            await connection.execute(
                line_trace.insert().values(
                    id=trace.id, line=name, by=by[:64], began_us=trace.began_us, size_bytes=0, end=""
                )
            )
        self._stop.clear()
        self._asked.put_nowait((trace, on, off, min(seconds, LONGEST_S)))
        return trace

    async def stop(self, id_: str) -> Trace:
        """Ends it now; one that has ended stays as it is. Raises Fault NOT_FOUND."""
        if id_ == self._running:
            self._stop.set()
        return await self.one(id_)

    async def one(self, id_: str) -> Trace:
        async with self._database.read() as connection:
            row = (await connection.execute(select(line_trace).where(line_trace.c.id == id_))).one_or_none()
        if row is None:
            raise Fault(FaultKind.NOT_FOUND, "lines.trace", f"there is no trace {id_[:40]!r}")
        return _trace(row)

    async def of(self, name: str) -> list[Trace]:
        """Newest first."""
        query = select(line_trace).where(line_trace.c.line == name).order_by(line_trace.c.began_us.desc())
        async with self._database.read() as connection:
            return [_trace(row) for row in (await connection.execute(query)).all()]

    def path(self, trace: Trace) -> Path:
        return self._kept / f"{trace.id}.txt"

    def _words(self, name: str, *, on: bool) -> list[str]:
        seen, found = self._watch.one(name), self._cards.found
        line = found.line(name) if found else None
        if self._asterisk is None:
            raise Fault(FaultKind.CONFLICT, "lines.simulated", f"{name} is simulated: nothing is signalled on it")
        wanted = seen.facts.wanted
        if wanted is None or wanted.signalling not in console.TRACEABLE:
            raise Fault(
                FaultKind.CONFLICT, "lines.no_signalling", f"{name} has no signalling that could be traced",
                hint="Traces are for E1 lines that are set up.",
            )  # fmt: skip
        if line is None or line.channel is None or line.span_number is None:
            raise Fault(FaultKind.CONFLICT, "lines.missing", f"{name} is not in the box now", hint="Put its card in.")
        channels = range(line.channel, line.channel + line.channels)
        return console.trace(wanted, line.span_number, channels, on=on)

    # ── one trace ──────────────────────────────────────────────────────────────────────────────────
    async def _work(self) -> None:
        while True:
            trace, on, off, seconds = await self._asked.get()
            end, first = "failed", 0
            try:
                first = await asyncio.to_thread(_emptied, self._written)
                await self._command(f"logger add channel {self._written} {LEVELS}")
                for words in on:
                    await self._command(words)
                end = await self._until_enough(first, seconds)
            except (Fault, OSError) as error:
                log.warning("line trace", line=trace.line, reason=str(error))
            finally:
                with contextlib.suppress(Fault):
                    for words in off:
                        await self._command(words)
                    await self._close()
                await self._keep(trace, first, end)
                self._running = ""

    async def _until_enough(self, first: int, seconds: int) -> str:
        deadline = self._clock.monotonic() + seconds
        while self._clock.monotonic() < deadline:
            if await asyncio.to_thread(_size, self._written) - first >= MOST_BYTES:
                return "size"
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._stop.wait()
                    return "stopped"
        return "time"

    async def _command(self, words: str) -> str:
        assert self._asterisk is not None, "nothing was begun"
        return await self._asterisk(words)

    async def _close(self) -> None:
        await self._command(f"logger remove channel {self._written}")

    async def _keep(self, trace: Trace, first: int, end: str) -> None:
        text = await asyncio.to_thread(_read, self._written, first)
        await asyncio.to_thread(self._kept.mkdir, 0o750, exist_ok=True)
        await asyncio.to_thread(write_atomically, self.path(trace), text, mode=0o640)
        ended = {"ended_us": self._clock.now_us(), "size_bytes": len(text), "end": end}
        async with self._database.write() as connection:
            await connection.execute(update(line_trace).where(line_trace.c.id == trace.id).values(ended))
            old = select(line_trace.c.id).order_by(line_trace.c.began_us.desc()).offset(KEPT)
            gone = list((await connection.execute(old)).scalars())
            await connection.execute(delete(line_trace).where(line_trace.c.id.in_(gone)))
        for id_ in gone:
            await asyncio.to_thread((self._kept / f"{id_}.txt").unlink, missing_ok=True)

    async def _end_leftovers(self) -> None:
        """Of an agent that was killed: what it had is not known any more."""
        async with self._database.write() as connection:
            open_ones = line_trace.c.ended_us.is_(None)
            ended = {"ended_us": self._clock.now_us(), "end": "failed"}
            await connection.execute(update(line_trace).where(open_ones).values(ended))


def _trace(row: Row[tuple[object, ...]]) -> Trace:
    return Trace(row.id, row.line, row.by, row.began_us, row.ended_us, row.size_bytes, row.end)


def _emptied(path: Path) -> int:
    """What lies there is of the trace before, and Asterisk appends. Where this trace begins."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        os.truncate(path, 0)
    return _size(path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read(path: Path, first: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(first)
            return file.read(MOST_BYTES)
    except FileNotFoundError:
        return b""
