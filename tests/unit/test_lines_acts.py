"""What people do to lines: block, unblock, trace; what Asterisk is told, and told again after its start."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance_agent.asterisk.dahdi import DahdiChannel, pri_circuits, ss7_circuits
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import AsteriskUp
from appliance_agent.system.lines import blocks as blocks_module
from appliance_agent.system.lines import console
from appliance_agent.system.lines.wanted import Wanted
from appliance_agent.system.lines.watch import LineWatch
from hal.sim.box import SimBox
from hal.sim.words import cards, position
from tests.unit.lines_kit import LIMIT_S, Site, site

SS7_OPEN = """link      Chan Lcl Rem Call       SS7  Channel
set  Chan Idle Blk Blk Level      Call Name
   1   36 Yes  No  No  Idle       No
"""
SS7_BLOCKED = SS7_OPEN.replace("Yes  No  No ", "No   Yes No ")
PRI = """PRI       B    Chan Call       PRI  Channel
Span Chan Chan Idle Level      Call Name
   2   32 Yes  Yes  Idle       No   \x20
   2   34 Yes  No   Connect    Yes  DAHDI/i2/8002-1
   2   99 No   No   Connect    Yes  DAHDI/i2/8002-2
"""


def test_tables_of_the_console() -> None:
    """As Asterisk 22 prints them on the emulated board."""
    free, busy = pri_circuits(PRI)
    assert (free.channel, free.idle, free.call, free.owner) == (32, True, False, "")
    assert (busy.channel, busy.idle, busy.call, busy.owner) == (34, False, True, "DAHDI/i2/8002-1")
    assert [one.blocked_by_us for one in ss7_circuits(SS7_OPEN + SS7_BLOCKED)] == [False, True]
    assert pri_circuits("") == ss7_circuits("No SS7 linkset") == []


def test_words_for_each_signalling() -> None:
    ss7 = Wanted("x", "ss7", linkset=1, destination=2, first_cic=33, data_link=16)
    assert console.block(ss7, 36, 5) == "ss7 block cic 1 2 37"
    assert console.unblock(ss7, 36, 5) == "ss7 unblock cic 1 2 37"
    assert console.repairs(ss7, 5) == ["ss7 reset cic 1 2 37"]
    r2 = Wanted("x", "r2", data_link=16)
    assert (console.block(r2, 95, 2), console.unblock(r2, 95, 2)) == ("mfcr2 set blocked 95", "mfcr2 set idle 95")
    assert console.repairs(r2, 2) == []
    assert len(console.trace(r2, 3, range(63, 94), on=True)) == 30
    fxo = Wanted("x", "fxo")
    assert (console.block(fxo, 192, 1), console.unblock(fxo, 192, 1)) == (
        "dahdi set dnd 192 on",
        "dahdi set dnd 192 off",
    )
    pri = Wanted("x", "pri", data_link=16)
    assert console.trace(pri, 2, range(32, 63), on=False) == ["pri set debug off span 2"]


@pytest.fixture
async def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(blocks_module, "SETTLE_S", 0.0)
    monkeypatch.setattr(blocks_module, "LOOK_S", 0.01)
    monkeypatch.setattr(blocks_module, "READ_BACK_S", 0.1)
    async with site(tmp_path, real=True) as made:
        await made.line("e1-2", "in_service")
        await made.line("fxo-1", "in_service")
        yield made


def first(lines: Site, name: str) -> int:
    found = lines.cards.found.line(name) if lines.cards.found else None
    assert found is not None
    assert found.channel is not None
    return found.channel


async def test_a_circuit_is_blocked_and_given_back(lines: Site) -> None:
    lines.asterisk.answers["ss7 show channels"] = SS7_BLOCKED
    assert first(lines, "e1-2") == 32
    await lines.blocks.block("e1-2", [5], "lily")
    assert "ss7 block cic 1 2 37" in lines.asterisk.said
    told = await lines.until(lambda one: one.id == "e1-2" and bool(one.object and one.object["blocked"] == [5]))
    assert told.object is not None
    assert told.object["state"] == "in_service", "the other circuits are"
    lines.asterisk.answers["ss7 show channels"] = SS7_OPEN
    await lines.blocks.unblock("e1-2", [])
    assert lines.asterisk.said[-2:] == ["ss7 unblock cic 1 2 37", "ss7 show channels"]
    assert lines.blocks.now["e1-2"] == frozenset()


async def test_what_asterisk_did_not_do_is_not_shown_as_done(lines: Site) -> None:
    lines.asterisk.answers |= {"ss7 show channels": SS7_OPEN, "ss7 block cic 1 2 37": "Unable to allocate new ss7call"}
    with pytest.raises(Fault, match="Unable to allocate"):
        await lines.blocks.block("e1-2", [5], "lily")
    assert not lines.blocks.now.get("e1-2")


@pytest.mark.parametrize(
    ("name", "timeslots", "key"),
    [
        ("e1-1", [1], "lines.not_blockable"),
        ("e1-2", [16], "lines.timeslot"),
        ("e1-3", [], "lines.not_configured"),
        ("fxo-1", [2], "lines.timeslot"),
        ("fxo-9", [], "lines.missing"),
    ],
)
async def test_what_cannot_be_blocked(lines: Site, name: str, timeslots: list[int], key: str) -> None:
    with pytest.raises(Fault) as refused:
        await lines.blocks.block(name, timeslots, "lily")
    assert refused.value.key == key
    assert lines.asterisk.said == []


async def test_asterisk_is_told_again_after_its_start_and_by_the_next_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks_module, "SETTLE_S", 0.0)
    box = SimBox()
    for place, blueprint in enumerate(cards("e1:4")):
        box.plug(blueprint, position(place))
    blocked = "ss7 block cic 1 2 37"
    async with site(tmp_path, box=box, real=True) as lines:
        lines.asterisk.answers["ss7 show channels"] = SS7_BLOCKED
        await lines.line("e1-2", "in_service")
        await lines.blocks.block("e1-2", [5], "lily")
    async with site(tmp_path, box=box, real=True) as lines:
        lines.asterisk.answers["ss7 show channels"] = SS7_BLOCKED
        await lines.until(lambda one: one.id == "e1-2" and bool(one.object and one.object["blocked"] == [5]))
        for count in (1, 2):
            async with asyncio.timeout(LIMIT_S):
                while lines.asterisk.said.count(blocked) < count:
                    await lines.watch.look()
            lines.bus.publish(AsteriskUp(restarted=True, startup_time="now"))


async def test_a_busy_r2_timeslot_is_not_blocked(lines: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = first(lines, "fxo-1")
    monkeypatch.setattr(console, "NEEDS_IDLE", frozenset({"fxo"}))
    lines.channels.now = {channel: DahdiChannel(channel, "1.5", False)}
    with pytest.raises(Fault, match="in a call"):
        await lines.blocks.block("fxo-1", [], "lily")


async def test_simulated_lines_are_blocked_without_asterisk(tmp_path: Path) -> None:
    async with site(tmp_path) as lines:
        await lines.line("fxo-1", "in_service")
        await lines.blocks.block("fxo-1", [], "lily")
        await lines.line("fxo-1", "blocked")
        assert lines.asterisk.said == []
        with pytest.raises(Fault, match="simulated"):
            await lines.traces.begin("e1-1", 5, "lily")


async def test_before_the_first_look_a_line_is_not_unknown(lines: Site) -> None:
    watch = LineWatch(
        box=lines.box, cards=lines.cards, channels=lines.channels, history=lines.history, config=lines.config,
        alarms=lines.alarms, bus=lines.bus, clock=lines.clock, blocked=dict, stuck=dict, testing=dict,
    )  # fmt: skip
    with pytest.raises(Fault) as early:
        watch.one("fxo-1")
    assert early.value.kind is FaultKind.UNAVAILABLE
    await watch.look()
    assert watch.one("fxo-1").facts.name == "fxo-1"
    with pytest.raises(Fault) as unknown:
        watch.one("fxo-99")
    assert unknown.value.kind is FaultKind.NOT_FOUND


async def test_a_trace_is_written_down_and_ends(lines: Site, tmp_path: Path) -> None:
    log = tmp_path / "asterisk.log"
    log.write_text("of the trace before\n")
    trace = await lines.traces.begin("e1-1", 600, "lily")
    with pytest.raises(Fault, match="another trace"):
        await lines.traces.begin("e1-2", 5, "lily")
    async with asyncio.timeout(LIMIT_S):
        while "pri set debug intense span 1" not in lines.asterisk.said:
            await lines.watch.look()
    assert lines.asterisk.said[0] == f"logger add channel {log} verbose"
    with log.open("a") as file:
        file.write("PRI Span: 1 < SETUP\n")
    await lines.traces.stop(trace.id)
    async with asyncio.timeout(LIMIT_S):
        while (ended := await lines.traces.one(trace.id)).ended_us is None:
            await lines.watch.look()
    assert (ended.end, ended.size_bytes) == ("stopped", 20)
    assert lines.traces.path(ended).read_text() == "PRI Span: 1 < SETUP\n"
    assert lines.asterisk.said[-2:] == ["pri set debug off span 1", f"logger remove channel {log}"]
    assert [one.id for one in await lines.traces.of("e1-1")] == [trace.id]


@pytest.mark.parametrize(("name", "key"), [("fxo-1", "lines.no_signalling"), ("e1-3", "lines.no_signalling")])
async def test_what_cannot_be_traced(lines: Site, name: str, key: str) -> None:
    with pytest.raises(Fault) as refused:
        await lines.traces.begin(name, 5, "lily")
    assert refused.value.key == key


async def test_a_block_while_the_agent_starts_is_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, go_on = asyncio.Event(), asyncio.Event()

    async with site(tmp_path) as made:
        read = made.database.read

        @contextlib.asynccontextmanager
        async def slow() -> AsyncIterator[AsyncConnection]:
            async with read() as connection:
                yield connection
            seen.set()
            await go_on.wait()

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(made.database, "read", slow)
            starting = asyncio.create_task(made.blocks.run())
            await asyncio.wait_for(seen.wait(), LIMIT_S)
        blocking = asyncio.create_task(made.blocks.block("fxo-1", [], "lily"))
        try:
            await asyncio.wait([blocking], timeout=0.2)  # it has had its chance to be overwritten
            go_on.set()
            await asyncio.wait_for(blocking, LIMIT_S)
            loaded = made.blocks.now
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
    assert loaded == {"fxo-1": frozenset({1})}
