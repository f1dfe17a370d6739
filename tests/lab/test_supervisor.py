"""The supervisor does what the unit files say, on the real units."""

import signal
from collections.abc import Iterator

import pytest

from tests.lab.box import LabError
from tests.lab.lab import Box, Lab
from tests.lab.waiting import until

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def box(nothing_left: None) -> Iterator[Box]:
    with Lab().open(ready=False) as lab:
        lab.box().wait_unit("asterisk")
        yield lab.box()


def test_a_killed_unit_is_started_again(box: Box) -> None:
    before, starts = box.pid("asterisk"), box.units()["asterisk"]["starts"]
    box.kill("asterisk", signal.SIGKILL)
    box.wait_unit("asterisk", limit_s=10, starts=starts + 1)
    assert box.pid("asterisk") not in {None, before}
    assert box.units()["asterisk"]["exit"] == -signal.SIGKILL
    assert "again in 0.2 s" in box.log("asterisk")


def test_a_stopped_unit_stays_stopped_until_it_is_started(box: Box) -> None:
    box.stop_unit("asterisk")
    assert box.units()["asterisk"]["state"] == "stopped"
    assert box.pid("asterisk") is None
    with pytest.raises(LabError, match="no process"):
        box.kill("asterisk")
    box.start_unit("asterisk")
    assert box.pid("asterisk") is not None


def test_a_frozen_unit_can_be_stopped(box: Box) -> None:
    box.kill("asterisk", signal.SIGSTOP)
    box.stop_unit("asterisk")
    box.start_unit("asterisk")


def test_units_run_as_their_users_in_their_order(box: Box) -> None:
    units = box.units()
    assert units["sa800-init"]["state"] == "done"
    assert units["sa800-init"]["starts"] == 1
    owner = box.command("ps", "-o", "user=", "-p", str(units["asterisk"]["pid"])).strip()
    assert owner == "asterisk"


def test_what_both_write_is_writable_by_both(box: Box) -> None:
    for folder in ("/var/spool/asterisk/sa800", "/var/log/asterisk/cel-custom"):
        box.command("touch", f"{folder}/by-asterisk", user="asterisk")
        box.command("rm", f"{folder}/by-asterisk", user="sa800")
    box.command("ls", "/var/lib/sa800/asterisk/current/", user="asterisk")
    with pytest.raises(LabError, match="denied"):
        box.command("cat", "/var/lib/sa800/secrets.json", user="asterisk")


def test_nothing_but_our_processes_runs(box: Box) -> None:
    def commands() -> set[str]:
        return {line.split()[0].rsplit("/", 1)[-1] for line in box.command("ps", "-eo", "args=").splitlines()}

    until("only ours", lambda: commands() <= {"python3", "asterisk", "ps"}, limit_s=5)


def test_an_unknown_request_is_refused(box: Box) -> None:
    with pytest.raises(LabError, match="expected"):
        box.control("reboot")
