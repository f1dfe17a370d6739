"""The apply job against the simulated Asterisk; tests/box does it with the real one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from appliance_agent.config.model import Desired, Extension, Network
from appliance_agent.kernel.errors import Fault
from appliance_agent.render.apply_job import FORWARD, Job, JobState, Step, Timing
from tests.unit.sim_asterisk import SimAsterisk
from tests.unit.worlds import World, prepare, world


@pytest_asyncio.fixture
async def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr("appliance_agent.render.apply_read_back.READ_BACK_LIMIT_S", 0.3)
    paths = await prepare(tmp_path)
    async with world(paths, SimAsterisk(paths)) as made:
        yield made


async def running(box: World) -> Desired:
    found = await box.store.running()
    assert found is not None
    return found[1]


async def nobody(_job: Job) -> None:
    return None


async def with_extension(box: World, number: str = "1099") -> Desired:
    document = await running(box)
    return document.model_copy(update={"extensions": (*document.extensions, Extension(number=number, name="新"))})


async def with_port(box: World) -> Desired:
    return (await running(box)).model_copy(update={"network": Network(sip_port=5070)})


class Killed(BaseException):
    """The agent's process is gone at this point."""


def killer(step: Step, *, states: set[JobState] | None = None):  # type: ignore[no-untyped-def]
    async def on_change(job: Job) -> None:
        if job.step is step and (states is None or job.state in states):
            raise Killed

    return on_change


async def test_a_change_runs_and_only_what_changed_is_reloaded(box: World) -> None:
    document = await with_extension(box)
    job = await box.new_job(document)
    await box.applier(nobody).run(job, document)
    assert (job.state, job.error) == (JobState.DONE, None)
    assert [record.name for record in job.steps] == [step.value for step in FORWARD]
    assert {record.state for record in job.steps} == {"done"}
    assert [command for command in box.asterisk.commands if "reload" in command] == [
        "module reload res_pjsip.so", "dialplan reload",
    ]  # fmt: skip
    assert "1099" in await box.asterisk.endpoints()
    await box.assert_agreement(2)


@pytest.mark.parametrize("step", FORWARD)
async def test_killed_after_each_saved_step_the_next_agent_finishes(box: World, step: Step) -> None:
    document = await with_extension(box)
    job = await box.new_job(document)
    with pytest.raises(Killed):
        await box.applier(killer(step)).run(job, document)
    async with world(box.paths, box.asterisk) as next_life:
        left = await next_life.store.active_job()
        assert (left is None) == (step is Step.DONE)
        if left is not None:
            assert left.step is step
            await next_life.applier(nobody).run(left, document)
            assert left.state is JobState.DONE
        await next_life.assert_agreement(2)


@pytest.mark.parametrize("step", [Step.RESTORE, Step.READ_BACK])
async def test_killed_while_taking_back_the_next_agent_takes_back(box: World, step: Step) -> None:
    document = await with_extension(box)
    box.asterisk.skips = {"1099"}
    job = await box.new_job(document)
    with pytest.raises(Killed):
        await box.applier(killer(step)).run(job, document)
    async with world(box.paths, box.asterisk) as next_life:
        left = await next_life.store.active_job()
        assert left is not None
        await next_life.applier(nobody).run(left, document)
        assert left.state is JobState.FAILED
        await next_life.assert_agreement(1)


async def test_what_asterisk_skips_is_refused_with_its_path_and_taken_back(box: World) -> None:
    document = await with_extension(box)
    box.asterisk.skips = {"1099"}
    job = await box.new_job(document)
    await box.applier(nobody).run(job, document)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error["key"] == "config.rejected"
    assert job.error["step"] == "read_back"
    assert [field["path"] for field in job.error["fields"]] == ["extensions/1099"]
    await box.assert_agreement(1)


@pytest.mark.parametrize("killed", [None, Step.READ_BACK])
async def test_what_only_the_log_tells_is_refused_too(box: World, killed: Step | None) -> None:
    document = await running(box)
    menu = document.menus[0].model_copy(update={"wait_s": 7, "version": 2})
    document = document.model_copy(update={"menus": (menu,)})
    box.asterisk.dislikes = {"WaitExten(7)"}
    job = await box.new_job(document)
    if killed is not None:
        with pytest.raises(Killed):
            await box.applier(killer(killed)).run(job, document)
    async with world(box.paths, box.asterisk) as next_life:
        left = await next_life.store.active_job()
        assert left is not None
        await next_life.applier(nobody).run(left, document)
        assert left.state is JobState.FAILED
        assert left.error is not None
        assert [field["path"] for field in left.error["fields"]] == ["menus/main"]
        await next_life.assert_agreement(1)


@pytest.mark.parametrize("step", FORWARD[:-1])
async def test_asterisk_killed_in_each_step_and_back(box: World, step: Step) -> None:
    document = await with_extension(box)
    job = await box.new_job(document)
    loop = asyncio.get_running_loop()

    async def on_change(job: Job) -> None:
        if job.step is step:
            box.asterisk.kill()
            loop.call_later(0.2, box.asterisk.boot)
            loop.call_later(0.4, box.asterisk.booted)

    await box.applier(on_change).run(job, document)
    assert job.state is JobState.DONE, job.error
    await box.assert_agreement(2)


