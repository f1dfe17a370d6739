"""`python3 -m appliance_agent.front`: the box's one TCP port. `--root DIR` for a box that is not at /."""

import argparse
import asyncio
import os
import signal
import ssl
import sys
from pathlib import Path

import structlog
from aiohttp import web

from appliance_agent.front import listen
from appliance_agent.front.app import application
from appliance_agent.front.tls import server_context
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.identity import read_identity
from appliance_agent.kernel.logs import log_as_json
from contracts.paths import BoxPaths

log = structlog.get_logger()

STOP_LIMIT_S = 2.0


async def serve(paths: BoxPaths) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sockets = listen.inherited(os.environ)
    if not sockets:
        identity = await asyncio.to_thread(read_identity, paths.identity)
        sockets = [listen.bound(identity.listen_host, identity.listen_port)]
    runner = web.AppRunner(application(paths), access_log=None, shutdown_timeout=STOP_LIMIT_S)
    await runner.setup()
    try:
        for sock in sockets:
            context: ssl.SSLContext | None = None
            if not listen.is_loopback(sock):
                context = await asyncio.to_thread(server_context, paths, str(sock.getsockname()[0]))
            await web.SockSite(runner, sock, ssl_context=context).start()
            host, port = sock.getsockname()[:2]
            log.info("READY", address=f"{'https' if context else 'http'}://{host}:{port}")
        await stop.wait()
    finally:
        await runner.cleanup()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m appliance_agent.front", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/"))
    arguments = parser.parse_args()
    log_as_json("front")
    try:
        asyncio.run(serve(BoxPaths(arguments.root)))
    except Fault as fault:
        log.error("cannot start", key=fault.key, reason=fault.message, hint=fault.hint)
        return 1
    except OSError as error:
        log.error("cannot start", reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
