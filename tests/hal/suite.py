"""What the files of the conformance suite share: what is declared is done, the rest is refused at once."""

from collections.abc import Awaitable, Callable, Set

import pytest

from hal.capabilities import Capability
from hal.errors import NotSupported
from hal.model.inventory import Card
from hal.protocols.voice import VoicePort
from tests.hal.worlds import World

AT_ONCE_S = 0.02
"""For waits that shall end without anything coming."""
GENEROUS_S = 30
Ask = Callable[[], Awaitable[object]]


async def refused(held: Set[Capability], wanted: Capability, ask: Ask) -> bool:
    """True when the backend does not declare it, having seen that it refuses."""
    if wanted in held:
        return False
    with pytest.raises(NotSupported, match=wanted):
        await ask()
    return True


async def card_of(world: World) -> Card:
    return next(card for card in (await world.box.inventory()).cards if card.known)


def hold(port: VoicePort) -> Ask:
    """To try it, and let go at once."""

    async def ask() -> None:
        async with port.hold():
            pass

    return ask
