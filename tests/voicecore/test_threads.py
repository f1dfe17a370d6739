"""The engine's threads, watched by the sanitizer of threads; and that it would be heard."""

import json
import subprocess
from pathlib import Path

import pytest

from image import cext

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def watched() -> Path:
    return cext.ensure("threads") / "bin"


def test_no_race_while_jobs_begin_run_and_end(watched: Path) -> None:
    done = subprocess.run([watched / "engine_run"], check=False, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["blocks"] == 2400 and told["events"] > 100 and told["recorded"] > 0


def test_a_race_would_be_heard(watched: Path, programs: Path) -> None:
    for folder, heard in ((watched, True), (programs, False)):
        done = subprocess.run([folder / "race"], check=False, capture_output=True, text=True, timeout=300)
        assert ("data race" in done.stderr) == (done.returncode != 0) == heard
