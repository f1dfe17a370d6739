"""Runs probes of links to peers, one at a time; what is known of them is told while they run and kept afterwards."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.model import Peer
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import LinkProbeChanged
from appliance_agent.kernel.ids import new_id
from appliance_agent.linkprobe.plan import SECONDS, Step, refusal
from appliance_agent.linkprobe.result import Failure
from appliance_agent.store.database import Database
from appliance_agent.system.linkprobe.child import child
from appliance_agent.system.linkprobe.record import KeptProbes, LinkProbe, State

log = structlog.get_logger()

LONGEST_S = SECONDS + 60.0
"""Of one probe, whatever happens."""
REASONS = {
    Failure.ADDRESS: ("the peer's name has no address, or none that is reached from here", "Look at its address."),
    Failure.NO_ANSWER: (
        "the other box does not answer",
        "Its port may be shut, or it has not this box as a peer with the same secret.",
    ),
    Failure.BUSY: ("another probe runs at the other box", "Try again when it has ended."),
    Failure.CALLS: ("calls are up at the other box", "Confirm that it may be probed in spite of them, or wait."),
    Failure.TOO_MUCH: ("the other box refuses so much", "Ask for fewer calls or seconds."),
    Failure.SILENT: ("the other box answered and then fell silent", "The link has broken down; try fewer calls."),
}
RESTARTED = ("restarted", "the box agent was restarted during the probe", "Try again.")
INTERNAL = ("internal", "the probe ended by a fault of the box", "See its log.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person orders."""

    peer: str
    steps: tuple[Step, ...]
    in_spite_of_calls: bool = False


@dataclass(slots=True)
class _Running:
    probe: LinkProbe
    peer: Peer
    asked: Asked
    stopped: bool = False
    task: asyncio.Task[None] | None = None


