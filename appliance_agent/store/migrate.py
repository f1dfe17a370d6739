"""Brings the box's database to this software's schema. Blocking; `python3 -m appliance_agent.init` calls it.

Migrations expand first and contract a release later, because the other slot's older software may boot again on
the same data: a database that is newer than this software is left as it is.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

SCRIPTS = Path(__file__).parent / "migrations"
BACKUPS_KEPT = 3


def upgrade(path: Path, *, revision: str = "head") -> str:
    """Migrates the database at `path` (made when missing) and returns its revision.

    Before a migration the file is copied to <name>.before-<revision>, of which the newest three stay.
    Raises sqlalchemy.exc.SQLAlchemyError or OSError; the failed step was rolled back then.
    """
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head() if revision == "head" else revision
    assert head is not None, "there is at least one migration"
    current = current_revision(path)
    if current is not None:
        known = {script.revision for script in scripts.walk_revisions()}
        if current == head or current not in known:
            return current
        _back_up(path, head)
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    event.listen(engine, "connect", _own_transactions)
    event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, head)
    finally:
        engine.dispose()
    return head


def current_revision(path: Path) -> str | None:
    """The revision of the database file, or None for a new one."""
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    return str(row[0]) if row else None


def _own_transactions(connection: sqlite3.Connection, _record: object) -> None:
    # Python's sqlite3 commits before DDL unless it is told to leave transactions to us: a migration is whole or not.
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _back_up(path: Path, head: str) -> None:
    part = path.with_name(f"{path.name}.before.part")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as target:
        source.backup(target)
    part.replace(path.with_name(f"{path.name}.before-{head}"))
    old = sorted(path.parent.glob(f"{path.name}.before-*"), key=lambda file: file.stat().st_mtime_ns)
    for file in old[:-BACKUPS_KEPT]:
        file.unlink()
