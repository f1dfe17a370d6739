"""The conformance suite: spans and ports."""

import pytest

from hal.capabilities import Capability
from hal.errors import NotThere, Refused, TimedOut
from hal.model.inventory import PortKind
from hal.protocols.voice import Alarm, ChannelConfig, Hook, Loop, PortEvent, PortState, Signalling, SpanState
from hal.sim.box import SimBox
from hal.sim.script import Happens
from tests.hal.suite import AT_ONCE_S, GENEROUS_S, card_of, hold, refused
from tests.hal.worlds import HDB3_CCS_CRC4, World


async def test_the_state_of_a_span(world: World) -> None:
    await world.plug("dual_e1")
    card = await card_of(world)
    span = world.box.voice(card).span(card.spans[1])
    if await refused(span.capabilities, Capability.SPAN_STATE, span.state):
        return
    assert await span.state() == SpanState(frozenset(), None, clock_master=False)
    world.alarms(2, {Alarm.RED, Alarm.YELLOW})
    world.framed(2, HDB3_CCS_CRC4)
    assert await span.state() == SpanState(frozenset({Alarm.RED, Alarm.YELLOW}), HDB3_CCS_CRC4, clock_master=True)
    other = world.box.voice(card).span(card.spans[0])
    assert not (await other.state()).alarms


async def test_each_alarm(world: World) -> None:
    await world.plug("dual_e1")
    card = await card_of(world)
    span = world.box.voice(card).span(card.spans[0])
    if not await refused(span.capabilities, Capability.SPAN_STATE, span.state):
        for alarm in Alarm:
            world.alarms(1, {alarm})
            assert (await span.state()).alarms == {alarm}


async def test_a_pulled_card_is_not_there(world: World) -> None:
    await world.plug("analog")
    card = await card_of(world)
    await world.pull()
    await world.plug("dual_e1")  # another card's span has the number now
    module = world.box.voice(card)
    span, port = module.span(card.spans[0]), module.port(card.ports[0])
    if not await refused(span.capabilities, Capability.SPAN_STATE, span.state):
        with pytest.raises(NotThere, match="span 1") as error:
            await span.state()
        assert "probe again" in error.value.hint
    if not await refused(port.capabilities, Capability.PORT_STATE, port.state):
        with pytest.raises(NotThere):
            await port.state()


async def test_a_span_that_was_renumbered_is_not_mistaken_for_its_neighbour(world: World) -> None:
    await world.plug("dual_e1")
    second = (card := await card_of(world)).spans[1]
    await world.pull()
    await world.plug("analog", "05:01.0")
    await world.plug("dual_e1")  # its first span has now the number that its second one had
    span = world.box.voice(card).span(second)
    if not await refused(span.capabilities, Capability.SPAN_STATE, span.state):
        with pytest.raises(NotThere, match="span 2"):
            await span.state()


async def test_a_card_that_comes_back_begins_anew(world: World) -> None:
    await world.plug("analog")
    port = world.box.voice(card := await card_of(world)).port(card.ports[0])
    if not await refused(port.capabilities, Capability.PORT_STATE, port.state):
        world.seized(1, 1, 1, "FXSKS")
        await world.pull()
        await world.plug("analog")
        assert await port.state() == PortState(None, open=False, alarms=frozenset())


async def test_a_span_without_number_is_not_there(world: World) -> None:
    await world.plug("dual_e1", assign=False)
    card = await card_of(world)
    span = world.box.voice(card).span(card.spans[0])
    if not await refused(span.capabilities, Capability.SPAN_STATE, span.state):
        with pytest.raises(NotThere):
            await span.state()


async def test_the_state_of_a_port(world: World) -> None:
    await world.plug("analog")
    card = await card_of(world)
    port = world.box.voice(card).port(card.ports[1])
    if await refused(port.capabilities, Capability.PORT_STATE, port.state):
        return
    assert await port.state() == PortState(None, open=False, alarms=frozenset())
    world.seized(1, 2, 2, "FXSKS")
    assert await port.state() == PortState("FXSKS", open=True, alarms=frozenset({Alarm.RED}))
    other = world.box.voice(card).port(card.ports[0])
    assert not (await other.state()).open


