"""Calls through the real box, each with a jitter buffer of its own: RTP in on one leg, RTP out on the other."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.lab.box import LabError
from tests.lab.lab import Box
from tests.lab.waiting import until
from tests.proof.jitter.replay import Leg

OURS, ADAPTIVE = "ours", "adaptive"
SWITCH_ON = {OURS: "Set(SA_JITTER()=on)", ADAPTIVE: "Set(JITTERBUFFER(adaptive)=default)"}
TOLD = {OURS: "${SA_JITTER(stats)}", ADAPTIVE: ""}
STATS = "jitter-proof-stats"
MODULES = ("res_rtp_multicast", "chan_rtp", "func_jitterbuffer", "func_sa_jitter", "app_verbose", "res_clioriginate")
CONCEALING = "[plc]\ngenericplc = true\ngenericplc_on_equal_codecs = true\n"
"""The box has it off. Asterisk's buffer needs it to sound at its best; ours makes up what is missing itself."""
CONFIG = "/var/lib/sa800/asterisk/current"


@dataclass(slots=True)
class Calls:
    box: Box
    ports: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Where the box takes the media of each leg."""
    channels: dict[str, str] = field(default_factory=dict)

    def stats(self) -> dict[str, str]:
        """Our buffer's own count when its call ended, as `SA_JITTER(stats)` tells it; empty without one."""

        def told() -> list[str]:
            return re.findall(rf"{STATS} of {OURS}: ?(.*)", self.box.log("asterisk"))

        until("the call's end is told", told, limit_s=20)
        return dict(pair.split("=") for pair in told()[-1].split(",")) if told()[-1] else {}


def load(box: Box, module: str) -> None:
    said = box.asterisk(f"module load {module}.so")
    if "Running" not in box.asterisk(f"module show like {module}.so"):
        raise LabError(f"{box.name} cannot load {module}.so: {said.strip()}")


def _prepare(box: Box) -> None:
    for module in MODULES:
        load(box, module)
    box.path(f"{CONFIG}/codecs.conf").write_text(CONCEALING)
    box.asterisk("module reload plc")


def _local(box: Box, leg: Leg) -> tuple[str, int] | None:
    """Channel and port of a leg's way in; None: not there yet."""
    at = "{}:{}".format(*leg.into.getsockname())
    for line in box.asterisk("core show channels concise").splitlines():
        name = line.split("!")[0]
        if at in name:
            shown = box.asterisk(f"core show channel {name}")
            ports = [word.partition("=")[2] for word in shown.split() if word.startswith("UNICASTRTP_LOCAL_PORT=")]
            return (name, int(ports[0])) if ports else None
    return None


@asynccontextmanager
async def calls_through(box: Box, legs: list[Leg], *, is_off: bool) -> AsyncIterator[Calls]:
    """`is_off`: ours has no buffer at all."""
    await asyncio.to_thread(_prepare, box)
    calls = Calls(box)
    for leg in legs:
        context = f"jitter-{leg.name}"
        into, out = ("{}:{}".format(*end.getsockname()) for end in (leg.into, leg.out))
        switch = "NoOp()" if is_off and leg.name == OURS else SWITCH_ON[leg.name]
        steps = {
            "s,1": switch,
            "s,2": f"Dial(UnicastRTP/{out}/c(alaw))",
            "h,1": f'"Log(NOTICE,{STATS} of {leg.name}: {TOLD[leg.name]})"',
        }
        for place, step in steps.items():
            await asyncio.to_thread(box.asterisk, f"dialplan add extension {place},{step} into {context}")
        await asyncio.to_thread(box.asterisk, f"channel originate UnicastRTP/{into}/c(alaw) extension s@{context}")
        await asyncio.to_thread(until, f"{leg.name} is up", lambda leg=leg: _local(box, leg) is not None, limit_s=20)
        there = _local(box, leg)
        assert there is not None
        calls.channels[leg.name], calls.ports[leg.name] = there[0], (box.address, there[1])
    try:
        yield calls
    finally:
        for name in calls.channels.values():
            await asyncio.to_thread(box.asterisk, f"channel request hangup {name}")
