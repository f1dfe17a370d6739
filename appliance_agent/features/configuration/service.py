"""The draft, what an apply would do, and the applies themselves, one after the other."""

import asyncio
import difflib
import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Protocol

import structlog
from pydantic import BaseModel

from appliance_agent.config.check import check
from appliance_agent.config.diff import diff
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.model import Desired, Prompt
from appliance_agent.features.configuration import edit
from appliance_agent.features.configuration.model import ChangeView, ConfigView, DiffView, FaultyField, FileDiff
from appliance_agent.features.configuration.retired import RetiredMenus
from appliance_agent.features.configuration.store import ConfigurationStore, Version, stale
from appliance_agent.http.route import Identity
from appliance_agent.kernel.addresses import own_addresses
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import Clock
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault
from appliance_agent.kernel.events import AsteriskUp, JobChanged, LinesReported, VersionApplied
from appliance_agent.kernel.ids import new_id
from appliance_agent.kernel.secrets import BoxSecrets
from appliance_agent.render.apply import Applier
from appliance_agent.render.apply_job import Job, JobState, Timing
from appliance_agent.render.apply_lines import lines_in
from appliance_agent.render.apply_log import AsteriskLog
from appliance_agent.render.apply_reloads import ReloadPlan, plan_reloads
from appliance_agent.render.apply_stage import RenderedVersions
from appliance_agent.render.apply_take_out import calls_ended_by
from appliance_agent.render.control import AsteriskControl, LineSetup
from appliance_agent.render.facts import Facts
from appliance_agent.render.line_facts import lines_there, read_report
from appliance_agent.render.line_plan import plans
from appliance_agent.render.render import render
from contracts.paths import BoxPaths
from hal.model.inventory import Place

log = structlog.get_logger()

VERIFY_AGAIN_S = 30.0


class Audit(Protocol):
    async def __call__(self, who: Identity, action: str, detail: Mapping[str, object]) -> None: ...


