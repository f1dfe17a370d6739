"""The clients and the link against a real Asterisk."""

import asyncio
from pathlib import Path

import pytest

from appliance_agent.asterisk.ami import Ami
from appliance_agent.asterisk.ami_wire import Message
from appliance_agent.asterisk.link import Link
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import AsteriskDown, AsteriskUp
from tests.box.api import until_async
from tests.box.house import AMI, House, house

pytestmark = pytest.mark.lab


async def first_up(made: House, seen: Path) -> AsteriskUp:
    """What another agent's link says when it connects."""
    bus = Bus()
    link = Link(bus, secrets=made.folder / "secrets", seen=seen)
    with bus.subscribe(AsteriskUp) as ups:
        running = asyncio.create_task(link.run())
        try:
            async with asyncio.timeout(20):
                up = await ups.get()
            assert isinstance(up, AsteriskUp)
            return up
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_a_new_asterisk_is_told_from_a_new_agent(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        first = made.link.up
        assert first is not None
        assert first.restarted
        # Written after it was told: an agent that is killed in between tells it once more.
        await until_async(lambda: asyncio.to_thread((made.folder / "seen").exists), bool)
        assert await first_up(made, made.folder / "seen") == AsteriskUp(False, first.startup_time)
        mark = len(made.events)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await made.control.restart(limit_s=20)
        assert loop.time() - began < 20
        await made.seen(lambda event: isinstance(event, AsteriskDown), since=mark)
        up = await made.seen(lambda event: isinstance(event, AsteriskUp), since=mark)
        assert up.restarted
        assert up.startup_time > first.startup_time
        assert (await first_up(made, made.folder / "never-seen")).restarted


async def test_what_apply_asks(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        assert await made.control.endpoints() == {"1001", "1002", "1003", "2001", "trunk-exchange"}
        assert await made.control.queues() == {"sales", "support"}
        assert {"internal", "menu-main-v1", "queue-sales", "from-trunk-exchange"} <= await made.control.contexts()
        assert await made.control.active_calls() == 0
        assert "System uptime" in await made.control.command("core show uptime")
        with pytest.raises(Fault, match="No such command 'no such thing'") as refused:
            await made.control.command("no such thing")
        assert refused.value.key == "asterisk.refused"
        await made.call_in()
        await made.until(lambda: bool(made.live.state.calls))
        assert await made.control.active_calls() == 1
        assert await made.control.channel_ids() == set(made.live.state.where)


async def test_ari_says_what_is_wrong(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        for method, path, kind in (
            ("GET", "/channels/none", FaultKind.NOT_FOUND),
            ("GET", "/asterisk/variable", FaultKind.INVALID),
            ("PUT", "/asterisk/config/dynamic/res_pjsip/nosuch/x", FaultKind.NOT_FOUND),
        ):
            with pytest.raises(Fault) as caught:
                await made.link.ari.request(method, path)
            assert (caught.value.kind, caught.value.key) == (kind, "ari.refused")


async def test_any_text_comes_back_whole_and_wrong_secrets_are_told(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        events: asyncio.Queue[Message] = asyncio.Queue()
        ami, ready = Ami(events.put_nowait), asyncio.Event()
        session = asyncio.create_task(ami.serve("sa800", AMI, ready))
        await asyncio.wait_for(ready.wait(), 5)
        for length in range(1, 48, 2):  # the event's bytes are cut anywhere on their way
            text = "呼叫中心🙂é" * length
            await made.link.ami.action("UserEvent", [("UserEvent", "Text"), ("Text", text)])
            async with asyncio.timeout(5):
                while (event := await events.get()).event != "UserEvent":
                    pass
            assert event.get("Text") == text
        session.cancel()
        await asyncio.gather(session, return_exceptions=True)
        with pytest.raises(Fault, match="refused the log-in of sa800"):
            await asyncio.wait_for(ami.serve("sa800", "wrong", asyncio.Event()), 5)
