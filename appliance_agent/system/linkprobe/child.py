"""The process that carries out one probe: gets its order as a line, ends when its input (or the agent) does."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

END_LIMIT_S = 3.0
MOST_LINE = 1 << 18
"""Bytes of a line that it says."""


@asynccontextmanager
async def child(
    end: str, order: Mapping[str, Any], files: Sequence[int] = ()
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`end`: call or answer. `files`: descriptors that it gets."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance_agent.linkprobe", end,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, pass_fds=files, limit=MOST_LINE,
    )  # fmt: skip
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(order).encode() + b"\n")
        yield process
    finally:
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_LIMIT_S):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
