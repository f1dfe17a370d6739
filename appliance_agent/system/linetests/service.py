"""Runs line tests, one at a time; what is known of them is told while they run and kept afterwards."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from appliance_agent.asterisk.line_calls import CallEnds
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault
from appliance_agent.kernel.events import AsteriskUp, LineTestChanged
from appliance_agent.kernel.ids import new_id
from appliance_agent.store.database import Database
from appliance_agent.system.lines.blocks import Place
from appliance_agent.system.lines.cards import Cards
from appliance_agent.system.lines.wanted import Wanted
from appliance_agent.system.lines.watch import LineWatch
from appliance_agent.system.linetests import kinds
from appliance_agent.system.linetests.kinds import Kind, Refusal, Taking
from appliance_agent.system.linetests.ports import Ports
from appliance_agent.system.linetests.record import KeptTests, LineTest, State
from appliance_agent.system.linetests.results import results
from hal.capabilities import Capability
from hal.errors import HalError
from hal.protocols.box import Box
from hal.protocols.linetest import Order, Second
from hal.protocols.voice import VoicePort

log = structlog.get_logger()

RETRY_S = 5.0
STOPPED = "stopped by a person"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person orders."""

    kind: Kind
    timeslot: int = 1
    seconds: float | None = None
    """None: as long as is usual."""
    level_dbm0: float = -10.0
    """What is sent, or for LEVEL what the far end is known to send."""
    number: str = ""
    """To be called for the test; "" takes an FXO port off hook and calls nobody."""


@dataclass(slots=True)
class _Running:
    test: LineTest
    place: Place
    port: VoicePort
    order: Order
    how: Taking
    number: str
    progress: dict[str, Any] | None = None
    ends: CallEnds | None = None
    """None: the port is not had yet."""
    task: asyncio.Task[None] | None = None


