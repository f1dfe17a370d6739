"""`python3 -m appliance_agent.hangup`: ends calls on FXO ports when a busy tone sounds, whatever the agent does."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import structlog

from appliance_agent.asterisk.ami import Ami
from appliance_agent.hangup.supervisor import Supervisor
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.logs import log_as_json
from appliance_agent.kernel.secrets import read_secrets
from contracts.paths import BoxPaths

log = structlog.get_logger()

USER = "sa800"
AGAIN_S = 1.0


async def stay_connected(ami: Ami, secrets: Path) -> None:
    """Until cancelled: logs in again whenever the connection ends."""
    reason = ""
    while True:
        try:
            await ami.serve(USER, (await asyncio.to_thread(read_secrets, secrets)).ami, asyncio.Event())
        except Fault as fault:
            if fault.message != reason:
                log.warning("asterisk is away", reason=fault.message)
            reason = fault.message
        await asyncio.sleep(AGAIN_S)


async def serve(paths: BoxPaths) -> None:
    """Until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ami = Ami(lambda _event: None)
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(stay_connected(ami, paths.secrets), name="ami"),
            tasks.create_task(Supervisor(ami, paths.hangup).run(), name="supervisor"),
        ]
        log.info("READY")
        await stop.wait()
        for task in running:
            task.cancel()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m appliance_agent.hangup", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/"))
    log_as_json("hangup")
    asyncio.run(serve(BoxPaths(parser.parse_args().root)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
