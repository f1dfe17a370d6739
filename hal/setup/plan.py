"""What the lines shall be: rendered by the box agent as JSON, carried out by hal.setup.bring_up. Pure.

Lines are spoken of by name: the plan says the same whatever cards are there and wherever DAHDI counts them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hal.protocols.voice import ChannelConfig, Coding, Law, LineConfig, Signalling

VERSION = 1


class NoPlan(ValueError):
    """The text is no plan of this release; says why."""


@dataclass(frozen=True, slots=True)
class Channels:
    """Channels of a line that are configured alike."""

    timeslots: tuple[int, ...]
    """1 … 31 of an E1; (1,) of an analog line."""
    config: ChannelConfig


@dataclass(frozen=True, slots=True)
class LinePlan:
    name: str
    channels: tuple[Channels, ...]
    framing: LineConfig | None = None
    """E1 only."""
    clock_order: int = 0
    """1: the box takes its clock from here first; 0: never."""


def to_json(plans: Iterable[LinePlan]) -> str:
    return json.dumps({"version": VERSION, "lines": [_line(plan) for plan in plans]}, indent=1) + "\n"


def from_json(text: str) -> tuple[LinePlan, ...]:
    """Raises NoPlan."""
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            raise NoPlan(f"version {document['version']}, this release reads {VERSION}")
        return tuple(_from_line(line) for line in document["lines"])
    except (ValueError, KeyError, TypeError) as error:
        raise NoPlan(f"no plan for lines: {error}") from error


def _line(plan: LinePlan) -> dict[str, Any]:
    told: dict[str, Any] = {"name": plan.name}
    if plan.framing is not None:
        told["framing"] = {
            "coding": plan.framing.coding.value,
            "common_channel": plan.framing.common_channel,
            "crc4": plan.framing.crc4,
            "clock_order": plan.clock_order,
        }
    told["channels"] = [
        {
            "timeslots": list(channels.timeslots),
            "signalling": channels.config.signalling.value,
            "law": channels.config.law.value,
            "idle_bits": channels.config.idle_bits,
            "echo_canceller": channels.config.echo_canceller,
        }
        for channels in plan.channels
    ]
    return told


def _from_line(told: dict[str, Any]) -> LinePlan:
    framing = told.get("framing")
    return LinePlan(
        name=str(told["name"]),
        channels=tuple(_from_channels(channels) for channels in told["channels"]),
        framing=None
        if framing is None
        else LineConfig(Coding(framing["coding"]), bool(framing["common_channel"]), bool(framing["crc4"])),
        clock_order=0 if framing is None else int(framing["clock_order"]),
    )


def _from_channels(told: dict[str, Any]) -> Channels:
    config = ChannelConfig(
        Signalling(told["signalling"]), Law(told["law"]), int(told["idle_bits"]), told["echo_canceller"]
    )
    return Channels(tuple(int(timeslot) for timeslot in told["timeslots"]), config)
