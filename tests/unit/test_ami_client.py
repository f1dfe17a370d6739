"""The AMI client against a peer that a real Asterisk will not play: silent, late, cut off."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from appliance_agent.asterisk.ami import Ami
from appliance_agent.asterisk.ami_wire import Message
from appliance_agent.kernel.errors import Fault, FaultKind

Answer = Callable[[dict[str, str], asyncio.StreamWriter], Awaitable[None]]


async def read_action(reader: asyncio.StreamReader) -> dict[str, str]:
    block = (await reader.readuntil(b"\r\n\r\n")).decode()
    return dict(line.split(": ", 1) for line in block.strip().split("\r\n"))


@asynccontextmanager
async def peer(answer: Answer, events: list[Message] | None = None) -> AsyncIterator[tuple[Ami, asyncio.Task[None]]]:
    """A server that logs anybody in and gives every other action to `answer`; and a client logged in to it."""
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                action = await read_action(reader)
                if action["Action"] in {"Login", "Filter"}:
                    writer.write(f"Response: Success\r\nActionID: {action['ActionID']}\r\n\r\n".encode())
                else:
                    await answer(action, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    seen = events if events is not None else []
    ami = Ami(seen.append, port=server.sockets[0].getsockname()[1])
    ready = asyncio.Event()
    session = asyncio.create_task(ami.serve("sa800", "secret", ready))
    await asyncio.wait_for(ready.wait(), 5)
    try:
        yield ami, session
    finally:
        session.cancel()
        await asyncio.gather(session, return_exceptions=True)
        server.close()
        for task in handlers:
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def silent(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
    """Takes the action and says nothing."""


async def hang_up(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_no_answer_is_a_fault_within_the_time_out() -> None:
    async with peer(silent) as (ami, _):
        with pytest.raises(Fault, match=r"did not answer QueueStatus within 0\.1 s") as caught:
            await ami.list_action("QueueStatus", timeout_s=0.1)
        assert caught.value.kind is FaultKind.UNAVAILABLE
        assert not ami._pending


async def test_a_lost_connection_fails_every_waiting_action_and_the_session() -> None:
    async with peer(hang_up) as (ami, session):
        results = await asyncio.gather(*(ami.action("Ping") for _ in range(3)), return_exceptions=True)
        assert [getattr(result, "kind", result) for result in results] == [FaultKind.UNAVAILABLE] * 3
        assert {str(result) for result in results} == {"the AMI connection ended before Asterisk answered"}
        with pytest.raises(Fault, match="closed"):
            await asyncio.wait_for(session, 5)
        with pytest.raises(Fault, match="not connected"):
            await ami.action("Ping")


async def test_a_late_answer_is_nobodys() -> None:
    async def late(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
        number = int(action["ActionID"])
        if action["Action"] == "Late":
            return
        for answered in (number - 1, number):
            writer.write(f"Response: Success\r\nActionID: {answered}\r\nMessage: {answered}\r\n\r\n".encode())

    async with peer(late) as (ami, _):
        with pytest.raises(Fault):
            await ami.action("Late", timeout_s=0.05)
        answer = await ami.action("Ping")
        assert answer.get("Message") == answer.action_id


async def test_list_items_do_not_mix_with_events_or_other_lists() -> None:
    waiting: list[str] = []

    async def two_lists(action: dict[str, str], writer: asyncio.StreamWriter) -> None:
        waiting.append(action["ActionID"])
        if len(waiting) < 2:
            return
        text = "".join(f"Response: Success\r\nActionID: {i}\r\nEventList: start\r\n\r\n" for i in waiting)
        text += "Event: Newchannel\r\nUniqueid: 1.1\r\n\r\n"
        text += "".join(f"Event: Row\r\nOf: {i}\r\nActionID: {i}\r\n\r\n" for i in waiting)
        text += "".join(f"Event: End\r\nEventList: Complete\r\nActionID: {i}\r\n\r\n" for i in waiting)
        writer.write(text.encode())

    events: list[Message] = []
    async with peer(two_lists, events) as (ami, _):
        first, second = await asyncio.gather(ami.list_action("A"), ami.list_action("B"))
    assert [[row.get("Of") for row in rows] for rows in (first, second)] == [[i] for i in waiting]
    assert [event.event for event in events] == ["Newchannel"]


async def test_a_peer_that_speaks_something_else_ends_the_session() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    ami = Ami(lambda message: None, port=server.sockets[0].getsockname()[1])
    with pytest.raises(Fault, match="no AMI"):
        await asyncio.wait_for(ami.serve("sa800", "secret", asyncio.Event()), 5)
    server.close()
