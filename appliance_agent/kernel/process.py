"""Short-lived helper programs: arguments as a list, never a shell; bounded; dead when the caller gives up."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Finished:
    status: int
    """Exit status; negative = killed by that signal."""
    errors: str
    """The last 2000 characters of its standard error."""


async def run_program(args: Sequence[str], *, folder: Path, stdin: bytes = b"", limit_s: float) -> Finished:
    """Runs a program in `folder` (also its TMPDIR) at low priority, so that calls keep the processor.

    Raises TimeoutError after `limit_s` seconds and FileNotFoundError when there is no such program; the program is
    dead then, as it is when the caller is cancelled.
    """
    environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"}
    process = await asyncio.create_subprocess_exec(
        "nice", "-n", "10", *args, cwd=folder, env=environment,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(limit_s):
            _, errors = await process.communicate(stdin)
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    status = process.returncode
    assert status is not None, "communicate() waits for the end"
    if status == 127:
        raise FileNotFoundError(f"there is no program {args[0]!r}")
    return Finished(status, errors.decode("utf-8", "replace")[-2000:])
