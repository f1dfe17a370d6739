"""Brings the lines of a box to what their plan says: numbers for spans, framing, channels; then asks what it became.

What is already as planned is left alone, so that it may run again at any time: when a card came, or beside calls.
Nothing here stops at the first trouble: one bad card must not keep the others out of service.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hal.boards import Board, admit
from hal.errors import HalError
from hal.model.inventory import Card, Inventory, Port, Span
from hal.model.lines import CHANNELS_OF_A_SPAN, Line, Names, Naming
from hal.protocols.box import Box
from hal.protocols.voice import ChannelConfig, Law, Signalling, VoicePort, VoiceSpan
from hal.setup.plan import LinePlan
from hal.setup.report import LineReport, Report

LET_GO_S, LOOK_S = 3.0, 0.05
"""A file is closed when the last poll of it is over: Asterisk polls analog lines that it has closed up to 1 s more."""

Log = Callable[[str], None]
"""Told each thing that is done to a device, before it is done."""
Name = Callable[[Inventory], Naming]
"""Names the lines of a probe and stores the names: the agent, which may look at the same time, gives no others."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One probe, and what the lines of it are called."""

    inventory: Inventory
    names: Names


async def bring_up(box: Box, board: Board, name: Name, plans: Sequence[LinePlan], log: Log) -> Report:
    """Raises what the probe and `name` raise; trouble with a single device is in the report."""
    inventory = await box.inventory()
    troubles = await _assign(box, inventory, name(inventory).names, log)
    # An analog card tells its ports, and with them its lines, only when its span has a number.
    inventory = await box.inventory()
    naming = name(inventory)
    admission = admit(board, inventory, naming.lines)
    troubles += [f"{refusal.reason}: {refusal.hint}" for refusal in admission.refusals]
    wanted = {plan.name: plan for plan in plans}
    seen, there = Seen(inventory, naming.names), [line for line in admission.lines if line.channel is not None]
    lines = [await bring_up_line(box, seen, line, wanted.get(line.name), log) for line in there]
    missing = sorted(wanted.keys() - {line.name for line in lines})
    return Report(tuple(lines), tuple(missing), tuple(troubles))


async def bring_up_line(
    box: Box, seen: Seen, line: Line, plan: LinePlan | None, log: Log, *, anew: bool = False
) -> LineReport:
    """One line, which has a number. Others do not notice: framing is an E1's own, and channels are told one by one.
    `anew`: tell all of it again, also what cannot be read back; nobody may hold the line's channels then, or no longer
    than LET_GO_S."""
    assert line.span_number is not None and line.channel is not None, "the caller looked"
    told = LineReport(line.name, line.span_number, line.channel, line.channels)
    number = wanted_number(seen.names, line)
    if number != line.span_number:
        return _with_trouble(told, f"its span has number {line.span_number} instead of {number}; restart the box")
    if plan is None:
        return told
    try:
        device = _Device.of(box, seen.inventory, line)
        if anew:
            await _let_go(device)
        if anew or await _differences(device, plan):
            await _configure(device, plan, log, anew=anew)
        differences = await _differences(device, plan)
    except HalError as error:
        return _with_trouble(told, str(error))
    if differences:
        return _with_trouble(told, "read back otherwise than set: " + "; ".join(differences))
    return LineReport(
        told.name, told.span, told.channel, told.channels, configured=True, unverified=await _unverified(device, plan)
    )


def wanted_number(names: Names, line: Line) -> int | None:
    """The number that the line's span was given for good."""
    for card in names.cards:
        if card.id == line.card:
            return next((span.number for span in card.spans if span.span == line.span), None)
    return None


def _with_trouble(told: LineReport, trouble: str) -> LineReport:
    return LineReport(told.name, told.span, told.channel, told.channels, trouble=trouble)