class LineTests:
    name = "line tests"

    def __init__(
        self, *, database: Database, clock: Clock, bus: Bus, box: Box, cards: Cards, watch: LineWatch, ports: Ports
    ) -> None:
        self._tests, self._clock, self._bus = KeptTests(database), clock, bus
        self._box, self._cards, self._watch, self._ports = box, cards, watch, ports
        self._asked: asyncio.Queue[_Running] = asyncio.Queue(1)
        self._running: _Running | None = None
        self._leftovers: list[LineTest] = []
        """Of an agent that was killed: their ports are to be given back."""

    async def run(self) -> None:
        await self._end_leftovers()
        due = asyncio.Event()
        due.set()
        with self._bus.subscribe(AsteriskUp, limit=100) as ups:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._work(), name="line tests work")
                tasks.create_task(self._give_back(due), name="line tests give back")
                async for _ in ups:
                    due.set()

    # ── what people ask ────────────────────────────────────────────────────────────────────────────
    def possible(self, name: str) -> Mapping[Kind, Refusal | None]:
        """What can be tested on this line, and why the rest cannot. Raises Fault NOT_FOUND."""
        wanted = self._wanted(name)
        return {kind: kinds.refusal(kind, wanted) for kind in Kind}

    def needs_number(self, name: str, kind: Kind) -> bool:
        wanted = self._wanted(name)
        return wanted is not None and kinds.needs_number(kind, wanted)

    async def begin(self, name: str, asked: Asked, by: str) -> dict[str, Any]:
        """Raises Fault: what cannot be tested there, or another test runs."""
        place = self._place(name, asked)
        port = self._port(place)
        seconds = kinds.SECONDS[asked.kind] if asked.seconds is None else asked.seconds
        order = kinds.order(asked.kind, seconds=seconds, level_dbm0=asked.level_dbm0)
        try:
            order.check()
        except HalError as error:
            raise Fault(FaultKind.INVALID, "lines.test_order", error.message, hint=error.hint) from error
        if self._running is not None:
            raise Fault(
                FaultKind.CONFLICT, "lines.testing", f"a test of {self._running.test.line} runs",
                hint="Wait until it has ended, or stop it.", retry_after_s=5,
            )  # fmt: skip
        ordered = {"seconds": seconds, "level_dbm0": asked.level_dbm0, "number": asked.number}
        test = LineTest(new_id(), name, asked.timeslot, asked.kind, by, self._clock.now_us(), detail={"order": ordered})
        how = kinds.taking(asked.kind, place.wanted)
        self._running = _Running(test, place, port, order, how, asked.number)
        await self._tests.put(test)
        self._asked.put_nowait(self._running)
        self._tell()
        return self._view(test)

    async def stop(self, id_: str) -> dict[str, Any]:
        """Ends it now; one that has ended stays as it is. Raises Fault NOT_FOUND."""
        running = self._running
        if running is not None and running.test.id == id_:
            if running.ends is not None:
                running.ends.end(STOPPED)
            elif running.task is not None:
                running.task.cancel()
        test = await self._tests.one(id_)
        if test is None:
            raise Fault(FaultKind.NOT_FOUND, "lines.test", f"there is no test {id_[:40]!r}")
        return self._view(test)

    async def of(self, name: str) -> list[dict[str, Any]]:
        """Newest first. Raises Fault NOT_FOUND."""
        self._wanted(name)
        return [self._view(test) for test in await self._tests.of(name)]

    @property
    def now(self) -> Mapping[str, frozenset[int]]:
        """Line → the timeslot on which a test runs."""
        running = self._running
        return {} if running is None else {running.test.line: frozenset({running.test.timeslot})}

    def _view(self, test: LineTest) -> dict[str, Any]:
        running = self._running
        return test.view(running.progress if running is not None and running.test.id == test.id else None)

    # ── the line ───────────────────────────────────────────────────────────────────────────────────
    def _wanted(self, name: str) -> Wanted | None:
        return self._watch.one(name).facts.wanted

    def _place(self, name: str, asked: Asked) -> Place:
        wanted, found = self._wanted(name), self._cards.found
        refused = kinds.refusal(asked.kind, wanted)
        if refused is not None or wanted is None:
            assert refused is not None
            raise Fault(
                FaultKind.CONFLICT, f"lines.test_{refused.key}", f"{name}: {refused.message}", hint=refused.hint
            )
        line = found.line(name) if found else None
        if line is None or line.channel is None:
            raise Fault(FaultKind.CONFLICT, "lines.missing", f"{name} is not in the box now", hint="Put its card in.")
        facts = self._watch.seen[name].facts
        if asked.timeslot not in facts.bearers:
            raise Fault(
                FaultKind.INVALID, "lines.timeslot", f"{name} has no talk in timeslot {asked.timeslot}",
                fields=[FieldFault("timeslot", f"{asked.timeslot} carries no talk")],
            )  # fmt: skip
        if kinds.needs_number(asked.kind, wanted) and not asked.number:
            raise Fault(
                FaultKind.INVALID, "lines.test_number", f"{name}: a timeslot carries sound only in a call",
                hint="Say which test number of the exchange is to be called on it (a loop, a tone, a quiet line).",
                fields=[FieldFault("number", "needed on an E1")],
            )  # fmt: skip
        if asked.timeslot in facts.blocked and kinds.taking(asked.kind, wanted) is Taking.CALL:
            raise Fault(
                FaultKind.CONFLICT, "lines.test_blocked", f"{name} was taken out of service by a person",
                hint="Give it back first: the test calls on it.",
            )  # fmt: skip
        return Place(line, wanted, asked.timeslot, line.channel + asked.timeslot - 1)

    def _port(self, place: Place) -> VoicePort:
        found = self._cards.found
        assert found is not None, "its line was found there"
        card, span = found.place(place.line)
        port = self._box.voice(card).port(next(port for port in span.ports if port.position == place.line.position))
        if Capability.PORT_TAP not in port.capabilities:
            raise Fault(
                FaultKind.CONFLICT, "lines.test_driver", f"the driver of {place.line.name} cannot be tested on",
                hint="The box lacks voicecore: install the release again.",
            )  # fmt: skip
        return port

    # ── one test ───────────────────────────────────────────────────────────────────────────────────
    async def _work(self) -> None:
        while True:
            running = await self._asked.get()
            running.task = asyncio.create_task(self._one(running), name="line test")
            try:
                await asyncio.wait((running.task,))
            finally:
                running.task.cancel()
            ended = _ended(running, running.task)
            running.test = replace(running.test, ended_us=self._clock.now_us(), **ended)
            log.info("line test", line=running.test.line, kind=running.test.kind, state=running.test.state)
            await self._tests.end(running.test)
            running.progress = None
            self._tell()
            self._running = None

    async def _one(self, running: _Running) -> None:
        """Leaves what it found in the test's detail."""
        test, place, order = running.test, running.place, running.order

        def told(second: Second) -> None:
            running.progress = {"second": second.second, "level_dbm0": second.level_dbm0, "errors": second.errors}
            self._tell()

        async with self._ports.taken(place, running.how, test.id, running.number, order.seconds) as ends:
            running.ends = ends
            async with running.port.tap(place.timeslot, speak=running.how is not Taking.NOTHING) as tap:
                found = await tap.measure(order, told, ends.over)
        if ends.why and ends.why != STOPPED and test.kind not in kinds.ENDS_WITH_THE_CALL:
            raise Fault(
                FaultKind.CONFLICT, "lines.test_lost", ends.why,
                hint="Try again; the call has not been disturbed.",
            )  # fmt: skip
        detail = await asyncio.to_thread(results, test.kind, found, order.level_dbm0, place.wanted)
        running.test = replace(test, detail=test.detail | detail)

    def _tell(self) -> None:
        assert self._running is not None
        self._bus.publish(LineTestChanged(self._running.test.view(self._running.progress)))

    # ── after an agent that was killed ─────────────────────────────────────────────────────────────
    async def _end_leftovers(self) -> None:
        left = await self._tests.open()
        mine = self._running.test.id if self._running is not None else None  # begun before this came to its turn
        self._leftovers = [test for test in left if test.id != mine]
        reason = {"key": "restarted", "message": "the box agent was restarted during the test", "hint": "Try again."}
        for test in self._leftovers:
            log.warning("line test of a killed agent", line=test.line, kind=test.kind)
            detail = test.detail | {"reason": reason}
            await self._tests.end(replace(test, ended_us=self._clock.now_us(), state=State.FAILED, detail=detail))

    async def _give_back(self, due: asyncio.Event) -> None:
        """Calls of nobody's test are ended, and ports that were undisturbed ring again, when Asterisk is there."""
        while True:
            await due.wait()
            due.clear()
            busy = self._running is not None
            if not busy:
                try:
                    await self._ports.give_back([*filter(None, map(self._leftover_place, self._leftovers))])
                    self._leftovers = [test for test in self._leftovers if self._leftover_place(test) is None]
                except Fault as fault:
                    log.info("ports of line tests wait", reason=fault.message)
            if busy or self._leftovers:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_S):
                        await due.wait()
                due.set()

    def _leftover_place(self, test: LineTest) -> Place | None:
        """None: its line is not known (yet), or nothing of it is configured any more."""
        with contextlib.suppress(Fault):
            return self._place(test.line, Asked(test.kind, test.timeslot, number="0"))
        return None


def _ended(running: _Running, task: asyncio.Task[None]) -> dict[str, Any]:
    """State and detail of a test that has come to its end, in whatever way."""
    test = running.test
    stopped = task.cancelled() or (running.ends is not None and running.ends.why == STOPPED)
    error = None if task.cancelled() else task.exception()
    if error is None:
        return {"state": State.STOPPED if stopped else State.DONE}
    match error:
        case Fault():
            reason = {"key": error.key.removeprefix("lines."), "message": error.message, "hint": error.hint}
        case HalError():
            reason = {"key": "hardware", "message": error.message, "hint": error.hint}
        case _:
            log.error("line test failed", line=test.line, kind=test.kind, exc_info=error)
            reason = {"key": "internal", "message": "the test ended by a fault of the box", "hint": "See its log."}
    return {"state": State.FAILED, "detail": test.detail | {"reason": reason}}
