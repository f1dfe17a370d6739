"""Answers peers' probes: holds the port while there are peers, decides who is let in, starts the process that answers.

What comes faster than it is read is dropped by the kernel: a flood costs calls nothing.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock, rfc3339
from appliance_agent.kernel.events import VersionApplied
from appliance_agent.linkprobe.door import Door, Opened, Reply
from appliance_agent.linkprobe.plan import SECONDS
from appliance_agent.linkprobe.wire import LONGEST
from appliance_agent.system.linkprobe.child import child

log = structlog.get_logger()

AT_ONCE = 5
PAUSE_S = 0.02
"""Between two looks: 250 datagrams a second are read at most."""
BIND_AGAIN_S = 1.0
"""A port that a call holds: nobody tells when it is free."""
LONGEST_S = SECONDS + 40.0
"""Of one probe, whatever happens."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What of the configuration matters here."""

    port: int
    secrets: tuple[tuple[str, str], ...]


class Answering:
    name = "link probe answers"

    def __init__(
        self, *, config: ConfigHolder, bus: Bus, clock: Clock, calls: Callable[[], int], busy: Callable[[], bool]
    ) -> None:
        """`calls`: how many are up. `busy`: a probe of our own runs."""
        self._config, self._bus, self._clock = config, bus, clock
        self._calls, self._busy = calls, busy
        self.now: dict[str, Any] | None = None
        """{peer, since}: whose probe is being answered."""
        self.port: int | None = None
        """The port that is held."""

    async def run(self) -> None:
        with self._bus.subscribe(VersionApplied, limit=10) as applied:
            while True:
                wanted = self._wanted()
                async with asyncio.TaskGroup() as tasks:
                    serving = tasks.create_task(self._serve(wanted), name="link probe door")
                    while self._wanted() == wanted:
                        await applied.get()
                    serving.cancel()

    def _wanted(self) -> _Wanted:
        desired = self._config.desired
        secrets = tuple((peer.id, peer.secret) for peer in desired.peers if peer.secret is not None)
        return _Wanted(desired.network.probe_port, secrets)

    async def _serve(self, wanted: _Wanted) -> None:
        """Until cancelled."""
        if not wanted.secrets:
            await asyncio.Event().wait()
        door = Door(dict(wanted.secrets), os.urandom(32), self._calls)
        async with self._bound(wanted.port) as made:
            while True:
                await _readable(made)
                for _ in range(AT_ONCE):
                    try:
                        datagram, source = made.recvfrom(LONGEST + 1)
                    except OSError:  # nothing more, or an error of something that was sent
                        break
                    taken = door.take(datagram, source, self._clock.monotonic(), busy=self._busy())
                    if isinstance(taken, Reply):
                        with contextlib.suppress(OSError):
                            made.sendto(taken.datagram, source)
                    elif isinstance(taken, Opened):
                        await self._answer(made, taken)
                await asyncio.sleep(PAUSE_S)

    async def _answer(self, made: socket.socket, probe: Opened) -> None:
        """Another process has the socket meanwhile: to whoever else asks, it does not answer."""
        self.now = {"peer": probe.peer, "since": rfc3339(self._clock.now_us())}
        log.info("link probe answered", peer=probe.peer, source=probe.source[0])
        order = {
            "door": made.fileno(), "key": probe.key.hex(), "answer": probe.answer.hex(), "ask": probe.ask.hex(),
            "source": probe.source, "steps": [(step.streams, step.seconds) for step in probe.steps],
        }  # fmt: skip
        try:
            async with child("answer", order, (made.fileno(),)) as process:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST_S):
                        await process.wait()
        finally:
            self.now = None

    @asynccontextmanager
    async def _bound(self, port: int) -> AsyncIterator[socket.socket]:
        told = False
        while True:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.setblocking(False)
            try:
                made.bind(("", port))
                break
            except OSError as error:  # a call has it, or what a killed agent left behind: for a while
                made.close()
                if not told:
                    log.info("link probe port is taken", port=port, reason=str(error))
                told = True
                await asyncio.sleep(BIND_AGAIN_S)
        with made:
            self.port = port
            try:
                yield made
            finally:
                self.port = None


async def _readable(made: socket.socket) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(made, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(made)
