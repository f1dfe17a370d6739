"""The conformance suite: measuring on a channel beside whoever holds it. As the rest, on the emulated board also on the
real DAHDI (board-tests/test_hardware.py)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hal.capabilities import Capability
from hal.errors import Refused
from hal.model.inventory import PortKind
from hal.protocols.linetest import Measure, Measured, Order, Second, Tap
from hal.protocols.voice import VoicePort
from hal.sim import line
from tests.hal.suite import Ask, refused
from tests.hal.test_conformance_acts import KEWL
from tests.hal.worlds import World

FIRST = 1
"""DAHDI's number of the port's channel."""


@pytest.fixture(autouse=True)
def short_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the simulated box; the real DAHDI's stay what they are."""
    monkeypatch.setattr(line, "SECOND_S", 0.01)


def tap(port: VoicePort) -> Ask:
    """To try it, and let go at once."""

    async def ask() -> None:
        async with port.tap():
            pass

    return ask


async def measure(tap: Tap, order: Order) -> tuple[Measured, list[Second]]:
    seconds: list[Second] = []
    return await tap.measure(order, seconds.append), seconds


async def port_of(world: World) -> VoicePort | None:
    """An FXO port that is configured; None where the backend cannot tap, which it has said."""
    await world.plug("analog")
    card = await world.card()
    port = world.box.voice(card).port(card.ports[0])
    if await refused(port.capabilities, Capability.PORT_TAP, tap(port)):
        return None
    await port.configure(KEWL[PortKind.FXO])
    return port


@asynccontextmanager
async def held(port: VoicePort) -> AsyncIterator[None]:
    """As Asterisk holds it."""
    async with port.hold():
        yield


async def test_what_is_sent_comes_back_from_a_loop(world: World) -> None:
    if (port := await port_of(world)) is None:
        return
    await world.loops(FIRST)
    async with held(port), port.tap() as tap:
        found, seconds = await measure(tap, Order(Measure.TONE, 2.0, level_dbm0=-10.0, hz=1004.0))
        assert found.tone is not None
        assert found.tone.hz == pytest.approx(1004, abs=0.5)
        assert found.tone.level_dbm0 == pytest.approx(-10, abs=0.5)
        assert [one.second for one in seconds] == [1, 2]
        found, _ = await measure(tap, Order(Measure.ECHO, 2.0, level_dbm0=-13.0))
        assert found.echo is not None and found.echo.delay_ms is not None
        assert found.echo.return_loss_db == pytest.approx(0, abs=0.5)
        found, seconds = await measure(tap, Order(Measure.BITS, 2.0))
        assert found.bits is not None and found.bits.in_step
        assert (found.bits.errors, found.bits.losses, seconds[-1].errors) == (0, 0, 0)
        assert found.bits.bits > 64_000


async def test_who_only_hears_sends_nothing(world: World) -> None:
    if (port := await port_of(world)) is None:
        return
    await world.loops(FIRST)
    async with held(port), port.tap(speak=False) as tap:
        found, _ = await measure(tap, Order(Measure.TONE, 1.0))
        assert found.tone is None
        found, _ = await measure(tap, Order(Measure.LISTEN, 1.0))
        assert (found.tone, found.digits, len(found.sound)) == (None, "", 16_000)
        assert found.noise_dbm0p < -60


async def test_one_speaks_on_a_channel_and_it_is_free_afterwards(world: World) -> None:
    if (port := await port_of(world)) is None:
        return
    async with held(port):
        async with port.tap(), port.tap(speak=False):
            with pytest.raises(Refused, match="tapped already"):
                await tap(port)()
        await tap(port)()


async def test_a_measurement_ends_early_with_what_it_has(world: World) -> None:
    if (port := await port_of(world)) is None:
        return
    stop = asyncio.Event()
    async with held(port), port.tap() as tap:
        found = await tap.measure(Order(Measure.LISTEN, 60), lambda _: stop.set(), stop)
        assert 1 <= found.seconds < 30
        assert len(found.sound) == pytest.approx(16_000 * found.seconds, rel=0.1)
        found, _ = await measure(tap, Order(Measure.LISTEN, 1))
        assert found.seconds == 1


async def test_what_cannot_be_ordered(world: World) -> None:
    if (port := await port_of(world)) is None:
        return
    wrong = (
        Order(Measure.TONE, 0.5), Order(Measure.TONE, 61), Order(Measure.TONE, 1, level_dbm0=3.5),
        Order(Measure.ECHO, 1, level_dbm0=-60), Order(Measure.TONE, 1, hz=4000), Order(Measure.TONE, float("nan")),
    )  # fmt: skip
    async with held(port), port.tap() as tap:
        for order in wrong:
            with pytest.raises(Refused):
                await measure(tap, order)


async def test_a_bearer_without_a_call_cannot_be_tapped(world: World) -> None:
    await world.plug(world.e1)
    card = await world.card()
    port = world.box.voice(card).port(card.ports[0])
    if not await refused(port.capabilities, Capability.PORT_TAP, tap(port)):
        with pytest.raises(Refused, match="no program holds"):
            await tap(port)()
