"""`python3 -m hq` as a process of its own, which can be killed."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT_S = 60.0
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    status: int
    text: str

    @property
    def last(self) -> dict[str, Any]:
        """The last line, which is a log line."""
        found: dict[str, Any] = json.loads(self.text.splitlines()[-1])
        return found


async def start(data: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hq", "--data", str(data), *arguments, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip


async def run(data: Path, *arguments: str) -> Ended:
    process = await start(data, *arguments)
    try:
        async with asyncio.timeout(LIMIT_S):
            text, _ = await process.communicate()
    finally:
        await _end(process)
    assert process.returncode is not None
    return Ended(process.returncode, text.decode())


class Server:
    """`serve`. The first start takes any port, later ones the same."""

    def __init__(self, data: Path, database: str) -> None:
        self._data, self._database, self.port = data, database, 0
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Until it answers."""
        self._process = await start(
            self._data, "--database", self._database, "serve", "--host", "127.0.0.1", "--port", str(self.port)
        )
        assert self._process.stdout is not None
        said: list[str] = []
        async with asyncio.timeout(LIMIT_S):
            while line := (await self._process.stdout.readline()).decode():
                said.append(line)
                if '"headquarters answers"' in line:
                    self.port = json.loads(line)["port"]
                    break
            else:
                raise AssertionError("".join(said))
        self._reading = asyncio.create_task(_drain(self._process.stdout))

    async def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        await self._over()

    async def stop(self) -> int:
        """By SIGTERM. Its exit status."""
        assert self._process is not None
        self._process.terminate()
        return await self._over()

    async def _over(self) -> int:
        assert self._process is not None
        assert self._reading is not None
        async with asyncio.timeout(LIMIT_S):
            status = await self._process.wait()
            await self._reading
        self._process = None
        return status

    async def __aenter__(self) -> "Server":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None:
            await self.kill()


@asynccontextmanager
async def serving(data: Path, database: str) -> AsyncIterator[Server]:
    made = await run(data, "init", "127.0.0.1")
    assert made.status == 0, made.text
    async with Server(data, database) as server:
        yield server


async def code(data: Path, database: str, branch: str) -> str:
    made = await run(data, "--database", database, "code", branch)
    assert made.status == 0, made.text
    return made.text.splitlines()[0]


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
