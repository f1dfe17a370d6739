"""The conformance suite: what acts on spans and ports. On the emulated board the same tests run on the real DAHDI
(board-tests/test_hal.py; tests/hal/real_dahdi.py)."""

from dataclasses import replace

import pytest

from hal.capabilities import Capability
from hal.errors import NotSupported, Refused, TimedOut
from hal.model.inventory import PortKind
from hal.protocols.voice import ChannelConfig, Hook, Look, Loop, PortEvent, Signalling, VoicePort
from tests.hal.suite import AT_ONCE_S, GENEROUS_S, hold, refused
from tests.hal.worlds import HDB3_CCS_CRC4, World

OTHER = "05:05.0"
"""A slot beside the one that is meant when none is said."""
BEARER = ChannelConfig(Signalling.BEARER)
KEWL = {PortKind.FXO: ChannelConfig(Signalling.FXS_KEWL), PortKind.FXS: ChannelConfig(Signalling.FXO_KEWL)}


async def test_what_acts_on_a_span(world: World) -> None:
    await world.plug(world.e1)
    card = await world.card()
    span = world.box.voice(card).span(card.spans[0])
    if not await refused(span.capabilities, Capability.SPAN_CONFIGURE, lambda: span.configure(HDB3_CCS_CRC4)):
        await span.configure(HDB3_CCS_CRC4, clock_order=1)
        await span.start()
        await span.start()
        assert (await span.state()).line == (HDB3_CCS_CRC4 if world.has_framing else None)
    await refused(span.capabilities, Capability.SPAN_CONFIGURE, span.start)
    if not await refused(span.capabilities, Capability.SPAN_COUNTERS, span.counters):
        before = await span.counters()
        assert (await span.counters()).crc4_errors >= before.crc4_errors
    for where in (Loop.LOCAL, Loop.REMOTE, None):
        if not await refused(span.capabilities, Capability.SPAN_LOOPBACK, lambda w=where: span.loop(w)):  # type: ignore[misc]
            await span.loop(where)


async def test_an_analog_span_has_no_framing(world: World) -> None:
    await world.plug("analog")
    card = await world.card()
    span = world.box.voice(card).span(card.spans[0])
    if not await refused(span.capabilities, Capability.SPAN_CONFIGURE, lambda: span.configure(HDB3_CCS_CRC4)):
        with pytest.raises(Refused, match="analog"):
            await span.configure(HDB3_CCS_CRC4)
        await span.start()


async def test_who_looks_on_takes_no_card_for_the_one_that_was_pulled(world: World) -> None:
    """Here, so that it runs on the real kernel: it is the kernel that ends what was kept open."""
    await world.plug(world.e1)
    card = await world.card()
    module, span, port = world.box.voice(card), card.spans[0], card.ports[0]
    if await refused(module.capabilities, Capability.SPAN_STATE, lambda: module.look((span,), (port,))):
        return
    assert await module.look((span,), (port,)) == Look(
        (await module.span(span).state(),), (await module.port(port).state(),)
    )
    await world.pull()
    assert await module.look((span,), (port,)) == Look((None,), (None,))
    await world.plug(world.e1, OTHER)
    assert (await world.card(OTHER)).spans[0].number == span.number, "the other card has its number now"
    assert await module.look((span,), (port,)) == Look((None,), (None,))


async def test_assigning_a_span(world: World) -> None:
    await world.plug(world.e1, assign=False)
    await world.plug(world.e1, OTHER, assign=False)
    card, other = await world.card(), await world.card(OTHER)
    module = world.box.voice(card)
    if await refused(module.capabilities, Capability.SPAN_ASSIGN, lambda: module.assign(card.spans[0], 3, 63)):
        return
    await module.assign(card.spans[0], 3, 63)
    span = (await world.card()).spans[0]
    assert (span.number, span.ports[0].channel) == (3, 63)
    for who, number, channel in ((await world.card(), 4, 200), (other, 3, 200), (other, 4, 90)):
        with pytest.raises(Refused, match="taken"):
            await world.box.voice(who).assign(who.spans[0], number, channel)
    await world.box.voice(other).assign(other.spans[0], 4, 94)
    assert (await world.card(OTHER)).spans[0].number == 4


async def test_configuring_the_channels_of_an_e1(world: World) -> None:
    await world.plug(world.e1)
    await world.plug(world.e1, OTHER)
    card, beside = await world.card(), await world.card(OTHER)
    port = world.box.voice(card).port(card.ports[0])
    if await refused(port.capabilities, Capability.PORT_CONFIGURE, lambda: port.configure(BEARER)):
        return
    await port.configure(BEARER, 15)
    await port.configure(ChannelConfig(Signalling.DATA_LINK), 16)
    await port.configure(ChannelConfig(Signalling.CAS, idle_bits=0b1101), 31)
    assert (await port.channel(15)).signalling is Signalling.BEARER
    assert (await port.channel(16)).signalling is Signalling.DATA_LINK
    assert (await port.channel(31)).idle_bits == 0b1101
    assert (await port.channel(14)).signalling is Signalling.NONE
    assert (await world.box.voice(beside).port(beside.ports[0]).channel(15)).signalling is Signalling.NONE
    await port.configure(ChannelConfig(Signalling.NONE), 16)
    assert (await port.channel(16)).signalling is Signalling.NONE
    with pytest.raises(Refused):
        await port.configure(KEWL[PortKind.FXO])
    for timeslot in (0, 32):
        with pytest.raises(Refused, match=f"no channel {timeslot}"):
            await port.configure(BEARER, timeslot)


