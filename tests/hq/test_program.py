"""`python3 -m hq` as an operator types it: what it does, and what it says when it cannot."""

import socket
from pathlib import Path

import pytest

from contracts import enrol
from tests.hq.program import run, serving

pytestmark = pytest.mark.long  # a process each


async def test_a_headquarters_is_made_once(tmp_path: Path) -> None:
    assert (await run(tmp_path, "init", "hq.example", "192.0.2.1")).status == 0
    authority = tmp_path / "authority"
    before = {one.name: one.read_bytes() for one in authority.iterdir()}
    assert set(before) == {"authority.pem", "authority.key", "server.pem", "server.key"}
    assert [(authority / name).stat().st_mode & 0o077 for name in ("authority.key", "server.key")] == [0, 0]
    assert (await run(tmp_path, "init", "other.example")).status == 0
    assert {one.name: one.read_bytes() for one in authority.iterdir()} == before

    (authority / "authority.key").unlink()
    half = await run(tmp_path, "init", "hq.example")
    assert (half.status, half.last["key"]) == (1, "authority.half")
    assert "backup" in half.last["hint"]


async def test_it_serves_gives_codes_and_stops(tmp_path: Path) -> None:
    async with serving(tmp_path, "") as server:
        made = await run(tmp_path, "code", "海口 1 部")
        code, about = made.text.splitlines()
        assert enrol.show(enrol.parse(code)) == code
        assert about.startswith("for 海口 1 部, one box, until 20")
        busy = await run(tmp_path, "serve", "--host", "127.0.0.1", "--port", str(server.port))
        assert (busy.status, busy.last["key"]) == (1, "hq.listen")
        nobody = await run(tmp_path, "revoke", "box-9")
        assert (nobody.status, nobody.last["reason"]) == (1, "There is no box box-9.")
        assert await server.stop() == 0


async def test_what_is_missing_is_said(tmp_path: Path) -> None:
    new = await run(tmp_path, "serve")
    assert (new.status, new.last["key"]) == (1, "authority.unreadable")
    assert "init" in new.last["hint"]
    await run(tmp_path, "init", "hq.example")
    wrong = await run(tmp_path, "--database", "mysql://x/y", "serve")
    assert (wrong.status, wrong.last["key"]) == (1, "hq.database")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = await run(tmp_path, "--database", f"postgresql://x@127.0.0.1:{nobody.getsockname()[1]}/y", "serve")
    assert (away.status, away.last["key"]) == (1, "store.away")
    assert "PostgreSQL runs" in away.last["hint"]


@pytest.mark.parametrize("arguments", [(), ("init",), ("code", ""), ("code", "x" * 65), ("code", "a\nb"), ("dance",)])
async def test_what_is_no_command_is_explained(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = await run(tmp_path, *arguments)
    assert ended.status == 2
    assert "usage: python3 -m hq" in ended.text
