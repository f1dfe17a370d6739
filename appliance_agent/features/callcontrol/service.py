"""Acts on calls by AMI. The own call only, unless a supervisor asks."""

import asyncio
import contextlib
import secrets
from typing import Protocol

from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import Endpoint
from appliance_agent.calls.live_model import Call, CallState, Leg, PhoneChanged, PhoneState
from appliance_agent.calls.live_service import LiveCalls
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.model import ExtensionKind
from appliance_agent.http.route import Identity
from appliance_agent.kernel.bus import Bus, Gap
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind
from contracts.journal import UserEvent

RING_OWN_MS = 30_000
"""The own phone rings this long at click-to-dial."""
RING_SEEN_S = 3.0
"""A phone that refuses at once may never be seen ringing."""
HOLD_S = 3.0
"""A phone that understands the hold event follows within a round trip."""
SUPERVISORS = ("supervisor", "admin")
INTERNAL, TRANSFER = "internal", "transfer"
"""Contexts of the dialplan: where extensions dial, and where they transfer to."""


class JournalNote(Protocol):
    """See JournalTail.journal_note."""

    async def __call__(self, event: UserEvent, data: dict[str, str], *, uniqueid: str, linkedid: str) -> None: ...


class CallControl:
    def __init__(
        self, *, link: Link, live: LiveCalls, config: ConfigHolder, bus: Bus, clock: Clock, journal_note: JournalNote
    ) -> None:
        self._link, self._live, self._config, self._bus, self._clock = link, live, config, bus, clock
        self._journal_note = journal_note
        self._dialling: set[str] = set()
        """Extensions whose phone was asked to ring, and of which the live state does not know yet."""

    async def dial(self, who: Identity, to: str) -> str:
        """Ring the own phone, then dial `to`. Returns the id of the call to come."""
        extension = self._own_extension(who)
        self._dialable(to)
        if extension in self._dialling or self._live.phone(extension).state is not PhoneState.FREE:
            raise Fault(
                FaultKind.CONFLICT, "calls.in_call", f"extension {extension} is in a call",
                hint="End that call first.",
            )  # fmt: skip
        self._dialling.add(extension)
        try:
            return await self._ring_own(extension, to)
        finally:
            self._dialling.discard(extension)

    async def _ring_own(self, extension: str, to: str) -> str:
        """Until the live state knows that it rings: a second click meanwhile would be a second call."""
        endpoint = Endpoint.from_ari(await self._link.ari.request("GET", f"/endpoints/PJSIP/{extension}"))
        if not endpoint.online:
            raise Fault(
                FaultKind.CONFLICT, "calls.phone_offline", f"the phone of extension {extension} is not registered",
                hint="Open the seat desk in the browser, or connect the phone.",
            )  # fmt: skip
        call_id = f"{self._clock.now_us() // 1_000_000}.{secrets.randbelow(9 * 10**8) + 10**8}"
        fields = [
            ("Channel", f"PJSIP/{extension}"), ("Context", INTERNAL), ("Exten", to), ("Priority", "1"),
            ("CallerID", f"<{to}>"), ("Timeout", str(RING_OWN_MS)), ("Async", "true"), ("ChannelId", call_id),
        ]  # fmt: skip
        with self._bus.subscribe(PhoneChanged) as changes, contextlib.suppress(TimeoutError):
            await self._link.ami.action("Originate", fields)
            async with asyncio.timeout(RING_SEEN_S):
                while self._live.phone(extension).state is PhoneState.FREE:
                    change = await changes.get()
                    if not isinstance(change, Gap) and change.extension == extension:
                        break
        return call_id

    async def hang_up(self, who: Identity, call_id: str) -> None:
        """The own leg; for a supervisor who is not in the call, all of it."""
        call = self._call(who, call_id)
        own = _own_legs(call, who)
        for leg in own or call.legs:
            with contextlib.suppress(_Refused):  # it ended by itself, or with the one before
                await self._act("Hangup", [("Channel", leg.channel.name), ("Cause", "16")])

    async def hold(self, who: Identity, call_id: str, *, on: bool) -> None:
        """Asks the phone (SIP NOTIFY, event hold or talk) and waits until it has done so.

        Holding is an act of the phone: it alone can stop its audio. A browser's page does it itself.
        """
        leg = self._talking_leg(self._call(who, call_id), who)
        if self._kind(leg.extension) is ExtensionKind.BROWSER:
            raise Fault(
                FaultKind.CONFLICT, "calls.hold_in_page", "the browser's phone holds its calls itself",
                hint="Use the SDK's phone.hold() in the seat's page.",
            )  # fmt: skip
        wanted = PhoneState.HELD if on else PhoneState.TALKING
        if leg.use is wanted:
            return
        with self._bus.subscribe(PhoneChanged) as changes:
            event = "hold" if on else "talk"
            await self._act("PJSIPNotify", [("Channel", leg.channel.name), ("Variable", f"Event={event}")])
            try:
                async with asyncio.timeout(HOLD_S):
                    while self._live.phone(leg.extension).state is not wanted:
                        change = await changes.get()
                        if isinstance(change, Gap):
                            continue
            except TimeoutError:
                raise Fault(
                    FaultKind.CONFLICT, "calls.phone_refused", f"the phone of {leg.extension} did not follow",
                    hint="This phone does not take hold from outside; press hold on the phone.",
                ) from None  # fmt: skip

    async def transfer(self, who: Identity, call_id: str, to: str, *, attended: bool) -> None:
        """Blind: the other party goes on to `to` at once. Attended: joins the other party with the one the seat
        is consulting in its second call, whose number is `to`."""
        call = self._call(who, call_id)
        leg = self._talking_leg(call, who)
        self._dialable(to)
        if attended:
            await self._join(leg, to)
        else:
            fields = [("Channel", leg.channel.name), ("Context", TRANSFER), ("Exten", to)]
            await self._act("BlindTransfer", fields)

    async def _join(self, leg: Leg, to: str) -> None:
        """Both legs of the seat are left alone and end; the two others talk on."""
        customer = self._other(leg)
        consulted = next((item for item in map(self._other, self._second_legs(leg, to)) if item is not None), None)
        if customer is None or consulted is None:
            raise Fault(
                FaultKind.CONFLICT, "calls.no_consultation", f"extension {leg.extension} is not talking with {to}",
                hint="Hold this call, call that number and let it answer, then transfer.",
            )  # fmt: skip
        fields = [("Channel1", customer.channel.name), ("Channel2", consulted.channel.name)]
        await self._act("Bridge", fields)
        said = {
            "transferee_channel_uniqueid": customer.channel.uniqueid,
            "transfer_target_channel_uniqueid": consulted.channel.uniqueid,
        }
        await self._journal_note(UserEvent.TRANSFER, said, uniqueid=leg.channel.uniqueid, linkedid=leg.channel.linkedid)

    def _second_legs(self, leg: Leg, to: str) -> list[Leg]:
        """The seat's legs of other calls that go to `to`."""
        return [
            item
            for call in self._live.state.calls.values()
            if all(known.channel.uniqueid != leg.channel.uniqueid for known in call.legs)
            and (call.called_number == to or any(known.extension == to for known in call.legs))
            for item in call.legs
            if item.extension == leg.extension
        ]

    def _other(self, leg: Leg) -> Leg | None:
        """Who is in the same bridge."""
        call = self._live.state.call_of(leg.channel.uniqueid)
        if call is None or not leg.bridge:
            return None
        return next((item for item in call.legs if item.bridge == leg.bridge and item != leg), None)

    async def _act(self, action: str, fields: list[tuple[str, str]]) -> None:
        try:
            await self._link.ami.action(action, fields)
        except Fault as fault:
            if fault.key != "asterisk.refused":
                raise
            raise _Refused(fault.message) from None

    # ── checks ─────────────────────────────────────────────────────────────────────────────────────
    def _call(self, who: Identity, call_id: str) -> Call:
        call = self._live.state.calls.get(call_id)
        if call is None:
            raise Fault(FaultKind.NOT_FOUND, "calls.gone", f"there is no call {call_id}", hint="It may have ended.")
        if not _own_legs(call, who) and who.role not in SUPERVISORS:
            raise Fault(FaultKind.DENIED, "calls.not_own", "this call is not yours", hint="A supervisor may act on it.")
        return call

    def _talking_leg(self, call: Call, who: Identity) -> Leg:
        """The own leg, or for a supervisor the seat's."""
        legs = _own_legs(call, who) or [leg for leg in call.legs if leg.extension]
        for leg in legs:
            if leg.bridge and call.state in (CallState.TALKING, CallState.HELD):
                return leg
        raise Fault(
            FaultKind.CONFLICT, "calls.not_talking", f"nobody of ours talks in call {call.call_id}",
            hint="Wait until it is answered.",
        )  # fmt: skip

    def _own_extension(self, who: Identity) -> str:
        if who.extension is None:
            raise Fault(
                FaultKind.CONFLICT, "calls.no_extension", "you have no extension to call from",
                hint="Choose an extension at log-in, or ask the administrator to give you one.",
            )  # fmt: skip
        return who.extension

    def _kind(self, extension: str) -> ExtensionKind | None:
        return next((item.kind for item in self._config.desired.extensions if item.number == extension), None)

    def _dialable(self, to: str) -> None:
        desired = self._config.desired
        known = any(item.number == to for item in desired.extensions)
        if not known and not any(
            to.startswith(route.prefix) and len(to) > len(route.prefix) for route in desired.outbound
        ):
            prefixes = ", ".join(sorted({route.prefix for route in desired.outbound})) or "none"
            raise Fault(
                FaultKind.CONFLICT, "calls.unknown_number",
                f"{to} is no extension and begins with no outside prefix ({prefixes})",
                hint="Dial an extension, or an outside prefix and the number.",
            )  # fmt: skip


class _Refused(Fault):
    def __init__(self, message: str) -> None:
        super().__init__(FaultKind.CONFLICT, "calls.refused", message, hint="The call has changed or ended meanwhile.")


def _own_legs(call: Call, who: Identity) -> list[Leg]:
    return [leg for leg in call.legs if who.extension and leg.extension == who.extension]
