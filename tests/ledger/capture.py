"""Captures real CEL streams: `python -m tests.ledger.capture [name …]` (as root) rewrites streams/<name>.jsonl.

Each scenario is real calls on a real Asterisk with the rendered dialplan: phones by pjsua2, loopback only. The rows
are written as Asterisk wrote them. `python -m tests.ledger.streams` then rewrites the records: review its diff.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance_agent.config.model import (
    Desired,
    Did,
    Extension,
    ExtensionKind,
    ExtensionTarget,
    Menu,
    MenuOption,
    MenuTarget,
    OutboundRoute,
    Prompt,
    Queue,
    QueueTarget,
    Strategy,
    Trunk,
)
from appliance_agent.render.facts import Facts
from appliance_agent.render.render import render
from contracts.journal import UserEvent
from contracts.paths import BoxPaths
from image import rootfs
from ledger.journal import user_row
from tests.callers.client import Phones, phones
from tests.golden.people import tone
from tests.golden.starter import Box, running

STREAMS = Path(__file__).with_name("streams")
SIP, EXCHANGE, EXCHANGE_PORT = "127.0.0.1:5060", "127.0.0.2", 5062
MAIN, DIRECT, CALLER = "075588886666", "075588881001", "13800138000"
MANY = tuple(str(number) for number in range(1101, 1113))
EXTENSIONS = ("1001", "1002", "1003", *MANY)
PROMPT = "1" * 32
NEWLINE = b"\n"
CLOCK_FILE = "/run/clock-shift"


def document() -> Desired:
    """Menu: 1 → sales (rings one seat 5 s at a time, 10 s at most), 2 → all (rings twelve seats), 3 → 1003."""
    options = (
        MenuOption(digit="1", target=QueueTarget(queue="sales")),
        MenuOption(digit="2", target=QueueTarget(queue="all")),
        MenuOption(digit="3", target=ExtensionTarget(extension="1003")),
    )
    return Desired(
        extensions=tuple(
            Extension(number=n, name=f"坐席 {n}", kind=ExtensionKind.PHONE, secret=f"phone{n}Secret")
            for n in EXTENSIONS
        ),
        trunks=(Trunk(id="exchange", name="公网", host=EXCHANGE, port=EXCHANGE_PORT),),
        outbound=(OutboundRoute(prefix="9", trunk="exchange"),),
        dids=(
            Did(number=MAIN, name="总机", target=MenuTarget(menu="main")),
            Did(number=DIRECT, name="直线", target=ExtensionTarget(extension="1001")),
        ),
        prompts=(Prompt(id=PROMPT, name="Welcome", language="en", source="upload"),),
        menus=(Menu(id="main", name="主菜单", prompts=(PROMPT,), wait_s=2, repeats=2, options=options),),
        queues=(
            Queue(id="sales", name="销售", strategy=Strategy.LONGEST_IDLE, ring_s=5, max_wait_s=10, wrap_up_s=0),
            Queue(id="all", name="全体", strategy=Strategy.RING_ALL, ring_s=20, max_wait_s=30, wrap_up_s=0),
        ),
    )  # fmt: skip


@dataclass
class Stage:
    box: Box
    journal: Path
    exchange: Phones
    seats: Phones
    mark: int = 0
    """Where this scenario's rows begin in the journal."""

    def new(self) -> bytes:
        return self.journal.read_bytes()[self.mark :] if self.journal.exists() else b""

    async def until(self, wanted: Callable[[bytes], bool], limit_s: float = 30.0) -> None:
        end = asyncio.get_running_loop().time() + limit_s
        while not wanted(self.new()):
            if asyncio.get_running_loop().time() > end:
                raise AssertionError(f"the journal does not say so:\n{self.new().decode()}")
            await asyncio.sleep(0.02)

    async def rows(self, word: str, count: int = 1) -> None:
        await self.until(lambda data: data.count(f'"{word}"'.encode()) >= count)

    async def ended(self, calls: int = 1) -> None:
        await self.until(lambda data: data.count(b'{"eventtype":"LINKEDID_END"') >= calls)

    async def bridged(self, channels: int = 2) -> None:
        await self.until(lambda data: data.count(b'{"eventtype":"BRIDGE_ENTER"') >= channels)

    async def phone(self, ext: str, farm: Phones | None = None, **options: Any) -> None:
        await (farm or self.seats).add(
            ext, domain=SIP, secret=f"phone{ext}Secret", tone_hz=500 + int(ext[-2:]) * 20,
            **{"answer": "auto", "answer_after_s": 0.6, **options},
        )  # fmt: skip

    async def staff(self, queue: str, *extensions: str) -> None:
        for ext in EXTENSIONS:
            await self.box.cli(f"queue remove member PJSIP/{ext} from {queue}")
        for ext in extensions:
            out = await self.box.cli(f"queue add member PJSIP/{ext} to {queue} penalty 0 as {ext}")
            assert "Added interface" in out, out

    async def behave(self, ext: str, answer: str, after_s: float = 0.6) -> None:
        await self.seats.send("set", ext=ext, answer=answer, answer_after_s=after_s)

    async def call(self, to: str = MAIN, digit: str = "") -> None:
        mark = self.exchange.mark()
        await self.exchange.send("call", ext=CALLER, to=to)
        if digit:
            await self.exchange.wait("media", ext=CALLER, since=mark)
            await self.rows("STREAM_BEGIN")
            await self.exchange.send("dtmf", ext=CALLER, digits=digit)

    async def hang_up(self) -> None:
        await self.exchange.send("hangup", ext=CALLER)
        await self.ended()


