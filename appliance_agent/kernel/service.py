"""Long-running parts: each has `name` and `run()`; the composition root runs them in one task group."""

import asyncio
from typing import Protocol

import structlog

log = structlog.get_logger()

RESTART_DELAYS_S = (0.1, 0.5, 1.0, 2.0, 5.0)
"""A crashed service is started again after these delays (the last one repeats); a crash is a bug and is logged."""


class Service(Protocol):
    @property
    def name(self) -> str: ...

    async def run(self) -> None:
        """Runs until cancelled. Must not swallow CancelledError."""
        ...


async def keep_running(service: Service) -> None:
    """Run a service for ever; one that fails does not take the others along."""
    failures = 0
    while True:
        started = asyncio.get_running_loop().time()
        try:
            await service.run()
            log.error("service ended by itself", service=service.name)
        except Exception:
            log.exception("service failed", service=service.name)
        if asyncio.get_running_loop().time() - started > 60:
            failures = 0
        await asyncio.sleep(RESTART_DELAYS_S[min(failures, len(RESTART_DELAYS_S) - 1)])
        failures += 1
