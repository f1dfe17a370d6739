"""Changes of telephone lines, by the real apply against the simulated Asterisk and simulated cards: what is told to
which line, and that no other hears of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from appliance_agent.config.lines import (
    R2,
    AnalogSet,
    CallerIdKind,
    E1Span,
    EchoCanceller,
    FxoPort,
    LineAudio,
    LineTrunk,
    LinkSet,
    Pri,
    Ss7,
)
from appliance_agent.config.model import Desired, Did, Extension, ExtensionKind, HangupTarget
from appliance_agent.render.apply_job import Job, JobState, Step, Timing
from appliance_agent.render.apply_lines import plan_lines
from appliance_agent.render.line_facts import read_report
from hal.errors import Refused
from hal.protocols.voice import ChannelConfig, Signalling
from hal.setup.__main__ import set_up
from hal.sim import cards
from hal.sim.box import SimBox
from hal.sim.voice import SimPort
from tests.unit.sim_asterisk import SimAsterisk
from tests.unit.worlds import World, prepare, world

MG2 = LineAudio(echo=EchoCanceller.MG2)
QUIET = LineAudio(echo=EchoCanceller.OFF)


@pytest_asyncio.fixture
async def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Four E1 and four analog ports, brought up; no line is configured yet."""
    monkeypatch.setattr("appliance_agent.render.apply_read_back.READ_BACK_LIMIT_S", 0.3)
    paths = await prepare(tmp_path)
    sim = SimBox()
    sim.plug(cards.e1("TE420", 4), "pci:0000:05:04.0", assign=False)
    sim.plug(cards.analog("oos-"), "pci:0000:05:06.0", assign=False)
    paths.line_report.parent.mkdir(parents=True)
    await set_up(sim, paths.identity, tmp_path / "no plan", paths.line_names, paths.line_report)
    async with world(paths, SimAsterisk(paths), sim) as made:
        yield made


PORTS = (
    FxoPort(line="fxo-1", name="一", number="88886666", audio=MG2),
    FxoPort(line="fxo-2", name="二", number="88886667", audio=MG2),
)
SPANS = (
    E1Span(line="e1-1", name="PRI", signalling=Pri()),
    E1Span(line="e1-2", name="R2", signalling=R2(), clock=2),
)
SET = Extension(number="2001", name="前台", kind=ExtensionKind.ANALOG, analog=AnalogSet(line="fxs-1", audio=MG2))


async def running(box: World) -> Desired:
    found = await box.store.running()
    assert found is not None
    return found[1]


async def with_lines(box: World, **update: Any) -> Desired:
    document = await running(box)
    others = tuple(item for item in document.extensions if item.number != SET.number)
    wanted = {"fxo_ports": PORTS, "e1_spans": SPANS, "extensions": (*others, SET)} | update
    return document.model_copy(update=wanted)


async def apply(box: World, document: Desired, timing: Timing = Timing.NOW) -> Job:
    async def nobody(_job: Job) -> None:
        return None

    job = await box.new_job(document, timing)
    await box.applier(nobody).run(job, document)
    return job


def told(job: Job, step: str = "reload") -> list[str]:
    return [text for record in job.steps if record.name == step for text in record.log]


@pytest_asyncio.fixture
async def served(box: World) -> World:
    """Every line of the document is in service."""
    job = await apply(box, await with_lines(box))
    assert (job.state, job.error) == (JobState.DONE, None)
    return box


async def test_the_first_lines_take_a_restart_and_are_configured_before_it(box: World) -> None:
    job = await apply(box, await with_lines(box))
    assert (job.state, job.error) == (JobState.DONE, None)
    assert box.asterisk.restarts == 1
    log = told(job)
    assert log[-1] == "restart" and log[0].startswith("fxo-1: channel 1")
    assert set(box.asterisk.channels) == {129, 130, 131, *range(1, 16), *range(17, 32), *range(33, 48), *range(49, 64)}
    assert box.cards.world.port(16).config.signalling is Signalling.DATA_LINK
    assert box.cards.world.port(131).config.signalling is Signalling.FXO_KEWL
    await box.assert_agreement(2)


