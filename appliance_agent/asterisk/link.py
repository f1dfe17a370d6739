"""One link to Asterisk: AMI and ARI together are up, or both are down.

Events are not replayed after a gap, so a half-broken link is worth nothing: when either connection ends, both are
closed, AsteriskDown is published, and everything begins anew; after AsteriskUp every part reads its state again.
Typed events (asterisk.models) are published on the bus from log-in on, so those of the re-reading are not lost.
"""

import asyncio
from pathlib import Path
from typing import Any

import structlog

from appliance_agent.asterisk.ami import Ami
from appliance_agent.asterisk.ami_wire import Message
from appliance_agent.asterisk.ari import Ari
from appliance_agent.asterisk.faults import first_fault, unavailable
from appliance_agent.asterisk.models import EndpointChanged, app_event, from_ami
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import AsteriskDown, AsteriskUp
from appliance_agent.kernel.files import write_atomically
from appliance_agent.kernel.secrets import read_secrets

log = structlog.get_logger()

USER = "sa800"
READY_S = 60.0
"""From log-in to "fully booted" and ARI: modules load in 1 s on a PC, some 10 s on a slow box."""
RETRY_DELAYS_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Between attempts; the last one repeats."""


class Link:
    """`seen`: file that keeps the last start of Asterisk we knew, so that one that happened without us counts."""

    name = "asterisk"

    def __init__(self, bus: Bus, *, secrets: Path, seen: Path, ami_port: int = 5038, ari_port: int = 8088) -> None:
        self._bus = bus
        self._secrets, self._seen = secrets, seen
        self.ami = Ami(self._on_ami, port=ami_port)
        self.ari = Ari(port=ari_port)
        self._booted = asyncio.Event()
        self.up: AsteriskUp | None = None
        """None while down."""
        self.reason = "not connected yet"
        """Why it is down."""

    async def run(self) -> None:
        failures = 0
        while True:
            try:
                await self._session()
            except Fault as fault:
                self.reason = fault.message
            finally:
                was_up, self.up = self.up is not None, None
                if was_up:
                    self._bus.publish(AsteriskDown(self.reason))
            failures = 0 if was_up else failures + 1
            if failures in (0, len(RETRY_DELAYS_S)):
                log.warning("asterisk is away", reason=self.reason)
            await asyncio.sleep(RETRY_DELAYS_S[min(failures, len(RETRY_DELAYS_S) - 1)])

    async def _session(self) -> None:
        secrets = await asyncio.to_thread(read_secrets, self._secrets)
        self._booted.clear()
        try:
            async with self.ari.open(USER, secrets.ari), asyncio.TaskGroup() as tasks:
                ready = asyncio.Event()
                tasks.create_task(self.ami.serve(USER, secrets.ami, ready), name="ami")
                try:
                    async with asyncio.timeout(READY_S):
                        await ready.wait()
                        await self._booted.wait()
                        ready.clear()
                        tasks.create_task(self.ari.serve_events(self._on_ari, ready), name="ari events")
                        await ready.wait()
                        started = await self._startup_time()
                except TimeoutError:
                    raise unavailable(f"Asterisk is not ready after {READY_S:g} s") from None
                await self._announce(started)
        except BaseExceptionGroup as group:
            raise first_fault(group) from None

    async def _startup_time(self) -> str:
        info = await self.ari.request("GET", "/asterisk/info", params={"only": "status"})
        try:
            return str(info["status"]["startup_time"])
        except (KeyError, TypeError):
            raise unavailable(f"ARI does not tell when Asterisk started: {info!r:.200}") from None

    async def _announce(self, started: str) -> None:
        seen = await asyncio.to_thread(_read, self._seen)
        self.up = AsteriskUp(restarted=started != seen, startup_time=started)
        log.info("asterisk is up", started=started, restarted=self.up.restarted)
        self._bus.publish(self.up)
        # After publishing: killed in between, the next agent replays once more, which does no harm.
        await asyncio.to_thread(write_atomically, self._seen, started.encode(), mode=0o640)

    def _on_ami(self, message: Message) -> None:
        if message.event == "FullyBooted":
            self._booted.set()
        event = from_ami(message)
        if event is not None:
            self._bus.publish(event)

    def _on_ari(self, event: dict[str, Any]) -> None:
        told = EndpointChanged.from_ari(event) or app_event(event)
        if told is not None:
            self._bus.publish(told)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return ""
