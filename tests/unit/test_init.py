"""First start: what init makes, and that doing it again changes nothing."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from appliance_agent.features.configuration.store import ConfigurationStore
from appliance_agent.init import initialise
from appliance_agent.kernel.errors import Fault
from appliance_agent.render.apply_stage import RenderedVersions
from appliance_agent.store.database import Database
from contracts.paths import BoxPaths
from tests.unit.worlds import prepare

ROOT = Path(__file__).resolve().parents[2]


def contents(folder: Path) -> dict[str, bytes | str]:
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or (path.is_file() and not path.name.endswith(("-wal", "-shm")))
    }


async def test_a_new_box_has_all_it_needs(tmp_path: Path) -> None:
    paths = await prepare(tmp_path)
    files = RenderedVersions(paths).read(1)
    assert RenderedVersions(paths).current() == 1
    assert "[1001]" in files["pjsip.conf"]
    assert "075588886666" in files["extensions.conf"]
    assert len(list(paths.prompts.glob("*.wav"))) == 2
    for private in (paths.secrets, paths.setup_link, paths.database):
        assert private.stat().st_mode & 0o777 == 0o600, private
    assert len(paths.setup_link.read_text()) >= 32


async def test_again_changes_nothing(tmp_path: Path) -> None:
    paths = await prepare(tmp_path)
    before = contents(paths.data)
    await initialise(paths)
    assert contents(paths.data) == before


async def test_without_the_sample_the_box_is_empty(tmp_path: Path) -> None:
    paths = BoxPaths(tmp_path)
    paths.identity.parent.mkdir(parents=True)
    paths.identity.write_text('box_id = "unit-1"\nedition = "se800"\n')
    await initialise(paths)
    assert "type = endpoint" not in RenderedVersions(paths).read(1)["pjsip.conf"]


async def test_a_start_that_was_cut_off_is_finished(tmp_path: Path) -> None:
    """The power went after the files and before the database."""
    paths = await prepare(tmp_path)
    with closing(sqlite3.connect(paths.database)) as connection:
        for table in ("config_draft", "config_version", "menu_version"):
            connection.execute(f"DELETE FROM {table}")
        connection.commit()
    await initialise(paths)
    database = Database(paths.database)
    running = await ConfigurationStore(database).running()
    await database.close()
    assert running is not None
    assert len(list(paths.prompts.glob("*.wav"))) == 2
    assert RenderedVersions(paths).current() == running[0] == 1


async def test_files_that_are_gone_or_of_older_software_are_rendered_again(tmp_path: Path) -> None:
    paths = await prepare(tmp_path)
    versions = RenderedVersions(paths)
    before = versions.read(1)
    (paths.asterisk_versions / "1/pjsip.conf").write_text("; of older software\n")
    (paths.asterisk_versions / "1/queues.conf").unlink()
    await initialise(paths)
    assert versions.read(1) == before
    paths.asterisk_current.unlink()
    await initialise(paths)
    assert versions.current() == 1


async def test_the_setup_link_is_gone_once_there_is_a_user(tmp_path: Path) -> None:
    paths = await prepare(tmp_path)
    with closing(sqlite3.connect(paths.database)) as connection:
        connection.execute("INSERT INTO user VALUES ('u','admin','A','admin',NULL,'zh','x',1)")
        connection.commit()
    await initialise(paths)
    assert not paths.setup_link.exists()


async def test_a_broken_identity_is_told_with_its_path(tmp_path: Path) -> None:
    paths = BoxPaths(tmp_path)
    paths.identity.parent.mkdir(parents=True)
    paths.identity.write_text('box_id = "unit-1"\nedition = "sa800"\nlisten_on = "x"\n')
    with pytest.raises(Fault, match=r"box\.toml: unknown key 'listen_on'") as caught:
        await initialise(paths)
    assert "listen" in caught.value.hint
    assert not paths.data.exists()


def test_on_a_machine_that_is_no_box_it_says_so_in_one_sentence(tmp_path: Path) -> None:
    code = "import sys, pathlib; from contracts.paths import BoxPaths; from appliance_agent import init;"
    code += "init.BoxPaths = lambda: BoxPaths(pathlib.Path(sys.argv[1])); sys.exit(init.main())"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 78
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("sa800-init: ")
    assert "box.toml" in done.stderr
