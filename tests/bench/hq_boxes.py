"""make bench-hq-boxes: 1000 boxes with live connections on one process of headquarters: its processor and its memory.

The server is `python3 -m hq serve` with a PostgreSQL of its own; the boxes are one process that speaks
`contracts/live.py` over mutual TLS, each with its own certificate, and says its state every STATE_EVERY_S (a box at
work says it at most twice a second, an idle one every 30 s). Told: how long it took until all were connected, then over
MEASURED_S the server's share of one core and its memory; and its memory without any box.
"""

import asyncio
import json
import os
import random
import resource
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import psutil
import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance_agent.kernel.clock import SystemClock
from appliance_agent.system.hq_link import identity
from contracts import live
from hq.authority import files
from tests.hq import program
from tests.hq.postgres import Server

BOXES = int(os.environ.get("BOXES", "1000"))
STATE_EVERY_S = 2.0
MEASURED_S = 30.0
AT_ONCE = 20
"""Handshakes under way."""
DAY_US = 86_400_000_000
STATE = {
    "at_us": 1, "calls": 7, "waiting": 2, "agents": {"idle": 5, "busy": 1, "wrap_up": 1, "talking": 4},
    "trunks": {"city": "reachable", "mobile": "reachable"}, "alarms": {"warning": 1}, "backlog": 0,
}  # fmt: skip


def certified(folder: Path, authority: files.Folder, address: str) -> list[ssl.SSLContext]:
    """As after enrolment: a certificate each, known to the database."""
    now, contexts, rows = SystemClock().now_us(), [], []
    pem, key = authority.authority.read_text("ascii"), ec.generate_private_key(ec.SECP256R1())
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    for number in range(BOXES):
        box = f"box-{number}"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, box)])
        request = x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256())
        until = now + DAY_US
        made = files.for_box(authority, request, box, serial=number + 1, from_us=now, until_us=until)
        identity.keep(folder, secret, made.decode("ascii"), pem)
        contexts.append(identity.mutual(folder))
        rows.append((f"{number + 1:x}", box, now, until))
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO box (id, name, epoch, inventory, enrolled_us) VALUES (%s, %s, '', '{}', %s)",
            [(box, box, made_us) for _, box, made_us, _ in rows],
        )
        cursor.executemany("INSERT INTO certificate (serial, box, made_us, until_us) VALUES (%s, %s, %s, %s)", rows)
    return contexts


class Boxes:
    def __init__(self, port: int, contexts: Sequence[ssl.SSLContext]) -> None:
        self._url, self._contexts = f"https://127.0.0.1:{port}{live.LIVE_PATH}", contexts
        self._gate, self.connected, self.states = asyncio.Semaphore(AT_ONCE), 0, 0
        self.all_there = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number, context in enumerate(self._contexts):
                tasks.create_task(self._one(f"box-{number}", context))

    async def _one(self, box: str, context: ssl.SSLContext) -> None:
        connector = aiohttp.TCPConnector(ssl=context)
        async with aiohttp.ClientSession(connector=connector, trust_env=False) as http:
            async with self._gate:
                socket = await http.ws_connect(self._url, heartbeat=20)
                hello = {"type": "hello", "version": live.VERSION, "box": box, "epoch": "0" * 32, "inventory": {}}
                await socket.send_json(hello)
            self.connected += 1
            if self.connected == len(self._contexts):
                self.all_there.set()
            # The load itself: a thousand boxes that say their state now and then, not all at once.
            await asyncio.sleep(random.random() * STATE_EVERY_S)
            while not socket.closed:
                await socket.send_json({"type": "state", **STATE})
                self.states += 1
                await asyncio.sleep(STATE_EVERY_S)
            raise AssertionError(f"{box} was cut off: {socket.close_code}")


def spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def bench(folder: Path, address: str) -> dict[str, float]:
    (data := folder / "hq").mkdir()
    (keys := folder / "keys").mkdir()
    async with program.serving(data, address) as server:
        process = psutil.Process(server.pid)
        ground = process.memory_info().rss
        contexts = await asyncio.to_thread(certified, keys, files.Folder(data / "authority"), address)
        boxes, began = Boxes(server.port, contexts), asyncio.get_running_loop().time()
        running = asyncio.create_task(boxes.run())
        there = asyncio.create_task(boxes.all_there.wait())
        await asyncio.wait((running, there), return_when=asyncio.FIRST_COMPLETED, timeout=300)
        assert boxes.connected == BOXES, boxes.connected
        connected_s = asyncio.get_running_loop().time() - began
        before, states = spent(process), boxes.states
        await asyncio.wait((running,), timeout=MEASURED_S)
        assert not running.done(), running.exception()
        share = (spent(process) - before) / MEASURED_S
        result = {
            "boxes": BOXES, "connected_s": round(connected_s, 1),
            "states_s": round((boxes.states - states) / MEASURED_S), "core_percent": round(share * 100, 1),
            "memory_mib": round(process.memory_info().rss / 2**20), "memory_without_mib": round(ground / 2**20),
            "load_1min": round(os.getloadavg()[0], 2),
        }  # fmt: skip
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return result


def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = Server()
    server.start()
    try:
        with tempfile.TemporaryDirectory(prefix="sa800-bench-") as folder:
            print(json.dumps(asyncio.run(bench(Path(folder), server.new_database()))))
    finally:
        server.remove()


if __name__ == "__main__":
    main()
