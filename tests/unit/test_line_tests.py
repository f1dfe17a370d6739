"""Tests of telephone lines on simulated ones: what is found, who is refused, what a killed agent leaves behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance_agent.asterisk.dahdi import DahdiChannel
from appliance_agent.asterisk.models import Channel, ChannelChanged, ChannelState
from appliance_agent.config.lines import AnalogSet
from appliance_agent.config.model import Extension, ExtensionKind
from appliance_agent.kernel.bus import Subscription
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import AsteriskUp, LineTestChanged
from appliance_agent.system.lines.channels import Channels
from appliance_agent.system.linetests.kinds import Kind
from appliance_agent.system.linetests.record import KEPT_OF_A_LINE, KeptTests, LineTest, State
from appliance_agent.system.linetests.service import Asked
from hal.sim import line
from hal.sim.box import SimBox
from tests.unit.lines_kit import DESIRED, LIMIT_S, Site, apply, site

SET = Extension(number="1021", name="前台", kind=ExtensionKind.ANALOG, analog=AnalogSet(line="fxs-1"))
WITH_SET = DESIRED.model_copy(update={"extensions": (SET,)})


@pytest.fixture(autouse=True)
def short_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "SECOND_S", 0.05)


@pytest.fixture
async def lines(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path, "e1:4 ports:ooss") as made:
        await made.line("e1-1", "in_service")
        await made.line("fxo-1", "in_service")
        yield made


def first(lines: Site, name: str) -> int:
    found = lines.cards.found.line(name) if lines.cards.found else None
    assert found is not None and found.channel is not None
    return found.channel


async def ended(told: Subscription, id_: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The test once it has ended, and its progress."""
    progress = []
    async with asyncio.timeout(LIMIT_S):
        while True:
            test: dict[str, Any] = (await told.get()).test
            if test["id"] == id_ and test["progress"] is not None:
                progress.append(test["progress"])
            if test["id"] == id_ and test["ended_at"] is not None:
                return test, progress


async def run(lines: Site, name: str, asked: Asked) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    with lines.bus.subscribe(LineTestChanged, limit=1000) as told:
        begun = await lines.tests.begin(name, asked, "lily")
        assert (begun["state"], begun["ended_at"], begun["by"]) == ("running", None, "lily")
        return await ended(told, begun["id"])


def figure(test: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in test["figures"] if one["name"] == name)
    return found


@pytest.mark.parametrize(
    ("name", "made", "asked", "figure_name", "value", "verdict"),
    [
        ("fxo-1", "", Asked(Kind.NOISE, seconds=1), "noise", -72.0, "good"),
        ("fxo-1", "noise_dbm0p=-55", Asked(Kind.NOISE, seconds=1), "noise", -55.0, "borderline"),
        ("fxo-1", "noise_dbm0p=-40", Asked(Kind.NOISE, seconds=1), "noise", -40.0, "bad"),
        ("fxo-1", "loop_db=12", Asked(Kind.TONE, seconds=1, level_dbm0=-15), "loss", 12.0, "good"),
        ("fxo-1", "", Asked(Kind.TONE, seconds=1), "loss", None, "bad"),
        ("fxo-1", "tone_hz=1004 tone_dbm0=-22", Asked(Kind.LEVEL, seconds=1), "loss", 12.0, "borderline"),
        ("fxo-1", "echo_db=9 delay_ms=14", Asked(Kind.ECHO, seconds=1), "return_loss", 9.0, "bad"),
        ("e1-1", "loop_db=0", Asked(Kind.BITS, 5, 1, number="105"), "error_rate", 0.0, "good"),
        ("e1-1", "loop_db=0 bit_errors=0.0005", Asked(Kind.BITS, 5, 2, number="105"), "error_rate", 5e-4, "borderline"),
        ("e1-1", "", Asked(Kind.BITS, 5, 1, number="105"), "error_rate", None, "bad"),
    ],
)
async def test_what_a_line_shows(
    lines: Site, *, name: str, made: str, asked: Asked, figure_name: str, value: float | None, verdict: str
) -> None:
    lines.happens(f"line {first(lines, name) + asked.timeslot - 1} {made}")
    test, progress = await run(lines, name, asked)
    assert (test["state"], test["verdict"]) == ("done", verdict), test
    assert figure(test, figure_name)["value"] == value
    assert [one["second"] for one in progress] == list(range(1, int(asked.seconds or 0) + 1))
    assert await lines.tests.of(name) == [test]


