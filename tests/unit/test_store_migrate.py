"""The migrated schema is the one the code uses, and a migration is whole or not."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Integer, MetaData, create_engine

from appliance_agent.store import migrate
from appliance_agent.store.migrate import current_revision, upgrade
from appliance_agent.store.tables import metadata


def differences(path: Path, wanted: MetaData) -> list[object]:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), wanted)
    engine.dispose()
    return list(found)


def test_the_migrated_schema_is_the_metadata(tmp_path: Path) -> None:
    upgrade(tmp_path / "box.db")
    assert differences(tmp_path / "box.db", metadata) == []


def test_the_comparison_sees_a_missing_column(tmp_path: Path) -> None:
    upgrade(tmp_path / "box.db")
    wanted = MetaData()
    for table in metadata.sorted_tables:
        table.to_metadata(wanted)
    wanted.tables["alarm"].append_column(Column("extra", Integer))
    assert len(differences(tmp_path / "box.db", wanted)) == 1


def test_again_changes_nothing_and_keeps_rows(tmp_path: Path) -> None:
    path = tmp_path / "a 100% odd folder" / "box.db"
    path.parent.mkdir()
    first = upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO menu_version VALUES ('main', 1, '{}', NULL)")
        connection.commit()
    before = path.read_bytes()
    assert upgrade(path) == first == current_revision(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path], "no backup when nothing was migrated"


def test_a_newer_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "box.db"
    upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = path.read_bytes()
    assert upgrade(path) == "9999"
    assert path.read_bytes() == before


def test_a_failed_migration_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "box.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE seat_event (id INTEGER)")
    with pytest.raises(Exception, match="already exists"):
        upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"seat_event"}


NEXT = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "9001", "{head}", None, None

def upgrade():
    with op.batch_alter_table("alarm") as batch:
        batch.add_column(sa.Column("extra", sa.Integer()))
"""


def test_a_backup_is_made_before_a_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "box.db"
    head = upgrade(path)
    shutil.copytree(migrate.SCRIPTS, tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "scripts/versions/9001_next.py").write_text(NEXT.replace("{head}", head))
    monkeypatch.setattr(migrate, "SCRIPTS", tmp_path / "scripts")
    assert upgrade(path) == "9001"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT extra FROM alarm")
    assert current_revision(tmp_path / "box.db.before-9001") == head
