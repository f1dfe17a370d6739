"""A real call from the exchange to the box over a cable with faults; how its packets came, as a log of arrivals."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.lab.exchange import write_tone
from tests.lab.lab import Box, Lab
from tests.lab.network import EXCHANGE_HOST
from tests.proof.capture import capture
from tests.proof.jitter.arrivals import Arrivals, arrivals, longest_stream
from tests.proof.jitter.box_calls import load
from tests.proof.jitter.urgent import put_first
from tests.proof.plan import DID

CALLER = "13800138000"
STAY = "jitter-stay"
"""The context in which the box keeps the call, whatever its menus would do."""
TONE_HZ, SPARE_S = 437.0, 30
"""What the caller sends, and for how much longer than is recorded: the call is set up meanwhile."""
ROOT = Path(__file__).resolve().parents[3]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=10)


@asynccontextmanager
async def faulty_cable(lab: Lab, seed: int, counts: dict[str, Any]) -> AsyncIterator[None]:
    """The box's cable is taken from the bridge and put there through `wire.py`; afterwards it is as it was."""
    assert lab.record is not None
    bridge = f"sa8-{lab.record.number}"
    place, near, far, box = f"{bridge}-wire", f"{bridge}-w", f"{bridge}-x", f"{bridge}-10"
    lab.record.namespaces.append(place)
    lab.record.links.append(near)
    lab.record.write()
    _ip("netns", "add", place)
    _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", place)
    _ip("link", "set", near, "master", bridge, "up")
    _ip("link", "set", box, "nomaster", "netns", place)
    for link in (far, box):
        _ip("-n", place, "link", "set", link, "up")
    try:
        async with _wire(place, seed, far, box, counts):
            yield
    finally:
        _ip("-n", place, "link", "set", box, "netns", "1")
        _ip("link", "set", box, "master", bridge, "up")
        _ip("link", "delete", near)
        _ip("netns", "delete", place)


@asynccontextmanager
async def _wire(place: str, seed: int, from_: str, to: str, counts: dict[str, Any]) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        "ip", "netns", "exec", place, sys.executable, "-m", "tests.proof.jitter.wire", str(seed), from_, to,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 20)  # "ready"
    try:
        yield
    finally:
        process.terminate()
        said, _ = await asyncio.wait_for(process.communicate(), 10)
        counts.update(json.loads(said.splitlines()[-1]) if said else {})


def keep_up(box: Box) -> None:
    """The call that is up stays up and silent: the caller's packets go on coming."""
    load(box, "res_clioriginate")
    box.asterisk(f"dialplan add extension s,1,Wait(3600) into {STAY}")
    names = [line.split("!")[0] for line in box.asterisk("core show channels concise").splitlines() if "!" in line]
    if len(names) != 1:
        raise RuntimeError(f"{box.name} has {len(names)} channels, not one: {names}")
    said = box.asterisk(f"channel redirect {names[0]} {STAY},s,1")
    if "successfully redirected" not in said:
        raise RuntimeError(f"{box.name} does not keep the call that is to be recorded: {said.strip()}")


async def record(lab: Lab, seed: int, seconds: float, out: Path, counts: dict[str, Any]) -> Arrivals:
    """The log of one call; pcaps of both ends stay in `out`. RuntimeError: the call did not last."""
    assert lab.record is not None
    box = lab.box()
    inside = ("nsenter", f"--net=/run/netns/{box.plan.namespace}")
    sent, came = out / "sent.pcap", out / "came.pcap"
    exchange = await asyncio.to_thread(lab.exchange.pid, "exchange")
    assert exchange is not None
    put_first(exchange)
    async with faulty_cable(lab, seed, counts):
        spoken = out / "spoken.wav"  # in one piece: a player that begins again is late from then on
        await asyncio.to_thread(write_tone, spoken, TONE_HZ, int(seconds) + SPARE_S)
        call = await asyncio.to_thread(lab.exchange.dial, CALLER, DID, audio=spoken)
        try:
            if not await asyncio.to_thread(call.wait, "talk", 60):
                raise RuntimeError("the box did not answer the call that was to be recorded")
            await asyncio.to_thread(keep_up, box)
            async with (
                capture(f"sa8-{lab.record.number}-{EXCHANGE_HOST}", sent),
                capture("eth0", came, inside),
            ):
                if await asyncio.to_thread(call.wait, "ended", seconds):
                    raise RuntimeError("the call that was to be recorded ended by itself")
        finally:
            await asyncio.to_thread(call.hang_up)
    stream = await asyncio.to_thread(longest_stream, sent)
    return await asyncio.to_thread(arrivals, stream, came)
