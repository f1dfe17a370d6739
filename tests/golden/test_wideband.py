"""A recording is right whatever the codecs of the legs are: it has 8 kHz, though Asterisk mixes at the higher rate."""

import pytest

from tests.callers.audio import middle, tone_share
from tests.golden.people import CALLER_HZ, SEATS, Scene
from tests.golden.test_calls import RATE, names, one, stereo

pytestmark = pytest.mark.lab

CALL_S = 4.0
"""Longer than Asterisk's buffer for a file, which holds 2 s."""


async def in_bridge(scene: Scene, count: int) -> None:
    await scene.box.row(lambda rows: sum(row["eventtype"] == "BRIDGE_ENTER" for row in rows) == count)


@pytest.mark.parametrize(("seat", "outbound"), [("1002", False), ("1001", True)])
async def test_a_wideband_seat(scene: Scene, seat: str, outbound: bool) -> None:
    """Option D of MixMonitor fails here: it takes the samples of the wideband leg for samples of 8 kHz (ADR 0005)."""
    await scene.seats.send("codec", name="G722")
    await scene.seat(seat)
    await scene.outside(answer="auto")
    if outbound:
        await scene.seats.send("call", ext=seat, to="913800138000")
    else:
        await scene.exchange.send("call", ext="13800138000", to="075588881002")
    await in_bridge(scene, 2)
    rows = await scene.box.row(lambda rows: "SA_RECORD" in names(rows))
    assert "g722" in await scene.box.cli("pjsip show channelstats")
    await scene.recorded(one(rows, "SA_RECORD")["file"], CALL_S)
    await scene.exchange.send("hangup", ext="13800138000")
    ended = await scene.exchange.wait("ended")
    rows = await scene.box.calls_ended(1)
    left, right = stereo(scene.recording(one(rows, "SA_RECORD")["file"]))
    assert len(left) == len(right)
    assert len(left) / RATE == pytest.approx(ended["seconds"], abs=0.5)
    assert tone_share(middle(left, RATE, 3), RATE, CALLER_HZ) >= 0.8
    assert tone_share(middle(right, RATE, 3), RATE, SEATS[seat]) >= 0.8


async def test_a_call_that_becomes_wideband(scene: Scene) -> None:
    """By a transfer: the rate changes in the middle of the recording, its two sides stay as long as the call."""
    await scene.seat("1001")
    await scene.seat("1002")
    await scene.outside()
    await scene.exchange.send("call", ext="13800138000", to="075588881002")
    await in_bridge(scene, 2)
    rows = await scene.box.row(lambda rows: "SA_RECORD" in names(rows))
    await scene.recorded(one(rows, "SA_RECORD")["file"], 2.0)
    await scene.seats.send("codec", name="G722")
    await scene.seats.send("transfer", ext="1002", to="1001")
    await in_bridge(scene, 4)
    await scene.recorded(one(rows, "SA_RECORD")["file"], CALL_S)
    await scene.exchange.send("hangup", ext="13800138000")
    ended = await scene.exchange.wait("ended")
    rows = await scene.box.calls_ended(1)
    left, right = stereo(scene.recording(one(rows, "SA_RECORD")["file"]))
    assert abs(len(left) - len(right)) <= RATE // 50
    assert len(left) / RATE == pytest.approx(ended["seconds"], abs=0.5)
    assert tone_share(middle(left, RATE, 3), RATE, CALLER_HZ) >= 0.8
    assert tone_share(right[int(0.5 * RATE) : int(1.5 * RATE)], RATE, SEATS["1002"]) >= 0.8
    assert tone_share(right[-RATE:], RATE, SEATS["1001"]) >= 0.8