async def test_gains_are_not_the_line_s(lines: Site) -> None:
    loud = DESIRED.fxo_ports[0].audio.model_copy(update={"rx_gain_db": 4.0, "tx_gain_db": -2.0})
    port = DESIRED.fxo_ports[0].model_copy(update={"audio": loud})
    apply(lines, DESIRED.model_copy(update={"fxo_ports": (port,)}))
    async with asyncio.timeout(LIMIT_S):
        while (wanted := lines.watch.seen["fxo-1"].facts.wanted) is None or not wanted.rx_gain_db:
            await lines.watch.look()
    lines.happens(f"line {first(lines, 'fxo-1')} loop_db=10")
    test, _ = await run(lines, "fxo-1", Asked(Kind.TONE, seconds=1, level_dbm0=-10))
    # Asked to send -10: the line gets -12, and what is heard at -20 was -24 on it.
    assert (figure(test, "loss")["value"], figure(test, "level")["value"]) == (12.0, -24.0)


async def test_nobody_called(lines: Site) -> None:
    test, _ = await run(lines, "fxo-1", Asked(Kind.CALLER_ID, seconds=1))
    assert (test["verdict"], test["caller"], test["reason"]["key"]) == ("bad", None, "no_caller")


@pytest.mark.parametrize(
    ("name", "asked", "key"),
    [
        ("nowhere", Asked(Kind.NOISE), "lines.unknown"),
        ("e1-3", Asked(Kind.NOISE, number="1"), "lines.test_not_configured"),
        ("fxo-1", Asked(Kind.BITS), "lines.test_analog"),
        ("e1-1", Asked(Kind.BUSY_TONE, number="1"), "lines.test_not_fxo"),
        ("e1-1", Asked(Kind.NOISE), "lines.test_number"),
        ("e1-1", Asked(Kind.NOISE, 16, number="1"), "lines.timeslot"),
        ("fxo-1", Asked(Kind.NOISE, 2), "lines.timeslot"),
        ("fxo-1", Asked(Kind.NOISE, seconds=61), "lines.test_order"),
        ("fxo-1", Asked(Kind.TONE, level_dbm0=3), "lines.test_order"),
    ],
)
async def test_what_is_refused(lines: Site, name: str, asked: Asked, key: str) -> None:
    with pytest.raises(Fault) as refused:
        await lines.tests.begin(name, asked, "lily")
    assert refused.value.key == key
    assert name == "nowhere" or await lines.tests.of(name) == []


async def test_a_line_that_people_blocked_is_not_called_on(lines: Site) -> None:
    await lines.blocks.block("fxo-1", [], "lily")
    await lines.watch.look()
    with pytest.raises(Fault, match="taken out of service"):
        await lines.tests.begin("fxo-1", Asked(Kind.NOISE), "lily")


async def test_one_at_a_time_and_a_person_ends_it(lines: Site) -> None:
    with lines.bus.subscribe(LineTestChanged, limit=1000) as told:
        begun = await lines.tests.begin("fxo-1", Asked(Kind.NOISE, seconds=60), "lily")
        with pytest.raises(Fault, match="a test of fxo-1 runs"):
            await lines.tests.begin("e1-1", Asked(Kind.NOISE, number="1"), "lily")
        while (await told.get()).test["progress"] is None:
            pass
        await lines.line("fxo-1", "testing")
        await lines.tests.stop(begun["id"])
        await lines.line("fxo-1", "in_service")
        test, _ = await ended(told, begun["id"])
    assert (test["state"], test["verdict"], test["order"]["seconds"]) == ("stopped", "good", 60)
    assert (await lines.tests.stop(begun["id"]))["state"] == "stopped"
    with pytest.raises(Fault, match="no test"):
        await lines.tests.stop("nothing")


async def test_a_pulled_card_fails_the_test_and_the_next_one_goes(lines: Site) -> None:
    with lines.bus.subscribe(LineTestChanged, limit=1000) as told:
        lines.happens("pull pci:0000:05:00.0")
        begun = await lines.tests.begin("e1-1", Asked(Kind.NOISE, seconds=1, number="1"), "lily")
        test, _ = await ended(told, begun["id"])
    assert (test["state"], test["reason"]["key"]) == ("failed", "hardware")
    test, _ = await run(lines, "fxo-1", Asked(Kind.NOISE, seconds=1))
    assert test["state"] == "done"


async def test_the_oldest_go(lines: Site) -> None:
    kept = KeptTests(lines.database)
    for number in range(KEPT_OF_A_LINE + 3):
        at_us = 1_000 + number
        await kept.put(LineTest(f"t{number}", "fxo-2", 1, Kind.NOISE, "lily", at_us, at_us, State.DONE, {}))
    await kept.put(LineTest("other", "fxo-1", 1, Kind.NOISE, "lily", 1, 1, State.DONE, {}))
    tests = await kept.of("fxo-2")
    assert (len(tests), tests[0].id, tests[-1].id) == (KEPT_OF_A_LINE, "t102", "t3")
    assert len(await kept.of("fxo-1")) == 1


