"""The front as a process: sockets handed over, HTTPS off loopback, a clean stop."""

import asyncio
import os
import signal
import socket
import ssl
import stat
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from appliance_agent.front import listen
from appliance_agent.front.app import application
from appliance_agent.front.tls import server_context
from appliance_agent.kernel.errors import Fault
from contracts.paths import BoxPaths

LIMIT_S = 60


@pytest.fixture
def paths(tmp_path: Path) -> BoxPaths:
    paths = BoxPaths(tmp_path)
    for folder in (paths.panel, paths.data, paths.identity.parent):
        folder.mkdir(parents=True)
    paths.panel.joinpath("index.html").write_text("<html>panel</html>")
    return paths


async def test_a_socket_is_handed_over_and_outlives_the_front(paths: BoxPaths) -> None:
    """As systemd does: the descriptor is number 3, and LISTEN_PID is the front's own."""
    sock = socket.create_server(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    script = (
        "import os,sys\nos.environ['LISTEN_PID']=str(os.getpid())\nos.environ['LISTEN_FDS']='1'\n"
        f"os.dup2({sock.fileno()},3)\nos.set_inheritable(3,True)\n"
        "os.execv(sys.executable,[sys.executable,'-m','appliance_agent.front','--root',sys.argv[1]])"
    )
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, str(paths.root),
            pass_fds=(sock.fileno(),), stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        )  # fmt: skip
        try:
            # Asked before it is ready: the connection waits in the socket.
            async with aiohttp.ClientSession() as page, page.get(f"http://127.0.0.1:{port}/") as answer:
                assert (answer.status, await answer.text()) == (200, "<html>panel</html>")
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(LIMIT_S):
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    sock.close()


def test_only_sockets_meant_for_us_are_taken() -> None:
    assert listen.inherited({}) == []
    assert listen.inherited({"LISTEN_PID": "1", "LISTEN_FDS": "1"}) == []


async def test_a_taken_port_is_told_in_one_line(paths: BoxPaths) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        listening = f"127.0.0.1:{sock.getsockname()[1]}"
        paths.identity.write_text(f'box_id = "b"\nedition = "sa800"\nlisten = "{listening}"\n')
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance_agent.front", "--root", str(paths.root), stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(LIMIT_S):
            said, _ = await process.communicate()
    assert process.returncode == 1
    assert "cannot start" in said.decode().splitlines()[-1]


def test_where_plain_http_is_allowed() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        assert listen.is_loopback(sock)
    with socket.socket() as sock:
        sock.bind(("0.0.0.0", 0))  # never listens
        assert not listen.is_loopback(sock)


async def test_https_with_a_certificate_of_our_own(paths: BoxPaths) -> None:
    context = await asyncio.to_thread(server_context, paths, "192.0.2.7")
    folder = paths.data / "tls"
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    before = (folder / "certificate.pem").read_bytes()
    await asyncio.to_thread(server_context, paths, "192.0.2.7")
    assert (folder / "certificate.pem").read_bytes() == before, "made once"
    runner = web.AppRunner(application(paths, "ws://127.0.0.1:9/ws"))
    await runner.setup()
    sock = listen.bound("127.0.0.1", 0)
    await web.SockSite(runner, sock, ssl_context=context).start()
    try:
        trusting = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
        url = f"https://127.0.0.1:{sock.getsockname()[1]}/"
        async with aiohttp.ClientSession() as page:
            async with page.get(url, ssl=trusting, server_hostname="sa800.local") as answer:
                assert (answer.status, await answer.text()) == (200, "<html>panel</html>")
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await page.get(url)
    finally:
        await runner.cleanup()


def test_a_broken_certificate_is_told(paths: BoxPaths) -> None:
    folder = paths.data / "tls"
    folder.mkdir()
    (folder / "certificate.pem").write_text("nonsense")
    (folder / "key.pem").write_text("nonsense")
    with pytest.raises(Fault) as fault:
        server_context(paths, "192.0.2.7")
    assert fault.value.hint