CHANGES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "fxo-1": (
        {"fxo_ports": (PORTS[0].model_copy(update={"caller_id": CallerIdKind.DTMF}), PORTS[1])},
        ["dahdi destroy channels 129 129", "fxo-1", "dahdi create channels 129 129"]),
    "its canceller": (
        {"fxo_ports": (PORTS[0].model_copy(update={"audio": QUIET}), PORTS[1])},
        ["dahdi destroy channels 129 129", "fxo-1", "dahdi create channels 129 129"]),
    "e1-1": (
        {"e1_spans": (SPANS[0].model_copy(update={"crc4": True}), SPANS[1])},
        ["pri destroy span 1", "dahdi destroy channels 1 31", "e1-1", "dahdi create channels 1 31"]),
    "e1-2": (
        {"e1_spans": (SPANS[0], SPANS[1].model_copy(update={"signalling": R2(dnis_digits=4)}))},
        ["dahdi destroy channels 33 63", "e1-2", "dahdi create channels 33 63"]),
    "from R2 to PRI": (
        {"e1_spans": (SPANS[0], SPANS[1].model_copy(update={"signalling": Pri()}))},
        ["dahdi destroy channels 33 63", "pri destroy span 2", "e1-2", "dahdi create channels 33 63"]),
    "gone": ({"fxo_ports": PORTS[:1]}, ["dahdi destroy channels 130 130", "dialplan reload"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
async def test_one_changed_line_is_told_and_no_other(served: World, name: str) -> None:
    """With calls up on all others, before, during and after."""
    update, expected = CHANGES[name]
    before = {number: port.configured for number, port in served.cards.world.ports.items()}
    plan = plan_lines(served.versions.read(2), (await _rendered(served, update)))
    (changed,) = plan.changes
    for number in served.asterisk.channels.keys() - changed.channels:
        served.asterisk.channels[number] = f"DAHDI/{number}-1"
    calls = {number: name for number, name in served.asterisk.channels.items() if name}
    job = await apply(served, await with_lines(served, **update))
    assert (job.state, job.error) == (JobState.DONE, None)
    assert served.asterisk.restarts == 1, "the first lines' own"
    log = list(dict.fromkeys(text.partition(":")[0] for text in told(job)))
    assert log == expected
    assert {number: name for number, name in served.asterisk.channels.items() if name} == calls
    after = {number: port.configured for number, port in served.cards.world.ports.items()}
    touched = {number for number in after if after[number] != before.get(number, 0)}
    span = range(min(changed.channels), max(changed.channels) + 1)
    assert touched <= set(span)
    await served.assert_agreement(3)


async def _rendered(box: World, update: dict[str, Any]) -> dict[str, str]:
    """What the version after the change will say of lines."""
    from appliance_agent.render.facts import Facts
    from appliance_agent.render.line_facts import lines_there
    from appliance_agent.render.render import render

    document = await with_lines(box, **update)
    facts = Facts(box.paths, "a", "b", lines=lines_there(read_report(box.paths.line_report), (), ()))
    return render(document, facts)


async def test_a_line_moves_between_trunks_without_its_channel_noticing(served: World) -> None:
    trunks = (LineTrunk(id="city", name="市话", lines=("fxo-1", "e1-1")),)
    number = Did(number="88886666", name="总机", target=HangupTarget())
    document = await with_lines(served, line_trunks=trunks, dids=(number,))
    job = await apply(served, document)
    assert (job.state, told(job)) == (JobState.DONE, ["dialplan reload"])


async def test_calls_on_the_line_are_waited_for_others_are_not(served: World) -> None:
    served.asterisk.channels[129], served.asterisk.channels[1] = "DAHDI/129-1", "DAHDI/i1/10086-1"
    served.asterisk.calls = 2
    waited: list[list[str]] = []

    async def on_change(job: Job) -> None:
        if job.state is JobState.WAITING and not waited:
            waited.append(served.asterisk.commands.copy())
            served.asterisk.channels[129] = ""

    document = await with_lines(served, **CHANGES["fxo-1"][0])
    job = await served.new_job(document, Timing.IDLE)
    await served.applier(on_change).run(job, document)
    assert (job.state, job.error) == (JobState.DONE, None)
    assert waited and not any("destroy" in command for command in waited[0])
    assert served.asterisk.channels[1] == "DAHDI/i1/10086-1"


async def test_now_hangs_up_the_calls_of_the_line_first(served: World) -> None:
    served.asterisk.channels[129] = "DAHDI/129-1"
    job = await apply(served, await with_lines(served, **CHANGES["fxo-1"][0]))
    assert job.state is JobState.DONE
    assert told(job)[:2] == ["hang up DAHDI/129-1", "dahdi destroy channels 129 129"]


async def test_a_line_that_does_not_take_its_configuration_is_taken_back(
    served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure = SimPort.configure

    async def picky(self: SimPort, config: Any, timeslot: int = 1) -> None:
        if config == ChannelConfig(Signalling.FXS_KEWL):
            raise Refused("the card's canceller is broken")
        await configure(self, config, timeslot)

    monkeypatch.setattr("hal.sim.voice.SimPort.configure", picky)
    job = await apply(served, await with_lines(served, **CHANGES["its canceller"][0]))
    assert job.state is JobState.FAILED and job.error is not None
    assert [field["path"] for field in job.error["fields"]] == ["fxo_ports/fxo-1"]
    assert "the card's canceller is broken" in job.error["message"]
    await served.assert_agreement(2)


async def test_a_channel_that_asterisk_does_not_serve_is_refused_with_its_path(served: World) -> None:
    served.asterisk.refuses = {131}
    quiet = SET.model_copy(update={"analog": AnalogSet(line="fxs-1", audio=QUIET)})
    others = tuple(item for item in (await running(served)).extensions if item.number != SET.number)
    document = await with_lines(served, extensions=(*others, quiet))
    job = await apply(served, document)
    assert job.state is JobState.FAILED and job.error is not None
    assert [field["path"] for field in job.error["fields"]] == ["extensions/2001/analog"]


async def test_beside_ss7_a_change_takes_a_restart(served: World) -> None:
    spans = (*SPANS, E1Span(line="e1-3", name="七号", signalling=Ss7(linkset="1", first_cic=1), clock=0))
    linkset = LinkSet(id="1", name="汇接局", own_point_code=2, adjacent_point_code=1)
    first = await apply(served, await with_lines(served, e1_spans=spans, linksets=(linkset,)))
    assert (first.state, first.error) == (JobState.DONE, None)
    changed = {"fxo_ports": CHANGES["fxo-1"][0]["fxo_ports"], "e1_spans": spans, "linksets": (linkset,)}
    job = await apply(served, await with_lines(served, **changed))
    assert (job.state, job.error) == (JobState.DONE, None)
    log = told(job)
    assert log[0] == "module unload chan_dahdi.so" and log[-1] == "restart"
    assert {text.partition(":")[0] for text in log[1:-1]} == {"fxo-1"}
    await served.assert_agreement(4)


@pytest.mark.parametrize("step", [Step.SWAP, Step.RELOAD, Step.READ_BACK])
async def test_killed_in_between_the_next_agent_finishes(served: World, step: Step) -> None:
    class Killed(BaseException):
        pass

    async def on_change(job: Job) -> None:
        if job.step is step:
            raise Killed

    document = await with_lines(served, **CHANGES["from R2 to PRI"][0])
    job = await served.new_job(document)
    with pytest.raises(Killed):
        await served.applier(on_change).run(job, document)
    left = await served.store.active_job()
    assert left is not None

    async def nobody(_job: Job) -> None:
        return None

    await served.applier(nobody).run(left, document)
    assert (left.state, left.error) == (JobState.DONE, None)
    await served.assert_agreement(3)


async def test_a_line_whose_card_is_away_is_left_out_and_the_rest_works(box: World) -> None:
    away = FxoPort(line="fxo-9", name="九", number="88886669")
    job = await apply(box, await with_lines(box, fxo_ports=(*PORTS, away)))
    assert (job.state, job.error) == (JobState.DONE, None)
    files = box.versions.read(2)
    assert "fxo-9" in files["dahdi.d/lines.json"] and "fxo-9" not in files["chan_dahdi.conf"]
    assert "from-fxo-9" not in files["extensions.conf"]
