"""The lab itself: it starts, it ends in every way a program can end, and nothing is left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import records
from tests.lab.box import LabError
from tests.lab.fixtures import leavings
from tests.lab.lab import CHECKOUT, Lab
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

OWNER = """
import signal
from tests.lab.lab import Lab
with Lab().open(ready=False) as lab:
    print(lab.record.number, flush=True)
    signal.pause()
"""


def start_owner() -> tuple["subprocess.Popen[str]", records.Record]:
    """A lab owned by a process of its own; returns once it is up."""
    environment = dict(os.environ, PYTHONPATH=str(CHECKOUT))
    process = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    number = int(process.stdout.readline())
    process.stdout.close()
    return process, next(record for record in records.running() if record.number == number)


def end(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """By that signal. One that does not follow within a minute is killed, and the next lab sweeps what it leaves."""
    process.send_signal(number)
    try:
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait(10)


def test_two_labs_at_once_and_then_nothing() -> None:
    before = leavings()
    with Lab(2).open(ready=False) as one, Lab().open(ready=False) as two:
        assert one.exchange.address != two.exchange.address
        assert len({box.panel_port for box in [*one.boxes, *two.boxes]}) == 3
        assert len(leavings()["namespaces"] - before["namespaces"]) == 5
        assert one.box("box2").command("hostname").strip() == "box2"
        for box in [*one.boxes, *two.boxes]:
            box.wait_unit("asterisk")
    assert leavings() == before


def test_a_kill_of_the_owner_is_swept_by_the_next_start() -> None:
    before = leavings()
    process, record = start_owner()
    process.kill()
    process.wait(10)
    left = leavings()
    assert set(record.namespaces) <= left["namespaces"], "kill -9 leaves things: otherwise this test tests nothing"
    assert left["processes"] - before["processes"]
    with Lab().open(ready=False):
        assert not any(name in leavings()["processes"] for name in left["processes"] - before["processes"])
    assert leavings() == before


def test_a_living_owners_lab_is_not_swept() -> None:
    process, record = start_owner()
    try:
        with Lab().open(ready=False) as mine:
            assert mine.record is not None
            assert mine.record.number != record.number
            assert all(Path("/run/netns", name).exists() for name in record.namespaces)
    finally:
        end(process, signal.SIGINT)
    assert not record.folder.exists()


def test_a_number_whose_bridge_is_there_is_not_taken() -> None:
    """Of a lab in a container that shares this network, but not this /run."""
    number = next(n for n in range(records.MOST_LABS) if not Path("/sys/class/net", records.bridge_name(n)).exists())
    foreign = records.bridge_name(number)
    subprocess.run(["ip", "link", "add", foreign, "type", "bridge"], check=True, timeout=10)
    try:
        with Lab().open(ready=False) as lab:
            assert lab.record is not None
            assert lab.record.number != number
        assert Path("/sys/class/net", foreign).exists()
    finally:
        subprocess.run(["ip", "link", "del", foreign], check=True, timeout=10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("line", ["bridge", "exchange"])
def test_a_signal_while_it_starts_leaves_nothing(number: signal.Signals, line: str) -> None:
    before = leavings()
    environment = dict(os.environ, PYTHONPATH=str(CHECKOUT), PYTHONUNBUFFERED="1")
    command = [sys.executable, "-m", "tests.lab", "run", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        next(said for said in process.stdout if line in said)
        end(process, number)
        assert process.returncode in {0, 130}
    assert leavings() == before


def test_a_failed_start_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    before = leavings()
    (tmp_path / "box1/box.db").mkdir(parents=True)
    with pytest.raises(LabError, match="sa800-init"):
        Lab(data=tmp_path).open()
    assert leavings() == before


def test_data_is_kept_when_it_is_asked_for(tmp_path: Path) -> None:
    tokens = []
    for _ in range(2):
        with Lab(data=tmp_path).open(ready=False) as lab:
            lab.box().wait_unit("sa800-init")
            tokens.append(lab.box().setup_token)
    assert tokens[0] is not None
    assert tokens[0] == tokens[1]


def test_a_taken_port_is_said() -> None:
    before = leavings()
    with Lab().open(ready=False) as first, pytest.raises(OSError, match="in use"):
        Lab(port=first.box().panel_port).open()
    assert leavings() == before


def test_the_kernel_knows_one_process_by_its_start_time() -> None:
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    assert child.stdin is not None
    assert records.start_time(child.pid) is not None
    child.stdin.close()
    until("the child is a zombie or gone", lambda: records.start_time(child.pid) is None, limit_s=5)
    child.wait(5)