Scenario = Callable[[Stage], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


@scenario
async def answered(stage: Stage) -> None:
    """DID → menu → 1 → queue → 1001 answers, holds the caller for about a second; the caller hangs up."""
    await stage.staff("sales", "1001")
    await stage.call(digit="1")
    await stage.bridged()
    await asyncio.sleep(1.5)
    await stage.seats.send("hold", ext="1001", on=True)
    await stage.until(lambda data: data.count(b'{"eventtype":"STREAM_BEGIN"') >= 3)
    await asyncio.sleep(1)
    await stage.seats.send("hold", ext="1001", on=False)
    await stage.until(lambda data: data.count(b'{"eventtype":"STREAM_END"') >= 3)
    await asyncio.sleep(1)
    await stage.hang_up()


@scenario
async def abandon_menu(stage: Stage) -> None:
    await stage.call()
    await stage.rows("STREAM_BEGIN")
    await asyncio.sleep(0.7)
    await stage.hang_up()


@scenario
async def menu_gives_up(stage: Stage) -> None:
    """No digit, then a wrong one: after the last repeat the box hangs up."""
    await stage.call()
    await stage.until(lambda data: b"digit=t" in data)
    await asyncio.sleep(0.3)
    await stage.exchange.send("dtmf", ext=CALLER, digits="9")
    await stage.ended()


@scenario
async def abandon_queue(stage: Stage) -> None:
    await stage.staff("sales", "1003")
    await stage.behave("1003", "ring")
    await stage.call(digit="1")
    await stage.rows("SA_RING")
    await asyncio.sleep(2)
    await stage.hang_up()


@scenario
async def queue_timeout(stage: Stage) -> None:
    await stage.staff("sales", "1003")
    await stage.behave("1003", "ring")
    await stage.call(digit="1")
    await stage.ended()


@scenario
async def nobody(stage: Stage) -> None:
    await stage.staff("sales")
    await stage.call(digit="1")
    await stage.ended()


@scenario
async def refusal(stage: Stage) -> None:
    """1001 refuses (busy), 1002 answers; 1002 hangs up."""
    await stage.staff("sales", "1001", "1002")
    await stage.behave("1001", "refuse")
    await stage.call(digit="1")
    await stage.bridged()
    await asyncio.sleep(1.2)
    await stage.seats.send("hangup", ext="1002")
    await stage.ended()


@scenario
async def blind_transfer(stage: Stage) -> None:
    await stage.staff("sales", "1001")
    await stage.call(digit="1")
    await stage.bridged()
    await asyncio.sleep(1)
    await stage.seats.send("transfer", ext="1001", to="1002")
    await stage.bridged(4)
    await asyncio.sleep(1.3)
    await stage.hang_up()


@scenario
async def attended_transfer(stage: Stage) -> None:
    """1001 holds the caller, asks 1002, connects them, is out; 1002 hangs up."""
    await stage.staff("sales", "1001")
    await stage.call(digit="1")
    await stage.bridged()
    await asyncio.sleep(1)
    await stage.seats.send("hold", ext="1001", on=True)
    await stage.until(lambda data: data.count(b'{"eventtype":"STREAM_BEGIN"') >= 3)
    await stage.seats.send("call", ext="1001", to="1002")
    await stage.bridged(4)
    await asyncio.sleep(1)
    await stage.seats.send("attend", ext="1001")
    await stage.until(lambda data: b'{"eventtype":"ATTENDEDTRANSFER"' in data)
    await asyncio.sleep(1.5)
    await stage.seats.send("hangup", ext="1002")
    await stage.ended(2)


@scenario
async def outbound(stage: Stage) -> None:
    await stage.exchange.send("set", ext=CALLER, answer="auto", answer_after_s=0.8)
    await stage.seats.send("call", ext="1001", to=f"9{CALLER}")
    await stage.bridged()
    await asyncio.sleep(1.5)
    await stage.seats.send("hangup", ext="1001")
    await stage.ended()


@scenario
async def outbound_transferred(stage: Stage) -> None:
    """1001 calls outside, then sends the outside party to 1002."""
    await stage.exchange.send("set", ext=CALLER, answer="auto", answer_after_s=0.3)
    await stage.seats.send("call", ext="1001", to=f"9{CALLER}")
    await stage.bridged()
    await asyncio.sleep(1)
    await stage.seats.send("transfer", ext="1001", to="1002")
    await stage.bridged(4)
    await asyncio.sleep(1.5)
    await stage.hang_up()


@scenario
async def outbound_busy(stage: Stage) -> None:
    await stage.exchange.send("set", ext=CALLER, answer="refuse")
    await stage.seats.send("call", ext="1001", to=f"9{CALLER}")
    await stage.ended()


@scenario
async def internal(stage: Stage) -> None:
    await stage.seats.send("call", ext="1001", to="1002")
    await stage.bridged()
    await asyncio.sleep(1)
    await stage.seats.send("hangup", ext="1001")
    await stage.ended()


@scenario
async def busy_extension(stage: Stage) -> None:
    await stage.behave("1001", "refuse")
    await stage.call(DIRECT)
    await stage.ended()


@scenario
async def cancelled(stage: Stage) -> None:
    await stage.behave("1001", "ring")
    await stage.call(DIRECT)
    await stage.rows("SA_RING")
    await asyncio.sleep(1)
    await stage.hang_up()


@scenario
async def unknown_did(stage: Stage) -> None:
    await stage.call("075500000000")
    await stage.ended()


@scenario
async def ring_all(stage: Stage) -> None:
    """Twelve seats ring, the seventh answers after 1.5 s."""
    enter = stage.box.enter
    async with phones("127.0.0.4", enter=enter) as six, phones("127.0.0.5", enter=enter) as others:
        for ext in MANY:  # pjsua2 takes eight accounts in one process
            await stage.phone(ext, farm=six if ext in MANY[:6] else others, answer="ring")
        await others.send("set", ext=MANY[6], answer="auto", answer_after_s=1.5)
        await stage.staff("all", *MANY)
        await stage.call(digit="2")
        await stage.bridged()
        await asyncio.sleep(1)
        await stage.hang_up()


@scenario
async def rotation(stage: Stage) -> None:
    """The journal is renamed in the middle of a talk (streams/rotation.1.jsonl); a new file goes on."""
    await stage.staff("sales", "1001")
    await stage.call(digit="1")
    await stage.bridged()
    await asyncio.sleep(1)
    first = stage.new()
    stage.journal.rename(stage.journal.with_name("journal.1.jsonl"))
    stage.mark = 0
    (STREAMS / "rotation.1.jsonl").write_bytes(first)
    await asyncio.sleep(0.5)
    await stage.hang_up()


@scenario
async def clock_back(stage: Stage) -> None:
    """The box's clock is set back by an hour two seconds into the talk, which goes on for two more."""
    await stage.staff("sales", "1001")
    await stage.call(digit="1")
    await stage.bridged()
    await asyncio.sleep(2)
    stage.box.root.joinpath(CLOCK_FILE.lstrip("/")).write_text("-3600")
    now_us = time.time_ns() // 1000 - 3_600_000_000
    with stage.journal.open("ab") as journal:  # as the agent does
        journal.write(user_row(UserEvent.CLOCK.value, {"shift_us": "-3600000000"}, now_us))
    await asyncio.sleep(2)
    await stage.hang_up()


async def kill_in_talk(stage: Stage, again: Callable[[], AbstractAsyncContextManager[Stage]]) -> bytes:
    """Asterisk is killed with -9 in a talk, while another caller waits; the next Asterisk takes a call at once, before
    the box agent notes the restart. Both journals in one, as they are when the file outlives Asterisk."""
    await stage.staff("sales", "1001")
    await stage.exchange.send("add", ext="13900139000", domain=SIP, secret="none", tone_hz=400, register=False)
    await stage.call(digit="1")
    await stage.bridged()
    await stage.exchange.send("call", ext="13900139000", to=MAIN)
    await stage.rows("SA_MENU", 4)
    await asyncio.sleep(1)
    with stage.journal.open("rb") as before:
        os.kill(stage.box.pid, 9)
        data: bytes = before.read()
    async with again() as second:
        await second.call()
        await second.rows("STREAM_BEGIN")
        live = second.new().split(b'"uniqueid":"')[1].split(b'"')[0].decode()
        started = live.split(".")[0]
        keys = {"reason": "asterisk_start", "generation": "1", "started": "", "startup": started, "alive": live}
        row_time = int(float(started) * 1e6) + 900_000
        note = user_row(UserEvent.BOX_STARTED.value, keys, row_time)
        data += second.new()
        second.mark += len(second.new())
        await asyncio.sleep(0.5)
        await second.hang_up()
        return data + note + second.new()


@asynccontextmanager
async def stage_of(root: Path, folder: Path, *, clock: bool = False) -> AsyncIterator[Stage]:
    if clock:
        shim = folder / "seed/usr/lib/clock-shift.so"
        shim.parent.mkdir(parents=True)
        source = Path(__file__).with_name("clock_shift.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", shim, source, "-ldl"], check=True, timeout=60)
        (folder / "seed/etc").mkdir()
        (folder / "seed/etc/ld.so.preload").write_text("/usr/lib/clock-shift.so\n")
    files = render(document(), Facts(BoxPaths(), ami_secret="AmiSecretOfTests", ari_secret="AriSecretOfTests"))
    async with contextlib.AsyncExitStack() as stack:
        box = await stack.enter_async_context(running(root, files, folder, prompts={PROMPT: tone(600, 1.0)}))
        exchange = await stack.enter_async_context(phones(EXCHANGE, port=EXCHANGE_PORT, enter=box.enter))
        seats = await stack.enter_async_context(phones("127.0.0.3", enter=box.enter))
        stage = Stage(box, box.root / "var/log/asterisk/cel-custom/journal.jsonl", exchange, seats)
        await exchange.send("add", ext=CALLER, domain=SIP, secret="none", tone_hz=440, register=False)
        for ext in EXTENSIONS[:3]:
            await stage.phone(ext)
        yield stage


async def capture(name: str, root: Path, folder: Path) -> None:
    async with stage_of(root, folder / "box", clock=name == "clock_back") as stage:
        if name == "kill_in_talk":
            data = await kill_in_talk(stage, lambda: stage_of(root, folder / "again"))
        else:
            await SCENARIOS[name](stage)
            await asyncio.sleep(0.3)  # nothing may follow
            data = stage.new()
    (STREAMS / f"{name}.jsonl").write_bytes(data)
    print(f"{name}: {data.count(NEWLINE)} rows")


def main() -> None:
    names = sys.argv[1:] or [*SCENARIOS, "kill_in_talk"]
    root = rootfs.ensure()
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            (Path(folder) / name / "again").mkdir(parents=True)
            asyncio.run(capture(name, root, Path(folder) / name))


if __name__ == "__main__":
    main()
