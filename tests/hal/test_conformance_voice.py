"""The conformance suite: spans and ports."""

import pytest

from hal.capabilities import Capability
from hal.errors import NotThere, Refused
from hal.protocols.voice import Alarm, PortState, Signalling, SpanState
from tests.hal.suite import card_of, refused
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
