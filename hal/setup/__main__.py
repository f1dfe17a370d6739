"""python3 -m hal.setup BOX_TOML PLAN NAMES REPORT: brings the box's lines up; one line of log for each thing done.

Runs as root before Asterisk and again when a card came. It ends well whatever the hardware does: Asterisk and the agent
start without the lines that could not be brought up, and the report says why. No PLAN file: no line is configured yet.
"""

import asyncio
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from hal.boards import BOARDS, SA800, Board
from hal.errors import HalError, NamesDamaged
from hal.linux.box import LinuxBox
from hal.lock import hold
from hal.model.inventory import CardId, Inventory
from hal.model.lines import Naming
from hal.names_file import NamesFile
from hal.protocols.box import Box
from hal.setup import plan, report
from hal.setup.bring_up import bring_up
from hal.setup.plan import LinePlan, NoPlan
from hal.setup.report import Report

LIMIT_S = 60.0
ROUNDS = 5
"""A card that comes meanwhile is told to systemd, which does not start twice what runs: it is looked for here."""
AGENT_LIMIT_S = 25.0
"""The agent configures lines for 20 s at most (system/lines/set_up.py)."""
TONES = ("/usr/sbin/dahdi_cfg", "-c", "/etc/dahdi/tones.conf")
"""Loads the country's tones for telephone sets; the file says nothing of spans or channels."""
TONES_LIMIT_S = 10.0
CONTROL = Path("/dev/dahdi/ctl")


def say(text: str) -> None:
    print(text, flush=True)


async def set_up(box: Box, identity: Path, plan_file: Path, names_file: Path, report_file: Path) -> Report:
    """Blocking reads and writes of small files; nothing else runs here."""
    troubles: list[str] = []
    plans: tuple[LinePlan, ...] = ()
    try:
        # From the plan to the report: the agent configures lines that were changed, and reports them.
        with hold(report_file, AGENT_LIMIT_S):
            plans = _plans(plan_file, troubles)
            told = await _bring_up(box, _board(identity, troubles), NamesFile(names_file), plans, troubles)
            told = Report(told.lines, told.missing, (*troubles, *told.troubles))
            _write(report_file, report.to_json(told))
    except (HalError, OSError) as error:
        told = Report(missing=_all(plans), troubles=(*troubles, str(error)))
    return told


async def _bring_up(
    box: Box, board: Board, names: NamesFile, plans: tuple[LinePlan, ...], troubles: list[str]
) -> Report:
    def name(inventory: Inventory) -> Naming:
        return _named(names, inventory, troubles)

    try:
        async with asyncio.timeout(LIMIT_S):
            for _ in range(ROUNDS):
                before = await _cards(box)
                told = await bring_up(box, board, name, plans, say)
                if await _cards(box) <= before:
                    break
            return told
    except TimeoutError:
        return Report(missing=_all(plans), troubles=(f"the cards did not answer within {LIMIT_S:.0f} s",))
    except (HalError, OSError) as error:
        return Report(missing=_all(plans), troubles=(str(error),))


async def _cards(box: Box) -> frozenset[CardId]:
    return frozenset(card.id for card in (await box.inventory()).cards)


def _board(identity: Path, troubles: list[str]) -> Board:
    """Which edition the box is (box.toml)."""
    try:
        edition = tomllib.loads(identity.read_text(encoding="utf-8")).get("edition", SA800.name).upper()
    except (OSError, ValueError, AttributeError) as error:
        troubles.append(f"{identity}: {error}; taken for an {SA800.name}")
        return SA800
    if edition not in BOARDS:
        troubles.append(f"{identity}: edition {edition!r} is none of {', '.join(BOARDS)}; taken for an {SA800.name}")
    return BOARDS.get(edition, SA800)


def _plans(file: Path, troubles: list[str]) -> tuple[LinePlan, ...]:
    try:
        return plan.from_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (NoPlan, OSError) as error:
        troubles.append(f"{file}: {error}; apply the configuration again")
        return ()


def _named(file: NamesFile, inventory: Inventory, troubles: list[str]) -> Naming:
    """A damaged file is set aside: a box that cannot tell its lines apart any more has none at all."""
    try:
        naming = file.name(inventory)
    except NamesDamaged as error:
        if recovered := file.recover():
            troubles.append(
                f"{error.message}; it lies in {recovered.set_aside} now, look whether lines changed their names"
            )
        naming = file.name(inventory)
    _hand_over(file)
    return naming


def _hand_over(file: NamesFile) -> None:
    """The agent writes the names too: the file belongs to whom the folder belongs to."""
    owner = file.path.parent.stat()
    for path in (file.path, file.before):
        if path.exists():
            os.chown(path, owner.st_uid, owner.st_gid)


def _write(file: Path, text: str) -> None:
    part = file.with_name(file.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.chmod(0o664)
    part.replace(file)


def _all(plans: tuple[LinePlan, ...]) -> tuple[str, ...]:
    return tuple(sorted(one.name for one in plans))


def main(arguments: list[str]) -> int:
    if len(arguments) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    if CONTROL.exists():
        _load_tones()
    identity, plan_file, names_file, report_file = (Path(argument) for argument in arguments)
    told = asyncio.run(set_up(LinuxBox(), identity, plan_file, names_file, report_file))
    for line in told.lines:
        say(f"{line.name}: span {line.span}, channel {line.channel}: {line.trouble or _state(line.configured)}")
    for name in told.missing:
        say(f"{name}: missing")
    for trouble in told.troubles:
        say(f"trouble: {trouble}")
    return 0


def _load_tones() -> None:
    try:
        done = subprocess.run(TONES, capture_output=True, text=True, timeout=TONES_LIMIT_S, check=False)
        if done.returncode:
            say(f"trouble: {' '.join(TONES)} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"trouble: {error}; telephone sets have no tones")


def _state(configured: bool) -> str:
    return "as planned" if configured else "not configured"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
