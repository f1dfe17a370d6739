"""Calls of a line test's own: Asterisk takes the port for it, as for any call, and gives it back at the call's end.

Their account code names the test. An agent that was killed meanwhile finds them by it; without any agent Asterisk
itself ends them after their limit.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import (
    Channel,
    ChannelChanged,
    ChannelGone,
    ChannelState,
    OriginateFailed,
)
from appliance_agent.kernel.bus import Bus, Subscription
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import AsteriskDown

ACCOUNT = "line-test-"
ANSWER_S = 40.0
"""Until the far end answers; for Asterisk to seize a line without a number it is more than enough."""
HANG_UP_S = 5.0
TRIES, GUARD_S = 4, 1.0
"""chan_dahdi keeps an analog port to itself for 2 s after a call (`guardtime`); no event tells when that is over."""
EVENTS = 20_000


class CallEnds:
    """Set when the call is over, by whom it may."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.why = ""

    def end(self, why: str) -> None:
        self.why = self.why or why
        self.over.set()


class LineCalls:
    def __init__(self, link: Link, bus: Bus) -> None:
        self._link, self._bus = link, bus

    @contextlib.asynccontextmanager
    async def call(self, channel: int, number: str, id_: str, limit_s: float) -> AsyncIterator[CallEnds]:
        """On DAHDI's `channel` and no other; "" takes an FXO port off hook. Within, it is answered; `limit_s` more, and
        Asterisk ends it. Raises Fault: the port is in use, or nobody answered."""
        dialled = f"DAHDI/{channel}{'/' if number else ''}{number}"
        fields = [
            ("Channel", dialled), ("Application", "Wait"), ("Data", f"{limit_s:.0f}"), ("Async", "true"),
            ("Timeout", f"{ANSWER_S * 1000:.0f}"), ("Account", f"{ACCOUNT}{id_}"),
        ]  # fmt: skip
        heard = (ChannelChanged, ChannelGone, OriginateFailed, AsteriskDown)
        try:
            with self._bus.subscribe(*heard, limit=EVENTS) as events:
                answered = await self._begin(events, fields, dialled, f"{ACCOUNT}{id_}")
                # The canceller would take the echo away that is to be measured.
                off = [("Channel", answered.name), ("Variable", "CHANNEL(echocan_mode)"), ("Value", "off")]
                await self._link.ami.action("Setvar", off)
                ends = CallEnds()
                watching = asyncio.create_task(_watch(events, answered.uniqueid, ends), name="call of a line test")
                try:
                    yield ends
                finally:
                    watching.cancel()
        finally:
            with contextlib.suppress(Fault, TimeoutError):
                async with asyncio.timeout(HANG_UP_S):
                    await self.hang_up(id_)

    async def hang_up(self, id_: str = "") -> int:
        """Of this test, or of all; how many channels. Returns when they are on their way out. Raises Fault."""
        rows = await self._link.ami.list_action("CoreShowChannels")
        account = f"{ACCOUNT}{id_}"
        ours = [row for row in rows if row.get("AccountCode").startswith(account)]
        for row in ours:
            with contextlib.suppress(Fault):  # it ended by itself
                await self._link.ami.action("Hangup", [("Channel", row.get("Channel"))])
        return len(ours)

    async def _begin(self, events: Subscription, fields: list[tuple[str, str]], dialled: str, account: str) -> Channel:
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(GUARD_S)
            await self._link.ami.action("Originate", fields)
            if (answered := await self._answered(events, dialled, account)) is not None:
                return answered
        raise _not_called("it is in use")

    async def _answered(self, events: Subscription, dialled: str, account: str) -> Channel | None:
        """None: Asterisk does not give the channel away now."""
        made = False
        try:
            async with asyncio.timeout(ANSWER_S + HANG_UP_S):
                async for event in events:
                    match event:
                        case ChannelChanged(channel) if channel.account == account:
                            made = True
                            if channel.state is ChannelState.UP:
                                return channel
                        case ChannelGone(channel, cause) if channel.account == account:
                            raise _not_called(f"the exchange ended the call (cause {cause})")
                        case OriginateFailed(channel=failed, reason=reason) if failed == dialled:
                            # Asterisk says "busy" of a channel in use and of a far end that is.
                            if made:
                                raise _not_called(reason)
                            return None
                        case AsteriskDown():
                            raise _not_called("Asterisk stopped")
        except TimeoutError:
            pass
        raise _not_called("nobody answered")


async def _watch(events: Subscription, uniqueid: str, ends: CallEnds) -> None:
    async for event in events:
        match event:
            case ChannelGone(channel, cause) if channel.uniqueid == uniqueid:
                ends.end(f"the exchange ended the call (cause {cause})")
            case AsteriskDown():
                ends.end("Asterisk stopped")


def _not_called(reason: str) -> Fault:
    return Fault(
        FaultKind.CONFLICT, "lines.test_call", f"the line was not had for the test: {reason}",
        hint="Wait until it is in no call, look whether it is in service, and check the number.",
    )  # fmt: skip
