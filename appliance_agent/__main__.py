"""`python3 -m appliance_agent`: the box agent. `--root DIR` for a box that is not at /."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

import structlog

from appliance_agent.app import STOP_LIMIT_S, Agent
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.identity import read_identity
from appliance_agent.kernel.logs import log_as_json
from appliance_agent.kernel.memory import give_back_early
from appliance_agent.kernel.secrets import read_secrets
from contracts.paths import BoxPaths

log = structlog.get_logger()


async def serve(paths: BoxPaths) -> None:
    """Until SIGTERM or SIGINT; a stop takes at most STOP_LIMIT_S."""
    identity = await asyncio.to_thread(read_identity, paths.identity)
    secrets = await asyncio.to_thread(read_secrets, paths.secrets)
    running = asyncio.create_task(Agent(paths, identity, secrets).run(), name="agent")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait(), name="stop signal")
    await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if running.done():
        running.result()  # raises what ended it
        return
    running.cancel()
    await asyncio.wait((running,), timeout=STOP_LIMIT_S)
    log.info("stopped", cleanly=running.done())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m appliance_agent", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/"))
    arguments = parser.parse_args()
    give_back_early()
    log_as_json("agent")
    try:
        asyncio.run(serve(BoxPaths(arguments.root)))
    except Fault as fault:
        log.error("cannot start", key=fault.key, reason=fault.message, hint=fault.hint)
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Not sys.exit: it would wait for threads of database connections that were cut in the middle of a query.
    os._exit(status)