async def test_asterisk_that_stays_away_costs_the_change_not_the_agreement(
    box: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance_agent.render.apply.ASTERISK_BACK_S", 0.3)
    document = await with_extension(box)
    job = await box.new_job(document)

    async def on_change(job: Job) -> None:
        if job.step is Step.RELOAD:
            box.asterisk.kill()

    await box.applier(on_change).run(job, document)
    assert job.state is JobState.FAILED
    box.asterisk.start()
    await box.assert_agreement(1)


async def test_verify_mends_an_asterisk_that_missed_the_way_back(box: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line to Asterisk is lost, Asterisk itself is not: it still has the version that was taken back."""
    monkeypatch.setattr("appliance_agent.render.apply.ASTERISK_BACK_S", 0.3)
    document = await with_extension(box)
    job = await box.new_job(document)

    async def on_change(job: Job) -> None:
        if job.step is Step.READ_BACK:
            box.asterisk.kill()

    await box.applier(on_change).run(job, document)
    assert job.state is JobState.FAILED
    box.asterisk._up = True
    assert "1099" in await box.asterisk.endpoints()
    await box.applier(nobody).verify(1, await running(box))
    await box.assert_agreement(1)


async def test_a_faulty_document_is_refused_before_anything_changes(box: World) -> None:
    document = await running(box)
    document = document.model_copy(update={"queues": document.queues[:1]})
    job = await box.new_job(document)
    await box.applier(nobody).run(job, document)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert [field["path"] for field in job.error["fields"]] == ["menus/main/options/2/target"]
    assert not box.versions.staged(2)
    assert box.asterisk.commands == []
    await box.assert_agreement(1)


async def test_a_disk_that_refuses_changes_nothing(box: World) -> None:
    document = await with_extension(box)
    job = await box.new_job(document)
    (box.paths.asterisk_versions / "2.part").write_text("a file where the folder should be")
    await box.applier(nobody).run(job, document)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error["key"] == "config.disk"
    await box.assert_agreement(1)


async def test_ports_restart_asterisk_at_once_when_told_now(box: World) -> None:
    document = await with_port(box)
    box.asterisk.calls = 3
    job = await box.new_job(document, Timing.NOW)
    await box.applier(nobody).run(job, document)
    assert (job.state, box.asterisk.restarts) == (JobState.DONE, 1)
    await box.assert_agreement(2)


async def test_ports_wait_for_the_last_call_when_told_idle(box: World) -> None:
    document = await with_port(box)
    box.asterisk.calls = 1
    waiting = asyncio.Event()

    async def on_change(job: Job) -> None:
        if job.state is JobState.WAITING:
            waiting.set()

    job = await box.new_job(document, Timing.IDLE)
    task = asyncio.create_task(box.applier(on_change).run(job, document))
    async with asyncio.timeout(20):
        await waiting.wait()
        assert (box.asterisk.restarts, box.versions.current()) == (0, 1)
        box.asterisk.calls = 0
        await task
    assert (job.state, box.asterisk.restarts) == (JobState.DONE, 1)
    await box.assert_agreement(2)


async def test_killed_while_waiting_it_waits_again(box: World) -> None:
    document = await with_port(box)
    box.asterisk.calls = 1
    job = await box.new_job(document, Timing.IDLE)
    with pytest.raises(Killed):
        await box.applier(killer(Step.STAGE, states={JobState.WAITING})).run(job, document)
    async with world(box.paths, box.asterisk) as next_life:
        left = await next_life.store.active_job()
        assert left is not None
        assert left.state is JobState.WAITING
        with pytest.raises(Killed):
            await next_life.applier(killer(Step.STAGE, states={JobState.WAITING})).run(left, document)
    assert (box.asterisk.restarts, box.versions.current()) == (0, 1)


async def test_a_cancelled_wait_changes_nothing(box: World) -> None:
    document = await with_port(box)
    box.asterisk.calls = 1
    job = await box.new_job(document, Timing.IDLE)

    async def cancel(job: Job) -> None:
        if job.state is JobState.WAITING:
            applier.cancel_wait()

    applier = box.applier(cancel)
    async with asyncio.timeout(20):
        await applier.run(job, document)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error["key"] == "config.cancelled"
    assert box.asterisk.restarts == 0
    await box.assert_agreement(1)


async def test_one_job_at_a_time(box: World) -> None:
    document = await with_extension(box)
    await box.new_job(document)
    with pytest.raises(Fault) as caught:
        await box.new_job(document)
    assert caught.value.key == "config.apply_active"


async def test_a_bug_in_the_renderer_fails_the_job_and_is_not_repeated_for_ever(
    box: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> dict[str, str]:
        raise RuntimeError("a bug")

    monkeypatch.setattr("appliance_agent.render.apply.render", broken)
    document = await with_extension(box)
    job = await box.new_job(document)
    await box.applier(nobody).run(job, document)
    assert job.state is JobState.FAILED
    await box.assert_agreement(1)


async def test_ten_versions_stay_on_the_disk(box: World) -> None:
    for number in range(1100, 1113):
        document = await with_extension(box, str(number))
        job = await box.new_job(document)
        await box.applier(nobody).run(job, document)
        assert job.state is JobState.DONE
    kept = sorted(int(entry.name) for entry in box.paths.asterisk_versions.iterdir())
    assert kept == list(range(5, 15))
    await box.assert_agreement(14)
