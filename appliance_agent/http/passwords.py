"""Password hashes: argon2id in threads, few at a time, the same work for users that do not exist."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from appliance_agent.kernel.errors import Fault, FaultKind

MEMORY_KIB = 19456
"""OWASP's argon2id profile of 19 MiB and 2 passes: about 30 ms here. The library's default of 64 MiB, twice at once,
would not fit into the agent's 120 MiB."""
AT_ONCE = 2
WAITING_LIMIT = 32


class Passwords:
    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1)
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._inside = 0
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """Raises Fault TOO_MANY when too many wait already."""
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password. None (no such user) takes as long as a wrong one."""
        async with self._turn():
            matches = await asyncio.to_thread(self._matches, password_hash or self._nobody, password)
        return matches and password_hash is not None

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._inside >= WAITING_LIMIT:
            raise Fault(FaultKind.TOO_MANY, "session.busy", "Too many log-ins at once.", retry_after_s=2)
        self._inside += 1
        try:
            async with self._gate:
                yield
        finally:
            self._inside -= 1
