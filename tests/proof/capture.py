"""Packets on the lab's own bridge, into a pcap."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def capture(link: str, file: Path, enter: Sequence[str] = ()) -> AsyncIterator[None]:
    """tcpdump runs while the block does; the file is complete when it has ended.

    `enter`: a command to run it under, such as `nsenter --net=…`."""
    process = await asyncio.create_subprocess_exec(
        *enter, "tcpdump", "-i", link, "-U", "-s", "0", "-w", str(file), "-Z", "root",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    await asyncio.wait_for(process.stderr.readline(), 10)  # "listening on …"
    try:
        yield
    finally:
        process.terminate()
        await asyncio.wait_for(process.communicate(), 10)