async def test_what_acts_on_a_span(world: World) -> None:
    await world.plug("dual_e1")
    card = await card_of(world)
    span = world.box.voice(card).span(card.spans[0])
    if not await refused(span.capabilities, Capability.SPAN_CONFIGURE, lambda: span.configure(HDB3_CCS_CRC4)):
        await span.configure(HDB3_CCS_CRC4, clock_order=1)
        await span.start()
        await span.start()
        assert (await span.state()).line == HDB3_CCS_CRC4
    await refused(span.capabilities, Capability.SPAN_CONFIGURE, span.start)
    if not await refused(span.capabilities, Capability.SPAN_COUNTERS, span.counters):
        before = await span.counters()
        assert (await span.counters()).crc4_errors >= before.crc4_errors
    for where in (Loop.LOCAL, Loop.REMOTE, None):
        if not await refused(span.capabilities, Capability.SPAN_LOOPBACK, lambda w=where: span.loop(w)):  # type: ignore[misc]
            await span.loop(where)


async def test_an_analog_span_has_no_framing(world: World) -> None:
    await world.plug("analog")
    card = await card_of(world)
    span = world.box.voice(card).span(card.spans[0])
    if not await refused(span.capabilities, Capability.SPAN_CONFIGURE, lambda: span.configure(HDB3_CCS_CRC4)):
        with pytest.raises(Refused, match="analog"):
            await span.configure(HDB3_CCS_CRC4)
        await span.start()


async def test_assigning_a_span(world: World) -> None:
    await world.plug("dual_e1", assign=False)
    card = await card_of(world)
    module = world.box.voice(card)
    if await refused(module.capabilities, Capability.SPAN_ASSIGN, lambda: module.assign(card.spans[0], 3, 63)):
        return
    await module.assign(card.spans[0], 3, 63)
    span = (await card_of(world)).spans[0]
    assert (span.number, span.ports[0].channel) == (3, 63)
    for local, number, channel in ((0, 4, 200), (1, 3, 200), (1, 4, 90)):
        with pytest.raises(Refused, match="taken"):
            await module.assign(card.spans[local], number, channel)


async def test_configuring_the_channels_of_an_e1(world: World) -> None:
    await world.plug("dual_e1")
    card = await card_of(world)
    port = world.box.voice(card).port(card.ports[0])
    bearer, link = ChannelConfig(Signalling.BEARER), ChannelConfig(Signalling.DATA_LINK)
    if await refused(port.capabilities, Capability.PORT_CONFIGURE, lambda: port.configure(bearer)):
        return
    await port.configure(bearer, 15)
    await port.configure(link, 16)
    await port.configure(ChannelConfig(Signalling.CAS, idle_bits=0b1101), 31)
    assert (await port.channel(15)).signalling is Signalling.BEARER
    assert (await port.channel(16)).signalling is Signalling.DATA_LINK
    assert (await port.channel(31)).idle_bits in (None, 0b1101)
    assert (await port.channel(14)).signalling is Signalling.NONE
    other = world.box.voice(card).port(card.ports[1])
    assert (await other.channel(15)).signalling is Signalling.NONE
    await port.configure(ChannelConfig(Signalling.NONE), 16)
    assert (await port.channel(16)).signalling is Signalling.NONE
    with pytest.raises(Refused):
        await port.configure(ChannelConfig(Signalling.FXS_KEWL))
    for timeslot in (0, 32):
        with pytest.raises(Refused, match=f"no channel {timeslot}"):
            await port.configure(bearer, timeslot)