class Served(Channels):
    """What Asterisk says of its channels, without Asterisk."""

    async def _read(self) -> dict[int, DahdiChannel]:
        return dict(self.now)


@pytest.fixture
async def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    async with site_of_sets(tmp_path, monkeypatch) as made:
        yield made


@asynccontextmanager
async def site_of_sets(root: Path, monkeypatch: pytest.MonkeyPatch, box: SimBox | None = None) -> AsyncIterator[Site]:
    """With a set at fxs-1, and an Asterisk that is told."""
    monkeypatch.setattr(Channels, "_read", Served._read)
    async with site(root, "ports:ooss", box=box, real=True) as made:
        apply(made, WITH_SET)
        await made.line("fxs-1", "in_service")
        channel = first(made, "fxs-1")
        made.channels.now = {channel: DahdiChannel(channel, "", False)}
        yield made


async def test_a_set_is_not_rung_during_its_test(sets: Site) -> None:
    channel = first(sets, "fxs-1")
    test, _ = await run(sets, "fxs-1", Asked(Kind.NOISE, seconds=1))
    assert (test["state"], test["verdict"]) == ("done", "good")
    assert sets.asterisk.said == [f"dahdi set dnd {channel} on", f"dahdi set dnd {channel} off"]


async def test_a_set_in_a_call_is_left_alone(sets: Site) -> None:
    channel = first(sets, "fxs-1")
    sets.channels.now = {channel: DahdiChannel(channel, "1.5", False)}
    test, progress = await run(sets, "fxs-1", Asked(Kind.TONE, seconds=5))
    assert (test["state"], test["reason"]["key"], progress) == ("failed", "in_call", [])
    assert sets.asterisk.said[-1] == f"dahdi set dnd {channel} off"


async def test_who_lifts_the_set_has_the_port(sets: Site) -> None:
    channel = first(sets, "fxs-1")
    lifted = Channel("1.6", "1.6", f"DAHDI/{channel}-1", ChannelState.RING, "", "", "", "analog", "s")
    with sets.bus.subscribe(LineTestChanged, limit=1000) as told:
        begun = await sets.tests.begin("fxs-1", Asked(Kind.TONE, seconds=60), "lily")
        while (await told.get()).test["progress"] is None:
            pass
        sets.bus.publish(ChannelChanged(lifted))
        test, _ = await ended(told, begun["id"])
    assert (test["state"], test["reason"]["key"]) == ("failed", "test_lost")
    assert "lifted" in test["reason"]["message"]


async def test_what_people_blocked_stays_blocked(sets: Site) -> None:
    channel = first(sets, "fxs-1")
    sets.channels.now = {channel: DahdiChannel(channel, "", True)}
    await sets.blocks.block("fxs-1", [], "lily")
    await run(sets, "fxs-1", Asked(Kind.NOISE, seconds=1))
    assert f"dahdi set dnd {channel} off" not in sets.asterisk.said


async def test_a_test_begun_while_the_agent_starts_is_nobody_s_leftover(sets: Site) -> None:
    with sets.bus.subscribe(LineTestChanged, limit=1000) as told:
        begun = await sets.tests.begin("fxs-1", Asked(Kind.TONE, seconds=60), "lily")
        while (await told.get()).test["progress"] is None:
            pass
        await sets.tests._end_leftovers()
        assert [test["state"] for test in await sets.tests.of("fxs-1")] == ["running"]
        await sets.tests.stop(begun["id"])
        test, _ = await ended(told, begun["id"])
    assert (test["state"], test["reason"], sets.tests._leftovers) == ("stopped", None, [])


async def test_a_killed_agent_s_port_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row has no end; the next agent ends it, and says so to Asterisk when that is there."""
    async with site_of_sets(tmp_path, monkeypatch) as killed:
        box, channel = killed.box, first(killed, "fxs-1")
        left = LineTest("left", "fxs-1", 1, Kind.NOISE, "lily", 1, detail={"order": {}})
        await KeptTests(killed.database).put(left)
    ended_calls: list[str] = []

    async def hang_up(id_: str = "") -> int:
        ended_calls.append(id_)
        return 1

    async with site_of_sets(tmp_path, monkeypatch, box) as again:
        monkeypatch.setattr(again.tests._ports._calls, "hang_up", hang_up)
        again.bus.publish(AsteriskUp(restarted=False, startup_time="now"))
        async with asyncio.timeout(LIMIT_S):
            while f"dahdi set dnd {channel} off" not in again.asterisk.said:
                await again.watch.look()
        (test,) = await again.tests.of("fxs-1")
        assert (test["state"], test["reason"]["key"]) == ("failed", "restarted")
        assert ended_calls and set(ended_calls) == {""}
