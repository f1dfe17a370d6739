"""The test's end of `tests.callers.phones`: starts the process, sends commands, waits for events."""

import asyncio
import contextlib
import itertools
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Event = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
DONE_LIMIT_S = 30.0
"""A command is a function call of pjsua2; only a busy machine makes it long."""


class Phones:
    """Phones of one process: 4 calls at once and 8 phones at most, so pjsua2 was built; start several for more."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.events: list[Event] = []
        self._ids = itertools.count()
        self._answers: dict[int, asyncio.Future[Event]] = {}
        self._news = asyncio.Condition()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            if not line.startswith(b"{"):
                continue  # PJSIP's own log
            event = json.loads(line)
            if event["event"] in ("done", "error"):
                if not (answer := self._answers.pop(event["id"])).done():
                    answer.set_result(event)
                continue
            async with self._news:
                self.events.append(event)
                self._news.notify_all()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(AssertionError("the phones' process ended"))
        async with self._news:
            self.events.append({"event": "process_ended"})
            self._news.notify_all()

    async def send(self, do: str, **fields: Any) -> None:
        """Returns when the phones have done it: a party just added can be called. AssertionError: they could not."""
        assert self._process.stdin is not None
        number = next(self._ids)
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"do": do, "id": number, **fields}).encode() + b"\n")
        await self._process.stdin.drain()
        answer = await asyncio.wait_for(self._answers[number], DONE_LIMIT_S)
        assert answer["event"] == "done", f"{do} {fields}: {answer['text']}"

    async def quit(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b'{"do": "quit"}\n')
        await self._process.stdin.drain()

    async def wait(self, event: str, *, since: int = 0, limit_s: float = 30.0, **fields: Any) -> Event:
        """The first event of that name and with those fields at or after index `since`."""

        def wanted(item: Event) -> bool:
            return item["event"] == event and all(item.get(key) == value for key, value in fields.items())

        return await self.wait_for(wanted, f"{event} {fields}", since=since, limit_s=limit_s)

    async def wait_for(
        self, wanted: Callable[[Event], bool], what: str, *, since: int = 0, limit_s: float = 30.0
    ) -> Event:
        index = since
        try:
            async with asyncio.timeout(limit_s), self._news:
                while True:
                    while index < len(self.events):
                        if wanted(self.events[index]):
                            return self.events[index]
                        if self.events[index]["event"] == "process_ended":
                            raise AssertionError("the phones' process ended")
                        index += 1
                    await self._news.wait()
        except TimeoutError:
            tail = "\n".join(str({k: v for k, v in e.items() if k != "message"}) for e in self.events[-15:])
            raise AssertionError(f"no {what} within {limit_s} s; the last events:\n{tail}") from None

    def mark(self) -> int:
        """Index for `since`: only what comes from now on."""
        return len(self.events)

    async def add(self, ext: str, *, domain: str, secret: str, tone_hz: float, **options: Any) -> None:
        """A phone that registers; raises AssertionError when the registrar refuses it."""
        await self.send("add", ext=ext, domain=domain, secret=secret, tone_hz=tone_hz, **options)
        event = await self.wait("registered", ext=ext)
        assert event["code"] == 200, f"{ext} could not register: {event}"


@asynccontextmanager
async def phones(bind: str, *, port: int = 0, enter: Sequence[str] = ()) -> AsyncIterator[Phones]:
    """`bind`: the address of the test host's side of the lab's bridge; `port` 0 = any.

    `enter`: a command to run the phones under, such as `nsenter --net=…`.
    """
    if find_spec("pjsua2") is None:
        raise RuntimeError("SIP phones need pjsua2, whose wheels end with Python 3.12: test them on Debian 12")
    process = await asyncio.create_subprocess_exec(
        *enter, sys.executable, "-m", "tests.callers.phones", bind, str(port), cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    farm = Phones(process)
    reader = asyncio.create_task(farm._read(), name="phones reader")
    try:
        await farm.wait("ready")
        yield farm
    finally:
        with contextlib.suppress(ConnectionError):
            await farm.quit()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()
        await reader
