"""`python3 -m hq`: headquarters' server.

init NAME…   makes the authority and the server's certificate; NAMEs: where boxes reach it (DNS names, addresses)
serve        answers boxes, by default on port 443
code BRANCH  a code with which one box of this branch may join, within an hour
revoke BOX   no certificate of this box counts any more; its connection is closed
"""

import argparse
import asyncio
import os
import resource
import signal
import sys
from pathlib import Path

import structlog

from appliance_agent.kernel.clock import SystemClock, rfc3339
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.logs import log_as_json
from hq.authority import files
from hq.authority.enrolment import Enrolment
from hq.serve import open_database, served
from hq.store.database import Database

log = structlog.get_logger()

MOST_NAME = 64


def _name(text: str) -> str:
    if not 0 < len(text.strip()) <= MOST_NAME or not text.isprintable():
        raise argparse.ArgumentTypeError(f"1 to {MOST_NAME} letters")
    return text.strip()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m hq", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of keys, and of the SQLite file")
    database = os.environ.get("SA800_HQ_DATABASE", "")  # an argument is seen by everybody on the machine
    parser.add_argument(
        "--database", default=database, help="postgresql://user@host/database, or $SA800_HQ_DATABASE; else SQLite"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init").add_argument("names", nargs="+", type=_name)
    serve = commands.add_parser("serve")
    serve.add_argument("--host", default="0.0.0.0")
    serve.add_argument("--port", type=int, default=443)
    commands.add_parser("code").add_argument("branch", type=_name)
    commands.add_parser("revoke").add_argument("box", type=_name)
    return parser.parse_args()


async def _serve(database: Database, folder: files.Folder, host: str, port: int) -> None:
    """Until SIGTERM or SIGINT."""
    _allow_many_sockets()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with served(database=database, folder=folder, clock=SystemClock(), host=host, port=port) as headquarters:
        log.info("headquarters answers", host=host, port=headquarters.port)
        stopping = asyncio.create_task(stop.wait(), name="stop signal")
        await asyncio.wait((stopping, headquarters.watching), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if headquarters.watching.done():
            headquarters.watching.result()  # raises what ended it


def _allow_many_sockets() -> None:
    """One for each box; most systems give a process 1024 files until it asks for more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _run(given: argparse.Namespace) -> None:
    folder, clock = files.Folder(given.data / "authority"), SystemClock()
    if given.command == "init":
        await asyncio.to_thread(files.make, folder, given.names, clock.now_us())
    await asyncio.to_thread(files.load, folder)
    database = open_database(given.database, given.data)
    try:
        await database.prepare()
        enrolment = Enrolment(database, folder, clock)
        match given.command:
            case "serve":
                await _serve(database, folder, given.host, given.port)
            case "code":
                code = await enrolment.new_code(given.branch, "command line", "local")
                print(f"{code.text}\nfor {given.branch}, one box, until {rfc3339(code.until_us)}")
            case "revoke":
                await enrolment.revoke(given.box, "command line", "local")
    finally:
        await database.close()


def main() -> int:
    given = _arguments()
    log_as_json("hq")
    try:
        asyncio.run(_run(given))
    except Fault as fault:
        log.error(f"cannot {given.command}", key=fault.key, reason=fault.message, hint=fault.hint)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
