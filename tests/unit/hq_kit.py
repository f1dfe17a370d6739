"""A small headquarters that speaks the contracts over real TLS: for what the box's link does, and for HQ's faults."""

import asyncio
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from contracts import enrol, live, sync

SECRET = "0123456789ABCDEF"


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


class Authority:
    """Blocking."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        openssl(
            self.folder, *new, "-x509", "-days", "3650", "-subj", f"/CN={name}", "-keyout", "ca.key", "-out", "ca.pem"
        )
        openssl(self.folder, *new, "-subj", "/CN=hq", "-keyout", "server.key", "-out", "server.csr")
        self._sign("server", "serverAuth")
        self.pem = (self.folder / "ca.pem").read_text("ascii")

    @property
    def code(self) -> str:
        return enrol.show(enrol.Code(SECRET, enrol.pin_of(ssl.PEM_cert_to_DER_cert(self.pem))))

    def box(self, csr: str) -> str:
        (self.folder / "box.csr").write_text(csr, "ascii")
        self._sign("box", "clientAuth")
        return (self.folder / "box.pem").read_text("ascii")

    def _sign(self, what: str, use: str) -> None:
        (self.folder / "use").write_text(f"extendedKeyUsage={use}\n", "ascii")
        openssl(
            self.folder, "x509", "-req", "-in", f"{what}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "700", "-extfile", "use", "-out", f"{what}.pem",
        )  # fmt: skip

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=self.pem)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        context.verify_mode = ssl.CERT_OPTIONAL
        return context


@dataclass
class Headquarters:
    authority: Authority
    shown: Authority
    """Whose certificate it shows when asked for its authority."""
    port: int = 0
    epochs: dict[str, list[sync.Event]] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """For the next batches, in turn: lose_answer | drop | garbage | error | huge."""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def events(self) -> list[sync.Event]:
        """Of the newest epoch."""
        return list(self.epochs.values())[-1] if self.epochs else []

    def told(self) -> list[tuple[str, Any]]:
        return [(one.kind, one.body.get("call_id", one.body.get("id"))) for one in self.events()]

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(60), self.changed:
            await self.changed.wait_for(condition)

    async def note(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def give_authority(self, _request: web.Request) -> web.Response:
        return web.Response(text=self.shown.pem)

    async def enrol(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.secrets.append(asked["secret"])
        if asked["secret"] != SECRET:
            return web.json_response({"error": {"code": "enrol.code", "message": "unknown code"}}, status=403)
        made = await asyncio.to_thread(self.authority.box, asked["csr"])
        return web.json_response({"certificate": made, "authority": self.authority.pem, "branch": "Harbour"})

    async def mark(self, request: web.Request) -> web.Response:
        return self._mark(request.query["epoch"], 200)

    async def batch(self, request: web.Request) -> web.StreamResponse:
        assert _peer(request), "no certificate"
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "error":
            return web.json_response({"error": {"code": "hq.full", "message": "disk full"}}, status=503)
        if fault == "garbage":
            return web.Response(text="<html>")
        if fault == "huge":
            return web.Response(body=b"x" * 1_000_000)
        got = sync.unpack(await request.read())
        assert got.box == _peer(request)
        events = self.epochs.setdefault(got.epoch, [])
        if fault == "drop":  # a backup of HQ's was restored: it has less
            del events[len(events) // 2 :]
            return self._mark(got.epoch, 409)
        if got.events[0].seq > len(events) + 1:
            return self._mark(got.epoch, 409)
        events += [event for event in got.events if event.seq > len(events)]
        await self.note()
        if fault == "lose_answer":
            assert request.transport is not None
            request.transport.abort()
        return self._mark(got.epoch, 200)

    def _mark(self, epoch: str, status: int) -> web.Response:
        return web.json_response({"epoch": epoch, "seq": len(self.epochs.get(epoch, []))}, status=status)

    async def live(self, request: web.Request) -> web.WebSocketResponse:
        assert _peer(request), "no certificate"
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            said = json.loads(message.data)
            (self.results if said["type"] == live.Say.RESULT else self.states).append(said)
            await self.note()
        await self.note()  # closed
        return socket


def _peer(request: web.Request) -> str:
    assert request.transport is not None
    found = request.transport.get_extra_info("peercert") or {}
    return next((value for part in found.get("subject", ()) for key, value in part if key == "commonName"), "")


@asynccontextmanager
async def headquarters(folder: Path, *, impostor: bool = False) -> AsyncIterator[Headquarters]:
    """`impostor`: shows the true authority, and holds no certificate of it."""
    true = await asyncio.to_thread(Authority, folder, "true")
    own = await asyncio.to_thread(Authority, folder, "other") if impostor else true
    made = Headquarters(own, true)
    app = web.Application(client_max_size=sync.MOST_PACKED)
    app.router.add_get(enrol.AUTHORITY_PATH, made.give_authority)
    app.router.add_post(enrol.ENROL_PATH, made.enrol)
    app.router.add_get(sync.MARK_PATH, made.mark)
    app.router.add_post(sync.BATCH_PATH, made.batch)
    app.router.add_get(live.LIVE_PATH, made.live)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=own.context())
    await site.start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        for socket in made.sockets:
            await socket.close()
        await runner.cleanup()
        shutil.rmtree(own.folder, ignore_errors=True)
