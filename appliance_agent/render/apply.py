"""The apply job: check → render → stage → swap → reload → read_back → done, or → restore → failed.

Every step is saved before it is begun and can be repeated. After a kill at any place, `Applier.run` goes on from
the saved step: before `swap` it begins anew, from `swap` on it goes forward, in `restore` it goes back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

import structlog

from appliance_agent.config.check import check
from appliance_agent.config.model import Desired
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.render.apply_job import (
    CANCELLED,
    HARMLESS,
    Job,
    JobState,
    JobStore,
    Step,
    StepRecord,
    Timing,
    error_document,
)
from appliance_agent.render.apply_lines import lines_in
from appliance_agent.render.apply_log import AsteriskLog, refusals
from appliance_agent.render.apply_read_back import Names, promised, read_back, rejected
from appliance_agent.render.apply_reloads import EVERYTHING, ReloadPlan, plan_reloads
from appliance_agent.render.apply_stage import RenderedVersions
from appliance_agent.render.apply_take_out import LinesOutAndIn, calls_ended_by
from appliance_agent.render.control import AsteriskControl, LineSetup, Log
from appliance_agent.render.facts import Facts
from appliance_agent.render.render import render

log = structlog.get_logger()

STEP_LIMIT_S = 30.0
"""For one step, waiting for calls to end apart."""
RESTART_LIMIT_S = 20.0
ASTERISK_BACK_S = 30.0
"""An Asterisk that dies during an apply gets this long to come back; then the job takes its change back."""
RETRY_S = 0.2
LOG_SETTLE_S = 0.15
"""Asterisk writes its log by a thread of its own, a few milliseconds later."""
IDLE_LIMIT_S = 24 * 3600.0
IDLE_LOOK_S = 0.5

Watcher = Callable[[Job], Awaitable[None]]


async def _nobody(_job: Job) -> None:
    return None


def _unheard(_command: str) -> None:
    return None


class Applier:
    """Runs one job at a time; the caller sees to that."""

    def __init__(
        self,
        versions: RenderedVersions,
        asterisk_log: AsteriskLog,
        control: AsteriskControl,
        store: JobStore,
        clock: Clock,
        *,
        facts_for: Callable[[Desired], Awaitable[Facts]],
        prompts_on_disk: Callable[[], Collection[str]],
        lines: LineSetup,
        on_change: Watcher = _nobody,
    ) -> None:
        """`on_change` is told after each saved change; `prompts_on_disk` may block and runs in a thread."""
        self._versions, self._log, self._control = versions, asterisk_log, control
        self._store, self._clock = store, clock
        self._facts_for, self._prompts_on_disk, self._on_change = facts_for, prompts_on_disk, on_change
        self._lines = LinesOutAndIn(control, lines, self._versions)
        self._wait_cancelled = asyncio.Event()

    async def run(self, job: Job, document: Desired) -> None:
        """From the saved step to the end; the outcome is in `job` and in the store.

        Raises only when the store does; the job is resumed by a later `run` then.
        """
        self._wait_cancelled.clear()
        if job.step is not Step.RESTORE:
            try:
                await self._forward(job, document)
                return
            except Fault as fault:
                await self._note(job, fault)
            except Exception:
                log.exception("apply met a bug", version=job.version, step=job.step.value)
                await self._note(job, Fault(FaultKind.INTERNAL, "config.bug", "The box made a mistake; see its log"))
            if job.step in HARMLESS:
                await self._end(job, JobState.FAILED, self._store.now_failed)
                return
        await self._restore(job)

    def cancel_wait(self) -> None:
        """Ends the waiting for calls to end: the job fails and nothing changes. No effect in any other moment."""
        self._wait_cancelled.set()

    def lines_reported(self) -> None:
        """To be told of each new report of the lines, before `verify`."""
        self._lines.lines_reported()

    async def verify(self, version: int, document: Desired) -> None:
        """Makes files and Asterisk agree with `version`, the one that the database says runs. Raises Fault.

        For a start of the agent and for a gap in the line to Asterisk: nobody knows then what Asterisk has read. And
        for a card that came back: Asterisk gave its lines up when it went.
        """
        if await asyncio.to_thread(self._versions.current) != version:
            await asyncio.to_thread(self._versions.swap, version)
            await self._reload(EVERYTHING, version, _unheard)
        wanted = await self._promised(version, document)
        lacking = await self._lacking(document, wanted, limit_s=0)
        if lacking - set(wanted.line_channels.values()):
            log.warning("Asterisk had not read what should run", version=version, lacking=sorted(lacking))
            await self._reload(EVERYTHING, version, _unheard)
        if lacking and await self._lacking(document, wanted):
            files = await asyncio.to_thread(self._versions.read, version)
            await self._lines.take_back(files, lines_in(files, (await self._facts_for(document)).lines))
            await read_back(self._control, document, await self._promised(version, document))

    async def _lacking(self, document: Desired, wanted: Names, limit_s: float | None = None) -> set[str]:
        """Fields that Asterisk does not have after `limit_s`. Raises Fault when it does not answer."""
        try:
            await read_back(self._control, document, wanted, limit_s=limit_s)
        except Fault as fault:
            if fault.kind is FaultKind.UNAVAILABLE:
                raise
            return {field.path for field in fault.fields}
        return set()

    # ── forward ────────────────────────────────────────────────────────────────────────────────────
    async def _forward(self, job: Job, document: Desired) -> None:
        """A restart is not repeated by a resumed job that had already seen it done."""
        if job.step in HARMLESS:
            await self._prepare(job, document)
        plan = await self._plan_of(job)
        if job.step is Step.STAGE and plan.ends_calls and job.timing is Timing.IDLE:
            await self._wait_for_silence(job, plan)
        if job.step in (Step.STAGE, Step.SWAP):
            job.log_offset = await asyncio.to_thread(self._log.end)
            await self._enter(job, Step.SWAP)
            await asyncio.to_thread(self._versions.swap, job.version)
        if job.step in (Step.SWAP, Step.RELOAD):
            await self._enter(job, Step.RELOAD)
            await self._bounded(lambda: self._reload(plan, job.version, job.note))
        await self._enter(job, Step.READ_BACK)
        await self._bounded(lambda: self._read_back(job.version, document))
        await self._refusals(job, document)
        self._close_step(job, "done")
        await self._end(job, JobState.DONE, self._store.now_running)
        await asyncio.to_thread(self._tidy, {job.version, job.previous})

    async def _prepare(self, job: Job, document: Desired) -> None:
        job.steps.clear()
        await self._enter(job, Step.CHECK)
        faults = check(document, await asyncio.to_thread(self._prompts_on_disk))
        if faults:
            raise Fault(
                FaultKind.INVALID, "config.invalid", f"{faults[0].path}: {faults[0].message}",
                hint="Correct the named fields, then apply again.", fields=faults,
            )  # fmt: skip
        await self._bounded(self._control.contexts)
        await self._enter(job, Step.RENDER)
        files = render(document, await self._facts_for(document))
        await self._enter(job, Step.STAGE)
        try:
            await asyncio.to_thread(self._versions.stage, job.version, files)
        except OSError as error:
            raise Fault(
                FaultKind.UNAVAILABLE, "config.disk", f"The new version could not be written: {error.strerror}",
                hint="Free some space on the data partition.",
            ) from error  # fmt: skip

    async def _refusals(self, job: Job, document: Desired) -> None:
        """Raises Fault when Asterisk's log complains about the files that it has just read."""
        await asyncio.sleep(LOG_SETTLE_S)
        text = await asyncio.to_thread(self._log.since, job.log_offset)
        files = await asyncio.to_thread(self._versions.read, job.version)
        faults = refusals(text, document, files)
        if faults:
            raise rejected(faults)

    async def _read_back(self, version: int, document: Desired) -> None:
        """A card may be pulled in these seconds: Asterisk gives its lines up, and they are not waited for."""
        wanted = await self._promised(version, document)
        try:
            await read_back(self._control, document, wanted)
        except Fault:
            less = await self._promised(version, document)
            if less == wanted:
                raise
            await read_back(self._control, document, less)

    async def _promised(self, version: int, document: Desired) -> Names:
        """By what is there now."""
        files = await asyncio.to_thread(self._versions.read, version)
        return promised(document, files, lines_in(files, (await self._facts_for(document)).lines))

    def _tidy(self, keep: set[int]) -> None:
        try:
            self._versions.prune(keep)
        except OSError as error:
            log.warning("old versions could not be removed", error=str(error))

    async def _plan_of(self, job: Job) -> ReloadPlan:
        before = await asyncio.to_thread(self._versions.read, job.previous)
        return plan_reloads(before, await asyncio.to_thread(self._versions.read, job.version))

    async def _wait_for_silence(self, job: Job, plan: ReloadPlan) -> None:
        until = self._clock.monotonic() + IDLE_LIMIT_S
        while await self._calls(plan) > 0:
            if job.state is not JobState.WAITING:
                job.state = JobState.WAITING
                await self._save(job)
            if self._clock.monotonic() > until:
                raise Fault(
                    FaultKind.UNAVAILABLE, "config.never_idle", "There were calls for 24 hours without a break",
                    hint='Apply with when="now" at a quiet time: it ends the calls of that moment.',
                )  # fmt: skip
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_LOOK_S):
                    await self._wait_cancelled.wait()
                raise Fault(FaultKind.CONFLICT, CANCELLED, "Cancelled while it waited for calls to end")
        job.state = JobState.RUNNING

    async def _calls(self, plan: ReloadPlan) -> int:
        """Those that the plan would end. An Asterisk that is away may be back in a moment: it counts as one call."""
        try:
            return await calls_ended_by(plan, self._control)
        except Fault:
            return 1

    async def _reload(self, plan: ReloadPlan, version: int, note: Log) -> None:
        """`version`: the one whose files are current. `note` is told each command before it is given."""
        if plan.lines:
            await self._lines.take_out(plan, version, note)
        if plan.restart:
            note("restart")
            await self._control.restart(limit_s=RESTART_LIMIT_S)
        for command in plan.commands:
            note(command)
            await self._control.command(command)
        if plan.lines and not plan.restart:
            await self._lines.give_back(plan, note)

    async def _bounded(self, verb: Callable[[], Awaitable[object]]) -> None:
        """Asterisk may die and come back in any step: it has read the new files then, and reading them again is
        harmless. Raises the last Fault when it stays away."""
        until = self._clock.monotonic() + ASTERISK_BACK_S
        while True:
            try:
                async with asyncio.timeout(STEP_LIMIT_S):
                    await verb()
                return
            except TimeoutError as error:
                message = f"Asterisk did not finish within {STEP_LIMIT_S:.0f} s"
                raise Fault(FaultKind.UNAVAILABLE, "asterisk.slow", message) from error
            except Fault as fault:
                # Only what we found out ourselves is final: an Asterisk that just loads its modules refuses much.
                if fault.kind is FaultKind.INVALID or self._clock.monotonic() > until:
                    raise
            await asyncio.sleep(RETRY_S)

    # ── back ───────────────────────────────────────────────────────────────────────────────────────
    async def _note(self, job: Job, fault: Fault) -> None:
        log.warning("apply failed", version=job.version, step=job.step.value, key=fault.key, message=fault.message)
        self._close_step(job, "failed")
        job.error = error_document(fault) | {"step": job.step.value}

    async def _restore(self, job: Job) -> None:
        await self._enter(job, Step.RESTORE)
        plan = await self._plan_of(job)
        await asyncio.to_thread(self._versions.swap, job.previous)
        assert job.error is not None, "restore begins with a noted fault, which was saved with the step"
        if job.error["step"] != Step.SWAP.value:
            # An Asterisk that stays away reads the old files when it starts; `verify` looks again when it is back.
            with suppress(Fault):
                await self._bounded(lambda: self._reload(plan, job.previous, job.note))
        self._close_step(job, "done")
        await self._end(job, JobState.FAILED, self._store.now_failed)

    # ── bookkeeping ────────────────────────────────────────────────────────────────────────────────
    async def _enter(self, job: Job, step: Step) -> None:
        if job.step is not step or not job.steps:
            self._close_step(job, "done")
            job.steps.append(StepRecord(step.value, "running", self._clock.now_us()))
        job.step = step
        await self._save(job)

    async def _save(self, job: Job) -> None:
        await self._store.save(job)
        await self._on_change(job)

    def _close_step(self, job: Job, state: str) -> None:
        if job.steps and job.steps[-1].state == "running":
            job.steps[-1].state = state
            job.steps[-1].ms = max(0, self._clock.now_us() - job.steps[-1].started_us) // 1000

    async def _end(self, job: Job, state: JobState, store: Watcher) -> None:
        job.finished_us = self._clock.now_us()
        if state is JobState.DONE:
            job.step = Step.DONE
            job.steps.append(StepRecord(Step.DONE.value, "done", job.finished_us))
        job.state = state
        await store(job)
        await self._on_change(job)
