"""Where namespaces and mounts are not permitted: one box by chroot on loopback, with calls, and nothing left."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.fixtures import leavings
from tests.lab.lab import CHECKOUT, image
from tests.lab.permitted import NotPermittedError, isolation

pytestmark = pytest.mark.lab

# As in an ordinary container: root, but without these.
CONTAINER = ["setpriv", "--bounding-set=-sys_admin,-net_admin,-sys_ptrace,-sys_module,-sys_resource"]
ONE_CALL = """
import json
from appliance_agent.config.sample import SAMPLE_DID
from tests.lab.lab import Lab
with Lab().open(ready=False) as lab:
    lab.box().wait_unit("asterisk")
    lab.box().kill("asterisk")
    lab.box().wait_unit("asterisk", starts=2)
    heard = lab.exchange.call("13800138000", SAMPLE_DID, talk_s=3)
    print(json.dumps({"answered": heard.answered, "level": heard.level_dbfs, "trees": lab.record.folders}))
"""


def run(words: list[str], program: str) -> "subprocess.CompletedProcess[str]":
    environment = dict(os.environ, PYTHONPATH=str(CHECKOUT))
    command = [*words, sys.executable, "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)


def test_one_box_takes_calls_by_chroot_alone() -> None:
    image("root")
    before = leavings()
    done = run(CONTAINER, ONE_CALL)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["answered"]
    assert said["level"] > -40
    assert len(said["trees"]) == 2
    assert not any(Path(tree).exists() for tree in said["trees"])
    assert leavings() == before


def test_otherwise_the_reason_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = ["setpriv", "--bounding-set=-sys_admin,-net_admin,-sys_chroot"]
    done = run(nothing, "from tests.lab.permitted import isolation; isolation()")
    assert done.returncode == 1
    assert "Neither namespaces nor chroot are permitted" in done.stderr.splitlines()[-1]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    isolation.cache_clear()
    with pytest.raises(NotPermittedError, match="needs root"):
        isolation()
    isolation.cache_clear()
