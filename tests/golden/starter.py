"""Starts a real Asterisk from a root file system with rendered files, in namespaces of its own (loopback only).

Small on purpose: no box agent, no supervisor, no exchange. That is how the compiled dialplan has to work anyway.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from contracts.journal import CEL_FIELDS
from image import applayer, boxcext
from ledger.journal import JournalError, decode_line

BOOT = Path(__file__).with_name("boot.sh")
CURRENT = "var/lib/sa800/asterisk/current"
PROMPTS = "var/lib/sa800/prompts"
START_LIMIT_S = 120.0
CLI_LIMIT_S = 20.0
POLL_S = 0.02

HARMLESS = (
    # Asterisk 22.10 prints this for any configuration, before it read one: its own documentation lacks the option.
    "Could not find option 'minimum_size' with type 'threadpool' in module 'stasis'",
    # Nobody answers at the providers of these documents: there is only the loopback.
    "Error 120101 'Network is unreachable' sending OPTIONS",
    "No response received from 'sip:sip.example.net:5060' on registration attempt",
)
_COMPLAINT = re.compile(r"\b(WARNING|ERROR)\b|^Could not|^Unable")

Row = dict[str, str]


@dataclass(slots=True)
class Box:
    """A running Asterisk. Read its files through `root`."""

    pid: int
    log: Path

    @property
    def root(self) -> Path:
        return Path(f"/proc/{self.pid}/root")

    @property
    def enter(self) -> tuple[str, ...]:
        """Command to run others in its network."""
        return ("nsenter", f"--target={self.pid}", "--net")

    def complaints(self) -> list[str]:
        """Warnings and errors since the start, but those that are no fault of ours."""
        lines = _text(self.log).splitlines()
        found = [line for line in lines if _COMPLAINT.search(line)]
        return [line for line in found if not any(known in line for known in HARMLESS)]

    async def cli(self, command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "nsenter", f"--target={self.pid}", "--mount", "--net", "--root", "--wd=/", "asterisk", "-C",
            f"/{CURRENT}/asterisk.conf", "-rx", command,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), CLI_LIMIT_S)
        return out.decode(errors="replace")

    def journal(self) -> list[Row]:
        path = self.root / "var/log/asterisk/cel-custom/journal.jsonl"
        if not path.exists():
            return []
        return list(_rows(path.read_bytes()))

    async def calls_ended(self, count: int, *, limit_s: float = 30.0) -> list[Row]:
        """The journal, once `count` calls of this box have ended."""
        return await self.row(lambda rows: sum(row["eventtype"] == "LINKEDID_END" for row in rows) >= count, limit_s)

    async def row(self, there: Callable[[list[Row]], bool], limit_s: float = 30.0) -> list[Row]:
        """The journal, once `there` holds of it."""
        end = asyncio.get_running_loop().time() + limit_s
        while not there(rows := self.journal()):
            if asyncio.get_running_loop().time() > end:
                raise AssertionError("the journal does not say so:\n" + "\n".join(story(rows)))
            await asyncio.sleep(POLL_S)
        return rows


def _rows(journal: bytes) -> Iterator[Row]:
    for line in journal.splitlines():
        with contextlib.suppress(JournalError):  # torn by a line break in a number
            yield dict.fromkeys(CEL_FIELDS, "") | decode_line(line)


def extra(row: Row) -> dict[str, str]:
    """Keys of a user event, as they stand (percent-encoded)."""
    text: str = json.loads(row["eventextra"])["extra"]
    return dict(pair.split("=", 1) for pair in text.split("&"))


def user_events(rows: list[Row]) -> list[tuple[str, dict[str, str]]]:
    return [(row["userdeftype"], extra(row)) for row in rows if row["eventenum"] == "USER_DEFINED"]


def story(rows: list[Row]) -> list[str]:
    return [
        f"{row['eventtype']:18} {row['channame']:28} {row['context']},{row['exten']} {row['eventextra']}"
        for row in rows
    ]


def _text(log: Path) -> str:
    return log.read_text(errors="replace")


def _child_of(pid: int) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    return None


async def _ready(process: asyncio.subprocess.Process, log: Path) -> int:
    """Waits for "Asterisk Ready"; returns Asterisk's pid."""
    end = asyncio.get_running_loop().time() + START_LIMIT_S
    while "Asterisk Ready" not in (text := _text(log)):
        if process.returncode is not None or asyncio.get_running_loop().time() > end:
            raise AssertionError(f"Asterisk did not start:\n{text}")
        await asyncio.sleep(POLL_S)
    pid = _child_of(process.pid)
    assert pid is not None
    return pid


@asynccontextmanager
async def running(
    root: Path,
    files: Mapping[str, str],
    folder: Path,
    *,
    prompts: Mapping[str, bytes] | None = None,
    modules: Path | None = None,
) -> AsyncIterator[Box]:
    """`root`: the root file system, left as it is. `files`: what render() gave. `folder`: an empty one of the test.
    `prompts`: id → a wav's bytes. `modules`: a folder with Asterisk's modules of ours; those that the box has."""
    seed, stage, log = folder / "seed", folder / "stage", folder / "asterisk.log"
    ours = (modules or boxcext.ensure() / boxcext.MODULES).iterdir()
    for relative, content in (
        *((f"{applayer.MODULES_HOME}/{path.name}", path.read_bytes()) for path in ours),
        *((f"{CURRENT}/{name}", text.encode()) for name, text in files.items()),
        *((f"{PROMPTS}/{name}.wav", data) for name, data in (prompts or {}).items()),
        ("etc/hosts", b"127.0.0.1 localhost golden\n127.0.0.9 sip.example.net\n"),
        ("etc/resolv.conf", b"nameserver 127.0.0.1\n"),
    ):
        path = seed / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    stage.mkdir()
    environment = {"PATH": os.environ["PATH"], "STAGE": str(stage), "SEED": str(seed), "ROOT": str(root)}
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            "unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child=SIGKILL",
            "/bin/sh", str(BOOT), env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        yield Box(await _ready(process, log), log)
    finally:
        # PID 1 of the namespace itself: --kill-child is lost when Asterisk changes its user (prctl(2), PDEATHSIG).
        pid = _child_of(process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid if pid is not None else process.pid, signal.SIGKILL)
        await process.wait()