async def test_configuring_an_analog_port(world: World) -> None:
    await world.plug("analog")
    card = await world.card()
    fxo, other, fxs = (world.box.voice(card).port(port) for port in card.ports[:3])
    kewl = replace(KEWL[PortKind.FXO], echo_canceller="mg2")
    if await refused(fxo.capabilities, Capability.PORT_CONFIGURE, lambda: fxo.configure(kewl)):
        return
    before = await other.channel()
    await fxo.configure(kewl)
    assert (await fxo.state()).signalling == "FXSKS"
    state = await fxo.channel()
    assert (state.signalling, state.echo_canceller, state.open) == (Signalling.FXS_KEWL, "mg2", False)
    await fxo.configure(KEWL[PortKind.FXO])
    assert (await fxo.channel()).echo_canceller is None
    assert await other.channel() == before
    for port, wrong in ((fxs, kewl), (fxo, replace(kewl, echo_canceller="none-such"))):
        with pytest.raises(Refused):
            await port.configure(wrong)
    async with fxo.hold():
        with pytest.raises(Refused, match="in use"):
            await fxo.configure(kewl)


async def test_the_hook_of_a_port(world: World) -> None:
    await world.plug("analog")
    await world.plug(world.e1, OTHER)
    cards = [await world.card(), await world.card(OTHER)]
    ports = {port.kind: world.box.voice(card).port(port) for card in cards for port in card.ports}
    fxo = ports[PortKind.FXO]
    if not {Capability.PORT_HOOK, Capability.PORT_EVENTS} <= fxo.capabilities:
        assert await refused(fxo.capabilities, Capability.PORT_EVENTS, hold(fxo))
        return
    for kind in (PortKind.FXO, PortKind.FXS):
        await ports[kind].configure(KEWL[kind])
    await ports[PortKind.E1].configure(BEARER, 31)
    async with fxo.hold() as held:
        assert (await fxo.state()).open
        await held.hook(Hook.OFF)
        await held.hook(Hook.ON)
        with pytest.raises(Refused):
            await held.hook(Hook.RING)
    assert not (await fxo.state()).open
    async with ports[PortKind.FXS].hold() as fxs:
        await fxs.hook(Hook.RING)
    async with ports[PortKind.E1].hold(31) as timeslot:
        with pytest.raises((Refused, NotSupported)):
            await timeslot.hook(Hook.OFF)


async def fxo_of(world: World) -> VoicePort:
    await world.plug("analog")
    card = await world.card()
    return world.box.voice(card).port(card.ports[0])


async def test_a_port_is_held_by_one(world: World) -> None:
    port = await fxo_of(world)
    if not await refused(port.capabilities, Capability.PORT_EVENTS, hold(port)):
        await port.configure(KEWL[PortKind.FXO])
        async with port.hold():
            with pytest.raises(Refused, match="in use"):
                await hold(port)()
        await hold(port)()
        await port.configure(ChannelConfig(Signalling.NONE))
        with pytest.raises(Refused, match="not configured"):
            await hold(port)()


async def test_the_events_of_a_port(world: World) -> None:
    port = await fxo_of(world)
    if await refused(port.capabilities, Capability.PORT_EVENTS, hold(port)):
        return
    await port.configure(KEWL[PortKind.FXO])
    await world.rings(1)  # before anyone holds it
    await world.quiet(1)
    async with port.hold() as held:
        with pytest.raises(TimedOut):
            while True:  # how the line stands is told first
                assert await held.next_event(AT_ONCE_S) is not PortEvent.RING
        await world.rings(2)
        with pytest.raises(TimedOut):
            await held.next_event(AT_ONCE_S)
        await world.rings(1)
        assert await held.next_event(GENEROUS_S) is PortEvent.RING


async def test_a_set_that_is_lifted(world: World) -> None:
    await world.plug("analog")
    card = await world.card()
    port = world.box.voice(card).port(card.ports[2])
    if await refused(port.capabilities, Capability.PORT_EVENTS, hold(port)):
        return
    await port.configure(KEWL[PortKind.FXS])
    async with port.hold() as held:
        await world.lifts(3)
        while await held.next_event(GENEROUS_S) is not PortEvent.OFF_HOOK:
            pass
