"""One AMI connection: actions with time-outs, lists, commands, events, keepalive. `link.Link` opens it again."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from appliance_agent.asterisk.ami_wire import AmiParser, AmiProtocolError, Message, encode
from appliance_agent.asterisk.faults import first_fault, unavailable
from appliance_agent.kernel.errors import Fault, FaultKind

CONNECT_S = 3.0
ACTION_S = 5.0
PING_EVERY_S = 5.0
MAX_LIST = 50_000
"""Events of one list action."""
MAX_PENDING = 1000
"""Actions waiting for their responses."""
READ_BYTES = 65536

QUIET_FILTERS = ("!Event: VarSet", "!Event: TestEvent", "!Event: (SuccessfulAuth|ChallengeSent)")
"""Regular expressions of events that nobody here needs; VarSet alone is most of the stream."""


@dataclass(slots=True)
class _Pending:
    done: "asyncio.Future[Message]"
    is_list: bool
    response: Message | None = None
    items: list[Message] = field(default_factory=list)


class Ami:
    """`serve` holds one session; the other methods raise Fault(UNAVAILABLE) outside of one.

    `on_event` is called on the loop's thread, in the order of arrival, and must not block.
    """

    def __init__(self, on_event: Callable[[Message], None], *, host: str = "127.0.0.1", port: int = 5038) -> None:
        self._on_event = on_event
        self._address = (host, port)
        self._writer: asyncio.StreamWriter | None = None
        self._pending: dict[str, _Pending] = {}
        self._ids = itertools.count(1)

    async def serve(self, username: str, secret: str, ready: asyncio.Event) -> None:
        """Connect, log in, set `ready`, read until the connection ends. Always ends with a Fault (or cancelled)."""
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(*self._address), CONNECT_S)
        except (OSError, TimeoutError) as error:
            raise unavailable(f"AMI does not answer: {error or 'timed out'}") from error
        self._writer = writer
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(reader), name="ami reader")
                await self._log_in(username, secret)
                tasks.create_task(self._keep_alive(), name="ami keepalive")
                ready.set()
        except BaseExceptionGroup as group:
            raise first_fault(group) from None
        finally:
            self._writer = None
            for pending in self._pending.values():
                if not pending.done.done():
                    pending.done.set_exception(unavailable("the AMI connection ended before Asterisk answered"))
            self._pending.clear()
            writer.transport.abort()

    async def action(
        self, name: str, fields: Iterable[tuple[str, str]] = (), *, timeout_s: float = ACTION_S
    ) -> Message:
        """One action, its response. Fault(UNAVAILABLE) on time-out or disconnect, Fault(CONFLICT, "asterisk.refused")
        when Asterisk answers "Error" (the message is Asterisk's own)."""
        return (await self._ask(name, fields, timeout_s, is_list=False))[0]

    async def list_action(
        self, name: str, fields: Iterable[tuple[str, str]] = (), *, timeout_s: float = ACTION_S
    ) -> list[Message]:
        """A list action's events, without its start and Complete. Faults as `action`."""
        return (await self._ask(name, fields, timeout_s, is_list=True))[1]

    async def command(self, cli: str, *, timeout_s: float = ACTION_S) -> str:
        """Output of a console command, lines joined by newlines. Faults as `action`."""
        response = await self.action("Command", [("Command", cli)], timeout_s=timeout_s)
        return "\n".join(response.all("Output"))

    async def _ask(
        self, name: str, fields: Iterable[tuple[str, str]], timeout_s: float, *, is_list: bool
    ) -> tuple[Message, list[Message]]:
        if self._writer is None:
            raise unavailable("Asterisk is not connected")
        if len(self._pending) >= MAX_PENDING:
            raise Fault(FaultKind.TOO_MANY, "asterisk.busy", f"{MAX_PENDING} actions wait for Asterisk's answer")
        action_id = str(next(self._ids))
        data = encode([("Action", name), ("ActionID", action_id), *fields])
        pending = _Pending(asyncio.get_running_loop().create_future(), is_list)
        self._pending[action_id] = pending
        try:
            async with asyncio.timeout(timeout_s):
                self._writer.write(data)
                await self._writer.drain()
                response = await pending.done
        except TimeoutError:
            raise unavailable(f"Asterisk did not answer {name} within {timeout_s:g} s") from None
        except OSError as error:
            raise unavailable(f"the AMI connection ended: {error}") from error
        finally:
            self._pending.pop(action_id, None)
            if pending.done.done() and not pending.done.cancelled():
                pending.done.exception()  # seen: a time-out and a lost connection may come together
        if response.get("Response") == "Error":
            detail = "\n".join(response.all("Output")) or response.get("Message")
            raise Fault(FaultKind.CONFLICT, "asterisk.refused", f"Asterisk refused {name}: {detail}")
        return response, pending.items

    async def _log_in(self, username: str, secret: str) -> None:
        try:
            await self.action("Login", [("Username", username), ("Secret", secret)])
        except Fault as fault:
            if fault.key == "asterisk.refused":
                raise unavailable(f"AMI refused the log-in of {username}: {fault.message}") from None
            raise
        for line in QUIET_FILTERS:
            await self.action("Filter", [("Operation", "Add"), ("Filter", line)])

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(PING_EVERY_S)
            await self.action("Ping")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        parser = AmiParser()
        while True:
            try:
                chunk = await reader.read(READ_BYTES)
                messages = parser.feed(chunk)
            except (OSError, AmiProtocolError) as error:
                raise unavailable(f"the AMI connection ended: {error}") from error
            if not chunk:
                raise unavailable("Asterisk closed the AMI connection")
            for message in messages:
                self._take(message)

    def _take(self, message: Message) -> None:
        pending = self._pending.get(message.action_id) if message.action_id else None
        if message.event:
            if pending is None or not pending.is_list:
                self._on_event(message)
                return
            if message.get("EventList") == "Complete":
                self._finish(pending, pending.response or message)
            elif len(pending.items) < MAX_LIST:
                pending.items.append(message)
            else:
                self._fail(pending, Fault(FaultKind.TOO_LARGE, "asterisk.list", f"a list of more than {MAX_LIST}"))
            return
        if pending is None:
            return  # the answer to an action that timed out
        if pending.is_list and message.get("Response") != "Error":
            pending.response = message
            return
        self._finish(pending, message)

    @staticmethod
    def _finish(pending: _Pending, response: Message) -> None:
        with contextlib.suppress(asyncio.InvalidStateError):
            pending.done.set_result(response)

    @staticmethod
    def _fail(pending: _Pending, fault: Fault) -> None:
        with contextlib.suppress(asyncio.InvalidStateError):
            pending.done.set_exception(fault)
