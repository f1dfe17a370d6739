"""The supervisor reads our own unit files whole, and refuses what it does not understand."""

from pathlib import Path

import pytest

from tests.lab.lab import BOX_UNITS
from tests.lab.unitfile import UnitError, load, parse, seconds

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "image/files/usr/lib/systemd/system"
ON_CARDS = {"sa800-lines"}
"""Not played in the lab: there is no DAHDI for it to set up. The board tests boot it."""
BY_A_CARD = "sa800-hangup"
"""udev starts it: a box without lines has nothing for it to listen to."""
LEAST = "[Service]\nExecStart=/bin/true\n"


def test_all_units_of_the_box_are_understood_and_in_order() -> None:
    units = load(UNITS, list(BOX_UNITS))
    names = [unit.name for unit in units]
    assert names[0] == "sa800-init"
    assert set(names) == set(BOX_UNITS) == {path.stem for path in UNITS.glob("*.service")} - ON_CARDS - {BY_A_CARD}
    by_name = {unit.name: unit for unit in units}
    wants = (UNITS / "multi-user.target.d/sa800.conf").read_text().partition("Wants=")[2].split()
    assert {"sa800-lines.path", *(f"{name}.service" for name in {*names, *ON_CARDS})} == set(wants), (
        "the box starts the same"
    )
    rules = (UNITS.parents[1] / "udev/rules.d/60-dahdi.rules").read_text()
    assert f"{BY_A_CARD}.service" in rules, "a card that comes starts it"
    assert by_name["sa800-init"].type == "oneshot"
    assert by_name["asterisk"].restart == "always"
    assert by_name["asterisk"].restart_s == pytest.approx(0.2)
    assert by_name["sa800-agent"].user == "sa800"
    assert by_name["sa800-agent"].environment["PYTHONPATH"] == "/usr/lib/sa800"


def test_a_card_that_comes_while_others_are_looked_at_is_looked_for() -> None:
    """To start what runs does nothing: udev leaves a mark, taken away before the look and looked for after it."""
    (mark,) = [line for line in (UNITS / "sa800-lines.path").read_text().splitlines() if line.startswith("PathExists=")]
    place = mark.partition("=")[2]
    rules = (UNITS.parents[1] / "udev/rules.d/60-dahdi.rules").read_text().splitlines()
    assert [rule for rule in rules if 'SUBSYSTEM=="dahdi_devices"' in rule and f"touch {place}" in rule]
    steps = [line for line in (UNITS / "sa800-lines.service").read_text().splitlines() if line.startswith("Exec")]
    assert steps[0] == f"ExecStartPre=/usr/bin/rm -f {place}" and "hal.setup" in steps[1]


def test_the_exchange_unit_is_understood() -> None:
    assert load(ROOT / "tests/lab/exchange", ["exchange"])[0].type == "notify"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[Service]\nPrivateNetwork=yes", "not known"),
        ("[Socket]\nListenStream=443", "not known"),
        ("[Service]\nRestart=sometimes", "not one of"),
        ("[Service]\nRestartSec=soon", "time span"),
        ("[Service]\nExecStart=-/bin/false", "absolute"),
        ("[Service]\nExecStart=/bin/echo %i", "absolute"),
        ("[Service]\nType=forking", "not one of"),
        ("[Service]\nRemainAfterExit=perhaps", "neither"),
        ("[Service]\nUser", "Key=value"),
        ("[Service]\nEnvironment=A=1 \\", "one line"),
        ("[Service]\nUser=a\nUser=b", "twice"),
        ("[Service]\nUMask=9", "UMask"),
    ],
)
def test_what_is_not_understood_is_an_error_with_its_place(line: str, words: str) -> None:
    with pytest.raises(UnitError, match=words) as caught:
        parse("x", LEAST.replace("ExecStart=/bin/true\n", "") + line + "\n")
    assert "x.service:" in str(caught.value)


def test_a_unit_without_a_program_is_an_error() -> None:
    with pytest.raises(UnitError, match="no ExecStart"):
        parse("x", "[Service]\nUser=root\n")


def test_a_circle_is_an_error(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.service").write_text(f"[Unit]\nAfter={other}.service\n{LEAST}")
    with pytest.raises(UnitError, match="wait for each other: a, b"):
        load(tmp_path, ["a", "b"])


def test_time_spans() -> None:
    assert [seconds(text) for text in ("5", "0.2", "200ms", "2min", "infinity")] == [5, 0.2, 0.2, 120, float("inf")]


def test_environments_add_up() -> None:
    unit = parse("x", LEAST + 'Environment=A=1 "B=two words"\nEnvironment=A=3\n')
    assert unit.environment == {"A": "3", "B": "two words"}