class Configuration:
    """A kernel Service: `run` resumes what a killed agent left, applies, and verifies after each gap to Asterisk."""

    name = "configuration"

    def __init__(
        self,
        *,
        paths: BoxPaths,
        box_secrets: BoxSecrets,
        store: ConfigurationStore,
        control: AsteriskControl,
        holder: ConfigHolder,
        bus: Bus,
        clock: Clock,
        audit: Audit,
        prompts_on_disk: Callable[[], Collection[str]],
        lines: LineSetup,
        announced: str = "",
    ) -> None:
        """`announced`: the address of box.toml, for Facts."""
        self._paths, self._secrets, self._store, self._control = paths, box_secrets, store, control
        self._holder, self._bus, self._clock, self._audit = holder, bus, clock, audit
        self._prompts_on_disk, self._announced = prompts_on_disk, announced
        self._retired = RetiredMenus(store, control, clock)
        self._versions = RenderedVersions(paths)
        self._applier = Applier(
            self._versions, AsteriskLog(paths.asterisk_log), control, store, clock,
            facts_for=self._facts, prompts_on_disk=prompts_on_disk, lines=lines, on_change=self._tell,
        )  # fmt: skip
        self._work = asyncio.Event()
        """Set when there is a job to run."""
        self._taken_in: frozenset[str] = frozenset()
        """Lines for whose return a job was begun; it may have failed, and is not begun for the same return again."""

    async def load(self) -> None:
        """Puts the running version into the holder. First before any other part starts. Fault before init ran."""
        running = await self._store.running()
        if running is None:
            raise Fault(
                FaultKind.INTERNAL, "config.none", "The box has no configuration yet",
                hint="Run python3 -m appliance_agent.init first.",
            )  # fmt: skip
        self._holder.set(*running)

    async def run(self) -> None:
        await self.load()
        lock = asyncio.Lock()
        with self._bus.subscribe(AsteriskUp, LinesReported, limit=10) as news:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._run_jobs(lock))
                while True:
                    agreed = await self._verify(lock) and await self._take_in()
                    # A trunk's name that could not be resolved, say, heals without anybody's act.
                    with suppress(TimeoutError):
                        async with asyncio.timeout(None if agreed else VERIFY_AGAIN_S):
                            if not isinstance(await news.get(), AsteriskUp):
                                self._applier.lines_reported()

    # ── draft ──────────────────────────────────────────────────────────────────────────────────────
    async def view(self) -> ConfigView:
        draft = await self._store.draft()
        active = await self._store.active_job()
        return ConfigView(
            document=draft.document, revision=draft.revision, running_version=self._holder.version,
            changed=bool(diff(self._holder.desired, draft.document)), faults=_shown(await self._faults(draft.document)),
            active_job=active.id if active else None,
        )  # fmt: skip

    async def put(
        self, who: Identity, collection: str, name: str, item: BaseModel, revision: int
    ) -> tuple[int, BaseModel]:
        """Creates or replaces an item; returns the new revision and the item as kept. Raises Fault."""
        draft = await self._store.draft()
        if collection in edit.SINGLETONS:
            document = draft.document.model_copy(update={collection: item})
            path = f"config/{collection}"
        else:
            document = edit.put_item(draft.document, collection, name, item, lambda: secrets.token_hex(12))
            path = f"config/{collection}/{name}"
        saved = await self._save(draft.document, document, revision)
        await self._audit(who, "config.put", {"path": path})
        return saved, edit.find_item(document, collection, name)

    async def add_prompt(self, who: Identity, prompt: Prompt) -> None:
        """A prompt whose audio was just made joins the draft, at whatever revision that is."""
        draft = await self._store.draft()
        document = edit.put_item(draft.document, "prompts", prompt.id, prompt, new_id)
        await self._store.set_draft(document, expected=draft.revision)
        await self._audit(who, "config.put", {"path": f"config/prompts/{prompt.id}"})

    async def delete(self, who: Identity, collection: str, name: str, revision: int) -> int:
        draft = await self._store.draft()
        document = edit.delete_item(draft.document, collection, name)
        saved = await self._save(draft.document, document, revision)
        await self._audit(who, "config.delete", {"path": f"config/{collection}/{name}"})
        return saved

    async def discard(self, who: Identity) -> int:
        """The draft becomes what runs."""
        revision = await self._store.set_draft(self._holder.desired, expected=None)
        await self._audit(who, "config.discard", {"version": self._holder.version})
        return revision

    async def rollback(self, who: Identity, version: int) -> int:
        """The draft becomes that version's document; nothing is applied yet."""
        document = await self._store.document(version)
        if document is None:
            raise Fault(FaultKind.NOT_FOUND, "config.version", f"There is no version {version}")
        revision = await self._store.set_draft(document, expected=None)
        await self._audit(who, "config.rollback", {"version": version})
        return revision

    async def versions(self) -> list[Version]:
        return await self._store.versions()

    async def diff(self) -> DiffView:
        draft = await self._store.draft()
        document = await self._numbered(draft.document)
        running, after = self._holder.version, render(document, await self._facts(document))
        before = await asyncio.to_thread(self._versions.read, running)
        changes = diff(self._holder.desired, document)
        plan = plan_reloads(before, after) if changes else plan_reloads(before, before)
        calls = await self._calls(plan)
        return DiffView(
            changes=[ChangeView(path=one.path, kind=one.kind, before=one.before, after=one.after) for one in changes],
            files=await asyncio.to_thread(file_diffs, before, after) if changes else [],
            reloads=list(plan.told), restart_because=list(plan.because),
            calls_that_end=calls, waits=plan.ends_calls, faults=_shown(await self._faults(document)),
        )  # fmt: skip

    # ── apply ──────────────────────────────────────────────────────────────────────────────────────
    async def apply(self, who: Identity, revision: int, timing: Timing, comment: str) -> Job:
        """Starts a job for the draft at `revision` and returns it as it begins. Raises Fault; nothing changed then."""
        draft = await self._store.draft()
        if draft.revision != revision:
            raise stale(draft.revision, revision)
        document = await self._numbered(draft.document)
        if not diff(self._holder.desired, document):
            raise Fault(
                FaultKind.CONFLICT, "config.unchanged", "The draft is what runs already; there is nothing to do"
            )
        faults = await self._faults(document)
        if faults:
            raise invalid(faults)
        job = Job(id=new_id(), version=0, previous=0, timing=timing, created_us=self._clock.now_us())
        await self._store.create_job(document, job=job, author=who.login, comment=comment)
        await self._audit(who, "config.apply", {"version": job.version, "when": timing.value})
        self._work.set()
        return job

    async def job(self, job_id: str) -> Job:
        job = await self._store.job(job_id)
        if job is None:
            raise Fault(FaultKind.NOT_FOUND, "config.job", f"There is no job {job_id}")
        return job

    async def cancel(self, who: Identity, job_id: str) -> Job:
        """Ends a job that waits for calls to end. Raises Fault in any other state."""
        job = await self.job(job_id)
        if job.state is not JobState.WAITING:
            raise Fault(
                FaultKind.CONFLICT, "config.not_waiting", f"Job {job_id} is {job.state.value}, it does not wait",
                hint="Roll back to the version before instead.",
            )  # fmt: skip
        self._applier.cancel_wait()
        await self._audit(who, "config.cancel", {"version": job.version})
        return job

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────
    async def _run_jobs(self, lock: asyncio.Lock) -> None:
        """`lock` guards the symlink and Asterisk's reading: a job and a verification never mix."""
        while True:
            self._work.clear()
            job = await self._store.active_job()
            if job is None:
                await self._work.wait()
                continue
            document = await self._store.document(job.version)
            assert document is not None, "a job's version is written in its own transaction"
            async with lock:
                await self._applier.run(job, document)
                if job.state is JobState.DONE:
                    self._bus.publish(VersionApplied(job.version))

    async def _verify(self, lock: asyncio.Lock) -> bool:
        """Whether Asterisk runs what it should; a job that is on says so itself."""
        async with lock:
            if await self._store.active_job() is not None:
                return True
            try:
                async with asyncio.timeout(30):
                    await self._applier.verify(self._holder.version, self._holder.desired)
            except (Fault, TimeoutError) as error:
                log.warning("running version not verified", version=self._holder.version, reason=str(error))
                return False
        return True

    async def _take_in(self) -> bool:
        """Lines that run in no file because their card was away when the files were made, and that are there now; or
        that another card, with other numbers, took over: what runs is applied anew. False: later, when it ends no call
        or no other job is on."""
        document, version = self._holder.desired, self._holder.version
        facts = await self._facts(document)
        files = await asyncio.to_thread(self._versions.read, version)
        back = (facts.lines.keys() & {plan.name for plan in plans(document)}) - lines_in(files, facts.lines)
        self._taken_in &= back
        if not back - self._taken_in:
            return True
        plan = plan_reloads(files, render(document, facts))
        if plan.ends_calls and await self._calls(plan):
            return False
        names = ", ".join(sorted(back, key=Place.of))
        job = Job(id=new_id(), version=0, previous=0, timing=Timing.IDLE, created_us=self._clock.now_us())
        try:
            await self._store.create_job(document, job=job, author="system", comment=f"the card is back: {names}")
        except Fault as fault:  # somebody's apply runs: it takes them in
            log.info("lines are taken in later", lines=names, reason=fault.message)
            return False
        self._taken_in |= back
        log.info("lines are taken in", lines=names, version=job.version)
        self._work.set()
        return True

    async def _save(self, before: Desired, after: Desired, revision: int) -> int:
        """Refuses faults that this edit brings; what was faulty before does not stand in its way."""
        known = set(await self._faults(before))
        fresh = [fault for fault in await self._faults(after) if fault not in known]
        if fresh:
            raise invalid(fresh)
        return await self._store.set_draft(await self._numbered(after), expected=revision)

    async def _numbered(self, document: Desired) -> Desired:
        return edit.number_menus(document, self._holder.desired, await self._store.menu_versions())

    async def _faults(self, document: Desired) -> list[FieldFault]:
        return check(document, await asyncio.to_thread(self._prompts_on_disk))

    async def _facts(self, document: Desired) -> Facts:
        running = self._holder.desired
        retired = await self._retired.beside(document, running)
        report = await asyncio.to_thread(read_report, self._paths.line_report)
        return Facts(
            paths=self._paths, ami_secret=self._secrets.ami, ari_secret=self._secrets.ari, retired_menus=retired,
            addresses=await asyncio.to_thread(own_addresses), announced=self._announced,
            lines=lines_there(report, plans(running), plans(document)),
        )  # fmt: skip

    async def _calls(self, plan: ReloadPlan) -> int:
        """Asterisk away: it carries no call."""
        try:
            return await calls_ended_by(plan, self._control)
        except Fault:
            return 0

    async def _tell(self, job: Job) -> None:
        if job.state is JobState.DONE:
            await self.load()  # who is told that it is done, and looks, sees what runs now
        self._bus.publish(JobChanged(job.as_dict()))


def file_diffs(before: dict[str, str], after: dict[str, str]) -> list[FileDiff]:
    """Unified diffs of rendered files, secrets hidden."""
    diffs = []
    for name in sorted(before.keys() | after.keys()):
        old, new = edit.hide_secrets(before.get(name, "")), edit.hide_secrets(after.get(name, ""))
        if old != new:
            lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "running", "draft", lineterm="")
            diffs.append(FileDiff(path=name, diff="\n".join(lines)))
    return diffs


def invalid(faults: list[FieldFault]) -> Fault:
    return Fault(
        FaultKind.INVALID, "config.invalid", f"{faults[0].path}: {faults[0].message}",
        hint="Correct the named fields.", fields=faults,
    )  # fmt: skip


def _shown(faults: list[FieldFault]) -> list[FaultyField]:
    return [
        FaultyField(path=fault.path, message=fault.message, key=fault.key, values=dict(fault.values))
        for fault in faults
    ]
