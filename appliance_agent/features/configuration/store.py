"""Drafts, versions, jobs and menu versions in the database. Each verb is one transaction."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance_agent.config.model import Desired, Menu
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.render.apply_job import CANCELLED, Job, JobState, Step, StepRecord, Timing
from appliance_agent.store.database import Database
from appliance_agent.store.tables import apply_job, config_draft, config_version, menu_version

VERSIONS_LISTED = 200


@dataclass(frozen=True, slots=True)
class Draft:
    revision: int
    document: Desired


@dataclass(frozen=True, slots=True)
class Version:
    version: int
    at_us: int
    author: str
    comment: str
    state: str
    """applying | running | superseded | failed | cancelled"""


class ConfigurationStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    # ── draft ──────────────────────────────────────────────────────────────────────────────────────
    async def draft(self) -> Draft:
        async with self._database.read() as connection:
            row = (await connection.execute(select(config_draft))).one()
        return Draft(row.revision, parse_document(row.document, "the draft"))

    async def set_draft(self, document: Desired, *, expected: int | None) -> int:
        """Replaces the draft and returns its new revision. Raises Fault when it is not at revision `expected`."""
        async with self._database.write() as connection:
            revision = (await connection.execute(select(config_draft.c.revision))).scalar_one()
            if expected is not None and revision != expected:
                raise stale(revision, expected)
            values = {"revision": revision + 1, "document": dump_document(document)}
            await connection.execute(update(config_draft).values(values))
        return int(revision) + 1

    # ── versions ───────────────────────────────────────────────────────────────────────────────────
    async def create_first(self, document: Desired, *, at_us: int, comment: str) -> None:
        """The first version of a new box, running, and a draft equal to it."""
        async with self._database.write() as connection:
            dumped = dump_document(document)
            await connection.execute(
                insert(config_version).values(
                    version=1, at_us=at_us, author="system", comment=comment, document=dumped, state="running"
                )
            )
            await connection.execute(insert(config_draft).values(id=1, revision=1, document=dumped))
            await _know_menus(connection, document.menus)

    async def running(self) -> tuple[int, Desired] | None:
        """The version that runs, or None before `create_first`."""
        async with self._database.read() as connection:
            query = select(config_version).where(config_version.c.state == "running")
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else (row.version, parse_document(row.document, f"version {row.version}"))

    async def document(self, version: int) -> Desired | None:
        async with self._database.read() as connection:
            query = select(config_version.c.document).where(config_version.c.version == version)
            document = (await connection.execute(query)).scalar_one_or_none()
        return None if document is None else parse_document(document, f"version {version}")

    async def versions(self) -> list[Version]:
        """Newest first, at most 200."""
        columns = [column for column in config_version.c if column.name != "document"]
        query = select(*columns).order_by(config_version.c.version.desc()).limit(VERSIONS_LISTED)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Version(row.version, row.at_us, row.author, row.comment, row.state) for row in rows]

    # ── jobs ───────────────────────────────────────────────────────────────────────────────────────
    async def create_job(self, document: Desired, *, job: Job, author: str, comment: str) -> None:
        """A new version in state applying, and its job. `job.version` and `job.previous` are set here.

        Raises Fault when another job is active.
        """
        async with self._database.write() as connection:
            active = select(apply_job.c.version).where(apply_job.c.state.in_(["waiting", "running"]))
            busy = (await connection.execute(active)).scalar_one_or_none()
            if busy is not None:
                raise Fault(
                    FaultKind.CONFLICT, "config.apply_active", f"Version {busy} is being applied",
                    hint="Wait until it is done, or cancel it while it waits for calls to end.",
                )  # fmt: skip
            running = select(config_version.c.version).where(config_version.c.state == "running")
            job.previous = (await connection.execute(running)).scalar_one()
            job.version = (await connection.execute(select(func.max(config_version.c.version)))).scalar_one() + 1
            values = {"version": job.version, "at_us": job.created_us, "author": author, "comment": comment}
            values |= {"document": dump_document(document), "state": "applying"}
            await connection.execute(insert(config_version).values(values))
            await connection.execute(insert(apply_job).values(_job_values(job)))
            await _know_menus(connection, document.menus)

    async def job(self, job_id: str) -> Job | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(apply_job).where(apply_job.c.id == job_id))).one_or_none()
        return None if row is None else _job(row)

    async def active_job(self) -> Job | None:
        """The job that a restarted agent has to finish."""
        query = select(apply_job).where(apply_job.c.state.in_(["waiting", "running"]))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _job(row)

    async def save(self, job: Job) -> None:
        async with self._database.write() as connection:
            await _update_job(connection, job)

    async def now_running(self, job: Job) -> None:
        async with self._database.write() as connection:
            await _update_job(connection, job)
            superseded = update(config_version).where(config_version.c.state == "running")
            await connection.execute(superseded.values(state="superseded"))
            await connection.execute(_version_state(job.version, "running"))
            await _retire_menus(connection, job.version, job.finished_us or job.created_us)

    async def now_failed(self, job: Job) -> None:
        async with self._database.write() as connection:
            await _update_job(connection, job)
            cancelled = job.error is not None and job.error.get("key") == CANCELLED
            await connection.execute(_version_state(job.version, "cancelled" if cancelled else "failed"))
            # Callers may have entered the failed version's menus before it was taken back.
            await _retire_menus(connection, job.previous, job.finished_us or job.created_us)

    # ── menus that calls may still be in ───────────────────────────────────────────────────────────
    async def menu_versions(self) -> dict[str, int]:
        """The highest version of each menu that was ever applied."""
        query = select(menu_version.c.menu_id, func.max(menu_version.c.version)).group_by(menu_version.c.menu_id)
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in (await connection.execute(query)).all()}

    async def retired_menus(self, *, since_us: int) -> list[Menu]:
        """Menus that were replaced after `since_us`."""
        query = select(menu_version.c.document).where(menu_version.c.retired_us >= since_us)
        async with self._database.read() as connection:
            return [Menu.model_validate(document) for document in (await connection.execute(query)).scalars()]


def stale(now: int, expected: int) -> Fault:
    return Fault(
        FaultKind.CONFLICT, "config.revision",
        f"Somebody changed the draft meanwhile: it is at revision {now}, not {expected}",
        hint="Load it again, then repeat your change.",
    )  # fmt: skip


def parse_document(document: Any, what: str) -> Desired:
    """Raises Fault when this software cannot read it (written by a newer one, or a damaged database)."""
    try:
        return Desired.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(str(part) for part in first["loc"])
        raise Fault(
            FaultKind.INTERNAL, "config.unreadable", f"{what} cannot be read by this software: {place}: {first['msg']}",
            hint="Start the other slot's software, or roll back to an older version.",
        ) from error  # fmt: skip


def dump_document(document: Desired) -> dict[str, Any]:
    return document.model_dump(mode="json")


async def _know_menus(connection: AsyncConnection, menus: Sequence[Menu]) -> None:
    for menu in menus:
        values = {"menu_id": menu.id, "version": menu.version, "document": menu.model_dump(mode="json")}
        # A rollback brings a retired version back to life.
        statement = upsert(menu_version).values(values | {"retired_us": None})
        await connection.execute(statement.on_conflict_do_update(index_elements=["menu_id", "version"], set_=values))


async def _retire_menus(connection: AsyncConnection, running: int, now_us: int) -> None:
    query = select(config_version.c.document).where(config_version.c.version == running)
    document = (await connection.execute(query)).scalar_one()
    live = {(menu["id"], menu["version"]) for menu in document["menus"]}
    for row in (await connection.execute(select(menu_version))).all():
        alive = (row.menu_id, row.version) in live
        if alive == (row.retired_us is None):
            continue
        this = (menu_version.c.menu_id == row.menu_id) & (menu_version.c.version == row.version)
        await connection.execute(update(menu_version).where(this).values(retired_us=None if alive else now_us))


def _version_state(version: int, state: str) -> Any:
    return update(config_version).where(config_version.c.version == version).values(state=state)


def _job_values(job: Job) -> dict[str, Any]:
    return {
        "id": job.id, "version": job.version, "previous": job.previous, "timing": job.timing.value,
        "step": job.step.value, "state": job.state.value, "steps": [asdict(record) for record in job.steps],
        "error": job.error, "created_us": job.created_us, "finished_us": job.finished_us,
        "log_offset": job.log_offset,
    }  # fmt: skip


async def _update_job(connection: AsyncConnection, job: Job) -> None:
    await connection.execute(update(apply_job).where(apply_job.c.id == job.id).values(_job_values(job)))


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id, version=row.version, previous=row.previous, timing=Timing(row.timing), created_us=row.created_us,
        step=Step(row.step), state=JobState(row.state), steps=[StepRecord(**record) for record in row.steps],
        error=row.error, finished_us=row.finished_us, log_offset=row.log_offset,
    )  # fmt: skip
