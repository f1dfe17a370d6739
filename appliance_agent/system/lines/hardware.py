"""The hardware below the lines: the box's own, or a simulated one that box.toml describes (only ever in a lab).

Behind simulated cards there is no kernel and no Asterisk that could serve them: what would set up the real lines at
boot is played here, so that they look as configured lines do.
"""

import contextlib
from pathlib import Path

from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.lines import R2, E1Span
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import VersionApplied
from appliance_agent.system.lines.cards import Cards, CardsChanged, Found
from appliance_agent.system.lines.wanted import Wanted, wanted_lines
from hal.errors import HalError, Refused
from hal.linux.box import LinuxBox
from hal.model.inventory import PortKind
from hal.model.lines import Line
from hal.protocols.box import Box
from hal.protocols.voice import ChannelConfig, Coding, LineConfig, Signalling
from hal.sim.box import SimBox
from hal.sim.door import open_door
from hal.sim.words import cards, position

IDLE_R2 = 0b1101
NOTHING = ChannelConfig(Signalling.NONE)


def hardware(words: str) -> Box:
    """`words`: the key `cards` of box.toml; "" means what is really there. Raises Fault."""
    if not words:
        return LinuxBox()
    try:
        blueprints = cards(words)
    except Refused as error:
        raise Fault(
            FaultKind.INVALID, "identity.invalid", f"cards = {words!r}: {error.message}", hint=error.hint
        ) from error
    box = SimBox()
    for place, blueprint in enumerate(blueprints):
        box.plug(blueprint, position(place))
    return box


class SimulatedLines:
    """`door`: Unix socket through which things happen to the box (hal.sim.door)."""

    name = "simulated lines"

    def __init__(self, box: SimBox, door: Path, *, found: Cards, config: ConfigHolder, bus: Bus) -> None:
        self._box, self._door, self._cards, self._config, self._bus = box, door, found, config, bus

    async def run(self) -> None:
        with self._bus.subscribe(VersionApplied, CardsChanged, limit=100) as changes:
            async with open_door(self._box, self._door):
                await self._configure()
                async for _ in changes:
                    await self._configure()

    async def _configure(self) -> None:
        found = self._cards.found
        if found is None:
            return
        wanted, spans = wanted_lines(self._config.desired), {span.line: span for span in self._config.desired.e1_spans}
        for line in found.naming.lines:
            with contextlib.suppress(HalError):  # pulled meanwhile
                await self._set(found, line, wanted.get(line.name), spans.get(line.name))

    async def _set(self, found: Found, line: Line, wanted: Wanted | None, e1: E1Span | None) -> None:
        card, span = found.place(line)
        module = self._box.voice(card)
        port = module.port(next(port for port in span.ports if port.position == line.position))
        if e1 is not None:
            common = not isinstance(e1.signalling, R2)
            await module.span(span).configure(LineConfig(Coding.HDB3, common, e1.crc4), e1.clock)
            await module.span(span).start()
        for timeslot in range(1, line.channels + 1):
            await port.configure(_channel(line.kind, wanted, timeslot), timeslot)


def _channel(kind: PortKind, wanted: Wanted | None, timeslot: int) -> ChannelConfig:
    if wanted is None:
        return NOTHING
    if kind is not PortKind.E1:
        return ChannelConfig(Signalling.FXS_KEWL if kind is PortKind.FXO else Signalling.FXO_KEWL)
    if timeslot == wanted.data_link:
        return NOTHING if wanted.signalling == "r2" else ChannelConfig(Signalling.DATA_LINK)
    return (
        ChannelConfig(Signalling.CAS, idle_bits=IDLE_R2)
        if wanted.signalling == "r2"
        else ChannelConfig(Signalling.BEARER)
    )