# ── numbers ────────────────────────────────────────────────────────────────────────────────────────
async def _assign(box: Box, inventory: Inventory, names: Names, log: Log) -> list[str]:
    """Numbers for the spans that have none; returns what went wrong."""
    numbers = {card.id: {span.span: span for span in card.spans} for card in names.cards}
    troubles = []
    for card in inventory.known:
        for span in card.spans:
            if span.number is not None:
                continue
            numbered = numbers[card.id].get(span.local)
            who = f"span {span.local} of {card.id}"
            if numbered is None:
                troubles.append(f"{who}: all span numbers are given; forget cards that are no longer in the box")
                continue
            if (width := sum(port.channels for port in span.ports)) > CHANNELS_OF_A_SPAN:
                troubles.append(f"{who}: has {width} channels, {CHANNELS_OF_A_SPAN} are the most")
                continue
            log(f"assign {who}: number {numbered.number}, channels from {numbered.first_channel}")
            try:
                await box.voice(card).assign(span, numbered.number, numbered.first_channel)
            except HalError as error:
                troubles.append(str(error))
    return troubles


# ── one line ───────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class _Device:
    name: str
    span: VoiceSpan
    port: VoicePort

    @classmethod
    def of(cls, box: Box, inventory: Inventory, line: Line) -> "_Device":
        card, span, port = _place(inventory, line)
        module = box.voice(card)
        return cls(line.name, module.span(span), module.port(port))


def _place(inventory: Inventory, line: Line) -> tuple[Card, Span, Port]:
    card = inventory.card(line.card)
    assert card is not None, "the line was named from this inventory"
    span = next(span for span in card.spans if span.local == line.span)
    return card, span, next(port for port in span.ports if (port.kind, port.position) == (line.kind, line.position))


async def _let_go(device: _Device) -> None:
    """Waits for whoever was told to let go of the line. One who does not is told of when it cannot be configured."""
    for _ in range(round(LET_GO_S / LOOK_S)):
        if not (await device.port.state()).open:
            return
        await asyncio.sleep(LOOK_S)  # the kernel tells nobody that a file was closed


async def _configure(device: _Device, plan: LinePlan, log: Log, *, anew: bool) -> None:
    """Otherwise only what differs: a channel in a call stays untouched as long as its own words stay."""
    if plan.framing is not None and (anew or (await device.span.state()).line != plan.framing):
        log(f"{device.name}: framing {plan.framing}, clock source {plan.clock_order}")
        await device.span.configure(plan.framing, plan.clock_order)
    for timeslot, config in _each(plan):
        if anew or await _difference(device.port, timeslot, config):
            log(f"{device.name}: channel {timeslot} {config}")
            await device.port.configure(config, timeslot)
    log(f"{device.name}: start")
    await device.span.start()


async def _differences(device: _Device, plan: LinePlan) -> list[str]:
    """As far as the driver tells."""
    found = []
    now = (await device.span.state()).line
    if plan.framing is not None and now is not None and now != plan.framing:
        found.append(f"framing is {now}, not {plan.framing}")
    for timeslot, config in _each(plan):
        if difference := await _difference(device.port, timeslot, config):
            found.append(f"channel {timeslot}: {difference}")
    return found


async def _difference(port: VoicePort, timeslot: int, config: ChannelConfig) -> str:
    """Empty when the channel is as configured, as far as it tells."""
    now = await port.channel(timeslot)
    pairs: Mapping[str, tuple[object, object]] = {
        "signalling": (now.signalling, config.signalling),
        "echo canceller": (now.echo_canceller, config.echo_canceller),
        "idle bits": (config.idle_bits if now.idle_bits is None else now.idle_bits, config.idle_bits)
        if config.signalling is Signalling.CAS
        else (None, None),
    }
    return "; ".join(
        f"{what} is {is_now}, not {wanted}" for what, (is_now, wanted) in pairs.items() if is_now != wanted
    )


async def _unverified(device: _Device, plan: LinePlan) -> tuple[str, ...]:
    """What the driver does not tell of: the clock order; the framing of a span without hardware; a law, which DAHDI
    takes when the channel is next opened."""
    found: set[str] = set()
    if plan.framing is not None and (await device.span.state()).line is None:
        found.add("framing")
    if plan.framing is not None and plan.clock_order:
        found.add("clock source")
    for timeslot, config in _each(plan):
        now = await device.port.channel(timeslot)
        if config.law not in (Law.DEFAULT, now.law):
            found.add("law")
        if now.idle_bits is None and config.signalling is Signalling.CAS:
            found.add("idle bits")
    return tuple(sorted(found))


def _each(plan: LinePlan) -> Iterable[tuple[int, ChannelConfig]]:
    return ((timeslot, channels.config) for channels in plan.channels for timeslot in channels.timeslots)
