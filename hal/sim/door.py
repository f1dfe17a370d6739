"""A Unix socket through which a demonstration or a test moves the simulated box of another process: a step a line."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from hal.errors import HalError, NotThere
from hal.sim.box import SimBox
from hal.sim.words import step

MOST_LINE_BYTES = 1024
ANSWER_S = 10.0
DONE = "ok"


@contextlib.asynccontextmanager
async def open_door(box: SimBox, path: Path) -> AsyncIterator[None]:
    """Serves while the block runs. Each line is answered by "ok" or by why it was not done."""
    await asyncio.to_thread(path.unlink, missing_ok=True)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: a line longer than MOST_LINE_BYTES
            while line := await reader.readline():
                writer.write(f"{_play(box, line.decode(errors='replace'))}\n".encode())
                await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, path, limit=MOST_LINE_BYTES)
    async with server:
        yield


def _play(box: SimBox, text: str) -> str:
    try:
        box.play([step(text)])
    except HalError as error:
        return str(error)
    return DONE


async def ask(path: Path, text: str) -> None:
    """Lets `text` happen to the box behind the door. Raises NotThere, or HalError with the box's own words."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(f"{text}\n".encode())
            answer = (await reader.readline()).decode().strip()
            writer.close()
    except (OSError, TimeoutError) as error:
        hint = 'start the lab with simulated cards: make run CARDS="e1:4 fxo:4"'
        raise NotThere(f"no simulated box answers at {path}", hint=hint) from error
    if answer != DONE:
        raise HalError(answer)
