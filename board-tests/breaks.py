"""Named breaks of what is tested, each with the test that must turn red: `make board-mutate`.

They are made in the copy that the board boots (parts.py, BOARD_BREAK=name); no file of the repository changes.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Break:
    what: str
    test: str
    """pytest's arguments: the one test that must see it."""
    file: str
    """How the path of the one file ends."""
    old: str
    new: str


BREAKS = {
    "law": Break(
        "our end of the R2 span is told µ-law", "test_calls.py -k 'test_in_by_a_trunk and R2'",
        "etc/dahdi/system.conf", "alaw=94-108,110-124", "mulaw=94-108,110-124",
    ),
    "ANI": Break(
        "our ports hear no caller id", "test_analog.py -k DTMF",
        "etc/board/analog/chan_dahdi.conf", "usecallerid = yes", "usecallerid = no",
    ),
    "cadence": Break(
        "the busy cadence of zone cn is no reason to hang up", "test_hangup.py -k killed",
        "appliance_agent/hangup/ear.py", "    Named.BUSY: Cause.NORMAL,\n", "",
    ),
    "cause": Break(
        "calls end with another cause", "test_calls.py -k 'test_in_by_a_trunk and PRI'",
        "etc/board/both/extensions.conf", "Hangup(16)", "Hangup(21)",
    ),
    "DNIS": Break(
        "our R2 end takes three digits of four", "test_calls.py -k 'test_in_by_a_trunk and R2'",
        "etc/dut/chan_dahdi.conf", "mfcr2_max_dnis = 4", "mfcr2_max_dnis = 3",
    ),
    "level": Break(
        "our ports turn down what comes in", "test_analog.py -k test_out_by",
        "etc/board/analog/chan_dahdi.conf", "busydetect = no", "busydetect = no\nrxgain = -3.0",
    ),
    "alarm": Break(
        "spans in alarm are not told", "test_cable.py",
        "etc/dut/chan_dahdi.conf", "reportalarms = all", "reportalarms = none",
    ),
    "flash": Break(
        "a flash calls no second dial tone", "test_analog.py -k flash",
        "etc/board/analog/chan_dahdi.conf", "threewaycalling = yes", "threewaycalling = no",
    ),
}  # fmt: skip
TO_COME = {
    "echo": "needs line tests, or an echo canceller on the emulated lines",
    "clock": "cross-connected spans have no clock source: the order is golden-tested, the rest is for the bench",
}


class BreakError(Exception):
    """What was to be broken is not there, or there twice."""


def apply(tree: Path, name: str) -> None:
    """Breaks one file below `tree`. Raises BreakError when the break does not fit what is there any more."""
    made = BREAKS[name]
    found = [path for path in tree.rglob(Path(made.file).name) if path.as_posix().endswith("/" + made.file)]
    if len(found) != 1 or made.old not in found[0].read_text():
        raise BreakError(
            f"break {name!r}: {made.old!r} is not in {made.file} ({len(found)} such files); mend breaks.py"
        )
    found[0].write_text(found[0].read_text().replace(made.old, made.new))
    for compiled in found[0].parent.glob(f"__pycache__/{found[0].stem}.*.pyc"):  # never checked against its source
        compiled.unlink()