class LinkProbes:
    name = "link probes"

    def __init__(
        self, *, database: Database, clock: Clock, bus: Bus, config: ConfigHolder, calls: Callable[[], int],
        answering: Callable[[], bool],
    ) -> None:  # fmt: skip
        """`calls`: how many are up. `answering`: a peer's probe runs."""
        self._probes, self._clock, self._bus, self._config = KeptProbes(database), clock, bus, config
        self._calls, self._answering = calls, answering
        self._asked: asyncio.Queue[_Running] = asyncio.Queue(1)
        self._running: _Running | None = None

    async def run(self) -> None:
        await self._end_leftovers()
        while True:
            running = await self._asked.get()
            running.task = asyncio.create_task(self._one(running), name="link probe")
            if running.stopped:
                running.task.cancel()
            try:
                await asyncio.wait((running.task,))
                await self._end(running)
            finally:
                running.task.cancel()
                self._running = None

    # ── what people ask ────────────────────────────────────────────────────────────────────────────
    @property
    def busy(self) -> bool:
        return self._running is not None

    async def begin(self, asked: Asked, by: str) -> dict[str, Any]:
        """Raises Fault: no such peer, one without address, another probe, calls that nobody has confirmed."""
        peer = self._peer(asked.peer)
        if told := refusal(asked.steps):
            raise Fault(FaultKind.INVALID, "probe.steps", told, hint="Choose fewer calls or seconds.")
        if self._running is not None or self._answering():
            raise Fault(
                FaultKind.CONFLICT, "probe.running", "another probe runs", hint="Wait until it has ended, or stop it.",
                retry_after_s=5,
            )  # fmt: skip
        if (calls := self._calls()) and not asked.in_spite_of_calls:
            raise Fault(
                FaultKind.CONFLICT, "probe.calls", f"{calls} calls are up; a probe takes of the link what they need",
                hint="Wait, or confirm that it may be done all the same.",
            )  # fmt: skip
        order = {
            "steps": [step.streams for step in asked.steps], "seconds": asked.steps[0].seconds,
            "in_spite_of_calls": asked.in_spite_of_calls,
        }  # fmt: skip
        probe = LinkProbe(new_id(), peer.id, by, self._clock.now_us(), detail={"order": order})
        self._running = _Running(probe, peer, asked)
        try:
            await self._probes.put(probe)
        except BaseException:  # also a caller that was cancelled
            self._running = None
            raise
        self._asked.put_nowait(self._running)
        self._tell()
        return probe.view()

    async def stop(self, id_: str) -> dict[str, Any]:
        """Ends it now; one that has ended stays as it is. Raises Fault NOT_FOUND."""
        running = self._running
        if running is not None and running.probe.id == id_:
            running.stopped = True
            if running.task is not None:
                running.task.cancel()
        return await self.one(id_)

    async def one(self, id_: str) -> dict[str, Any]:
        """With every second. Raises Fault NOT_FOUND."""
        if self._running is not None and self._running.probe.id == id_:
            return self._running.probe.view()
        probe = await self._probes.one(id_)
        if probe is None:
            raise Fault(FaultKind.NOT_FOUND, "probe.unknown", f"there is no probe {id_[:40]!r}")
        return probe.view()

    async def all(self) -> list[dict[str, Any]]:
        """Newest first, without the seconds."""
        now = self._running.probe if self._running is not None else None
        kept = [now if now is not None and now.id == probe.id else probe for probe in await self._probes.all()]
        return [replace(probe, seconds=[]).view() for probe in kept]

    def _peer(self, id_: str) -> Peer:
        for peer in self._config.desired.peers:
            if peer.id == id_ and peer.host is not None:
                return peer
            if peer.id == id_:
                raise Fault(
                    FaultKind.CONFLICT, "probe.no_address", f"{peer.id} has no address here",
                    hint="Give it one, or probe from its side.",
                )  # fmt: skip
        raise Fault(
            FaultKind.NOT_FOUND, "probe.no_peer", f"{id_[:40]!r} is no peer of the configuration that runs",
            hint="Add it to the peers, and apply.",
        )  # fmt: skip

    # ── one probe ──────────────────────────────────────────────────────────────────────────────────
    async def _one(self, running: _Running) -> None:
        """Leaves what it found in the probe's detail."""
        peer, asked = running.peer, running.asked
        order = {
            "host": peer.host, "port": peer.port, "secret": peer.secret, "in_spite_of_calls": asked.in_spite_of_calls,
            "steps": [(step.streams, step.seconds) for step in asked.steps],
        }  # fmt: skip
        async with child("call", order) as process, asyncio.timeout(LONGEST_S):
            assert process.stdout is not None
            async for line in process.stdout:
                self._hear(running, json.loads(line))
        if running.probe.state is State.RUNNING:
            raise RuntimeError(f"the probe's process ended with status {process.returncode}")

    def _hear(self, running: _Running, told: dict[str, Any]) -> None:
        """A line of the process."""
        match told:
            case {"heard": heard}:
                detail = running.probe.detail | {"steps": heard["steps"]}
                running.probe = replace(running.probe, detail=detail, seconds=heard["seconds"])
                self._tell()
            case {"ended": "done" | "heavy_loss" as how}:
                detail = running.probe.detail | {"early": how == "heavy_loss"}
                running.probe = replace(running.probe, state=State.DONE, detail=detail)
            case {"ended": why, "calls": calls}:
                message, hint = REASONS[Failure(why)]
                self._fail(running, (why, message, hint), calls)

    def _fail(self, running: _Running, reason: tuple[str, str, str], calls: int = 0) -> None:
        told = dict(zip(("key", "message", "hint"), reason, strict=True))
        detail = running.probe.detail | {"reason": told, "calls": calls}
        running.probe = replace(running.probe, state=State.FAILED, detail=detail)

    async def _end(self, running: _Running) -> None:
        assert running.task is not None
        if running.stopped:
            running.probe = replace(running.probe, state=State.STOPPED)
        elif not running.task.cancelled() and (error := running.task.exception()) is not None:
            log.error("link probe failed", peer=running.peer.id, exc_info=error)
            self._fail(running, INTERNAL)
        running.probe = replace(running.probe, ended_us=self._clock.now_us())
        log.info("link probe", peer=running.peer.id, state=running.probe.state.value)
        await self._probes.end(running.probe)
        self._tell()

    def _tell(self) -> None:
        assert self._running is not None
        self._bus.publish(LinkProbeChanged(self._running.probe.view()))

    async def _end_leftovers(self) -> None:
        """Of an agent that was killed: their processes ended with it."""
        mine = self._running.probe.id if self._running is not None else None  # begun before this came to its turn
        for probe in await self._probes.open():
            if probe.id != mine:
                detail = probe.detail | {"reason": dict(zip(("key", "message", "hint"), RESTARTED, strict=True))}
                ended = replace(probe, ended_us=self._clock.now_us(), state=State.FAILED, detail=detail)
                await self._probes.end(ended)
