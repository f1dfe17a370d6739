"""`python3 -m appliance_agent.init`: makes the box ready to start. Runs as user sa800 before Asterisk and the agent.

Secrets, database migration, first version, its files and symlink, setup token. Repeating it changes nothing.
Exit status: 0 ready; 78 something is configured wrongly; 74 the disk refuses; 70 anything else. On failure one
sentence on standard error says what and what to do.
"""

import asyncio
import grp
import os
import secrets
import sqlite3
import sys
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from appliance_agent.config.check import check
from appliance_agent.config.model import Desired
from appliance_agent.config.sample import sample_document, sample_prompts
from appliance_agent.features.configuration.store import ConfigurationStore
from appliance_agent.features.prompts.audio import Espeak, PromptAudio
from appliance_agent.kernel.addresses import own_addresses
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.files import write_atomically
from appliance_agent.kernel.identity import BoxIdentity, read_identity
from appliance_agent.kernel.secrets import BoxSecrets, make_secrets
from appliance_agent.render.apply_stage import RenderedVersions
from appliance_agent.render.facts import Facts
from appliance_agent.render.line_facts import lines_there, read_report
from appliance_agent.render.line_plan import plans
from appliance_agent.render.render import render
from appliance_agent.store.database import Database
from appliance_agent.store.migrate import upgrade
from appliance_agent.store.tables import user
from contracts.paths import BoxPaths

ASTERISK_GROUP = "asterisk"


async def initialise(paths: BoxPaths) -> None:
    """Everything above. Raises Fault, OSError or SQLAlchemyError; what was done stays and is not done again."""
    identity = await asyncio.to_thread(read_identity, paths.identity)
    box_secrets = await asyncio.to_thread(_prepare_disk, paths)
    database = Database(paths.database)
    try:
        store = ConfigurationStore(database)
        if await store.running() is None:
            await _create_first_version(paths, identity, box_secrets, store)
        else:
            await _refresh_files(paths, identity, box_secrets, store)
        async with database.read() as connection:
            users = (await connection.execute(select(func.count()).select_from(user))).scalar_one()
    finally:
        await database.close()
    await asyncio.to_thread(_setup_token, paths, users > 0)


def _prepare_disk(paths: BoxPaths) -> BoxSecrets:
    paths.data.mkdir(parents=True, exist_ok=True)
    paths.data.chmod(0o751)
    for folder in (paths.asterisk_versions.parent, paths.asterisk_versions, paths.prompts):
        folder.mkdir(exist_ok=True)
        _share_with_asterisk(folder)
    made = make_secrets(paths.secrets)
    upgrade(paths.database)
    paths.database.chmod(0o600)
    return made


def _share_with_asterisk(folder: Path) -> None:
    """Asterisk reads what we write there by its group; where there is no such group (a developer's machine), nobody."""
    try:
        group = grp.getgrnam(ASTERISK_GROUP).gr_gid
    except KeyError:
        return
    try:
        os.chown(folder, -1, group)
        folder.chmod(0o2750)
    except PermissionError as error:
        raise Fault(
            FaultKind.INTERNAL, "init.group", f"{folder}: cannot be given to group {ASTERISK_GROUP}",
            hint="User sa800 must own the folder and be a member of that group.",
        ) from error  # fmt: skip


async def _create_first_version(
    paths: BoxPaths, identity: BoxIdentity, box_secrets: BoxSecrets, store: ConfigurationStore
) -> None:
    document = Desired()
    if identity.sample:
        prompts = sample_prompts()
        document = sample_document(identity.exchange, prompts, lambda: secrets.token_hex(12))
        faults = check(document, {prompt.id for prompt in prompts})
        if faults:
            raise Fault(FaultKind.INTERNAL, "init.sample", "The sample document is faulty", fields=faults)
    files = render(document, _facts(paths, identity, box_secrets, document))
    audio = PromptAudio(paths.prompts, Espeak())
    for prompt in document.prompts:
        await audio.add_speech(prompt.id, prompt.text or "", prompt.language)
    await asyncio.to_thread(_stage_current, RenderedVersions(paths), 1, files)
    comment = "sample" if identity.sample else "first start"
    await store.create_first(document, at_us=SystemClock().now_us(), comment=comment)


async def _refresh_files(
    paths: BoxPaths, identity: BoxIdentity, box_secrets: BoxSecrets, store: ConfigurationStore
) -> None:
    """New software may render the same document otherwise, and a power cut may have taken files away.

    With an unfinished apply the agent decides which version runs; only a missing file is mended then. Menus that
    were retired are left out: no call survived to this point.
    """
    running = await store.running()
    assert running is not None, "the caller looked"
    version, document = running
    versions = RenderedVersions(paths)
    current = await asyncio.to_thread(versions.current)
    if await store.active_job() is not None and current is not None and versions.staged(current):
        return
    files = render(document, _facts(paths, identity, box_secrets, document))
    if current == version and await asyncio.to_thread(versions.read, version) == files:
        return
    await asyncio.to_thread(_stage_current, versions, version, files)


def _stage_current(versions: RenderedVersions, version: int, files: dict[str, str]) -> None:
    versions.stage(version, files, asterisk_is_off=True)
    versions.swap(version)


def _facts(paths: BoxPaths, identity: BoxIdentity, box_secrets: BoxSecrets, document: Desired) -> Facts:
    planned = plans(document)
    return Facts(
        paths=paths, ami_secret=box_secrets.ami, ari_secret=box_secrets.ari,
        addresses=own_addresses(), announced=identity.announce,
        lines=lines_there(read_report(paths.line_report), planned, planned),
    )  # fmt: skip


def _setup_token(paths: BoxPaths, has_users: bool) -> None:
    if has_users:
        paths.setup_link.unlink(missing_ok=True)
    elif not paths.setup_link.exists():
        write_atomically(paths.setup_link, secrets.token_urlsafe(24).encode("ascii"), mode=0o600)


def main() -> int:
    os.umask(0o077)
    try:
        asyncio.run(initialise(BoxPaths()))
    except Fault as fault:
        print(f"sa800-init: {fault.message}. {fault.hint}".rstrip(), file=sys.stderr)
        return 78 if fault.kind is FaultKind.INVALID else 70
    except OSError as error:
        print(f"sa800-init: the disk refuses: {error}. Look at its space and rights.", file=sys.stderr)
        return 74
    except (SQLAlchemyError, sqlite3.Error) as error:
        print(
            f"sa800-init: the database could not be prepared: {error}. The copy beside it is from before.",
            file=sys.stderr,
        )
        return 70
    return 0


if __name__ == "__main__":
    sys.exit(main())
