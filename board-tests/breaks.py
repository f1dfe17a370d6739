"""Named breaks of what is tested, each with the test that must turn red for it: `make board-mutate`.

They are made in copies: of what the board boots (parts.py), or of the repository. No file of the repository changes.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Where(Enum):
    """Which tests see a break."""

    BOARD = "board"
    RENDER = "render"
    """What cross-connected spans cannot show: the golden files see it, and a bench."""


@dataclass(frozen=True, slots=True)
class Break:
    what: str
    test: str
    """file::name of the one test that must see it."""
    says: str
    """A part of what that test says then: it must be red for this reason, not for another."""
    file: str
    """How the path of the one file ends."""
    old: str
    new: str
    where: Where = Where.BOARD


# Made all at once: no two of the board's may spoil each other's test.
BREAKS = {
    "law": Break(
        "our end of the R2 span is told µ-law", "test_calls.py::test_out_by_a_trunk[R2]", "dBm0",
        "etc/dahdi/system.conf", "alaw=94-108,110-124", "mulaw=94-108,110-124",
    ),
    "ANI": Break(
        "our ports hear no caller id", "test_analog.py::test_in_by_an_fxo_port[DTMF]", "== ('13800138000', '')",
        "etc/board/analog/chan_dahdi.conf", "usecallerid = yes", "usecallerid = no",
    ),
    "cadence": Break(
        "the busy cadence of zone cn is no reason to hang up",
        "test_hangup.py::test_killed_and_started_again_it_goes_on", "no onhook",
        "appliance_agent/hangup/ear.py", "    Named.BUSY: Cause.NORMAL,\n", "",
    ),
    "cause": Break(
        "calls end with another cause", "test_calls.py::test_in_by_a_trunk[PRI]", "21 == 16",
        "etc/board/both/extensions.conf", "Hangup(16)", "Hangup(21)",
    ),
    "DNIS": Break(
        "our R2 end takes three digits of four", "test_calls.py::test_in_by_a_trunk[R2]", "g2/8001 was not answered",
        "etc/dut/chan_dahdi.conf", "mfcr2_max_dnis = 4", "mfcr2_max_dnis = 3",
    ),
    "echo": Break(
        "our ports cancel no echo", "test_analog.py::test_the_echo_of_a_line_is_cancelled", "the echo is gone",
        "etc/board/analog/chan_dahdi.conf", "echocancel = 1024", "echocancel = no",
    ),
    "level": Break(
        "our ports turn down what comes in", "test_analog.py::test_out_by_an_fxo_port", "dBm0",
        "etc/board/analog/chan_dahdi.conf", "busydetect = no", "busydetect = no\nrxgain = -3.0",
    ),
    "alarm": Break(
        "a red alarm is none", "test_hardware.py::test_lines_are_found_and_keep_their_names", "{'e1-2': ['red']}",
        "hal/linux/voice.py", "    0x08: Alarm.RED,\n", "",
    ),
    "flash": Break(
        "a flash calls no second dial tone", "test_analog.py::test_from_a_telephone_with_flash", "the flash was heard",
        "etc/board/analog/chan_dahdi.conf", "threewaycalling = yes", "threewaycalling = no",
    ),
    "clock": Break(
        "no span is a source of the clock", "tests/golden/test_render.py::test_golden[lines]", "dahdi.d/lines.json",
        "appliance_agent/render/line_plan.py", "groups, framing, span.clock)", "groups, framing, 0)", Where.RENDER,
    ),
}  # fmt: skip


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