async def test_configuring_an_analog_port(world: World) -> None:
    await world.plug("analog")
    card = await card_of(world)
    fxo, other, fxs = (world.box.voice(card).port(port) for port in card.ports[:3])
    kewl = ChannelConfig(Signalling.FXS_KEWL, echo_canceller="mg2")
    if await refused(fxo.capabilities, Capability.PORT_CONFIGURE, lambda: fxo.configure(kewl)):
        return
    await fxo.configure(kewl)
    assert (await fxo.state()).signalling == "FXSKS"
    state = await fxo.channel()
    assert (state.signalling, state.echo_canceller, state.open) == (Signalling.FXS_KEWL, "mg2", False)
    await fxo.configure(ChannelConfig(Signalling.FXS_KEWL))
    assert (await fxo.channel()).echo_canceller is None
    assert (await other.state()).signalling is None
    for port, wrong in ((fxs, kewl), (fxo, ChannelConfig(Signalling.FXS_KEWL, echo_canceller="none-such"))):
        with pytest.raises(Refused):
            await port.configure(wrong)
    async with fxo.hold():
        with pytest.raises(Refused, match="in use"):
            await fxo.configure(kewl)


async def test_the_channels_of_a_port_as_they_are(world: World) -> None:
    await world.plug("analog")
    card = await card_of(world)
    port = world.box.voice(card).port(card.ports[1])
    if await refused(port.capabilities, Capability.PORT_STATE, port.channel):
        return
    world.seized(1, 2, 2, "FXSKS")
    state = await port.channel()
    assert (state.signalling, state.open, state.alarms) == (Signalling.FXS_KEWL, True, frozenset({Alarm.RED}))
    with pytest.raises(Refused, match="no channel 2"):
        await port.channel(2)


async def test_the_hook_of_a_port(world: World) -> None:
    await world.plug("analog")
    await world.plug("dual_e1", "05:05.0")
    box = await world.box.inventory()
    ports = {port.kind: world.box.voice(card).port(port) for card in box.cards for port in card.ports}
    if not {Capability.PORT_HOOK, Capability.PORT_EVENTS} <= ports[PortKind.FXO].capabilities:
        assert await refused(ports[PortKind.FXO].capabilities, Capability.PORT_EVENTS, hold(ports[PortKind.FXO]))
        return
    async with ports[PortKind.FXO].hold() as fxo:
        assert (await ports[PortKind.FXO].state()).open
        await fxo.hook(Hook.OFF)
        await fxo.hook(Hook.ON)
        with pytest.raises(Refused):
            await fxo.hook(Hook.RING)
    assert not (await ports[PortKind.FXO].state()).open
    async with ports[PortKind.FXS].hold() as fxs:
        await fxs.hook(Hook.RING)
    async with ports[PortKind.E1].hold(31) as timeslot:
        with pytest.raises(Refused):
            await timeslot.hook(Hook.OFF)


async def test_a_port_is_held_by_one(world: World) -> None:
    await world.plug("analog")
    card = await card_of(world)
    port = world.box.voice(card).port(card.ports[0])
    if not await refused(port.capabilities, Capability.PORT_EVENTS, hold(port)):
        async with port.hold():
            with pytest.raises(Refused, match="in use"):
                await hold(port)()
        await hold(port)()


async def test_the_events_of_a_port(world: World) -> None:
    await world.plug("analog")
    card = await card_of(world)
    port = world.box.voice(card).port(card.ports[0])
    if await refused(port.capabilities, Capability.PORT_EVENTS, hold(port)):
        return
    assert isinstance(world.box, SimBox), "a backend with events needs a hand that makes them"
    world.box.play([Happens(1, PortEvent.ALARM)])  # before anyone holds it
    async with port.hold() as held:
        with pytest.raises(TimedOut):
            await held.next_event(AT_ONCE_S)
        world.box.play([Happens(1, PortEvent.RING), Happens(1, PortEvent.POLARITY), Happens(2, PortEvent.ALARM)])
        assert [await held.next_event(GENEROUS_S) for _ in range(2)] == [PortEvent.RING, PortEvent.POLARITY]
        with pytest.raises(TimedOut):
            await held.next_event(AT_ONCE_S)
