"""Configures lines while the box runs: what `sa800-lines` does at boot, for the lines that a change is about."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.files import write_atomically
from hal.boards import Board, admit
from hal.errors import HalError
from hal.lock import hold
from hal.model.lines import name_lines
from hal.names_file import NamesFile
from hal.protocols.box import Box
from hal.setup.bring_up import Seen, bring_up_line
from hal.setup.plan import LinePlan
from hal.setup.report import LineReport, NoReport, Report, from_json, to_json

LIMIT_S = 20.0
SA800_LINES_LIMIT_S = 8.0
"""Beside cards that answer it needs a second; a step of an apply job ends after 30."""


class LinesSetUp:
    """Satisfies render.control.LineSetup. `report`: the file of `sa800-lines`; what changes is written there."""

    def __init__(self, box: Box, board: Board, names: NamesFile, report: Path) -> None:
        self._box, self._board, self._names, self._report = box, board, names, report

    async def configure(self, plans: Sequence[LinePlan], log: Callable[[str], None]) -> Mapping[str, str]:
        if not plans:
            return {}
        try:
            # From configuring to the report: sa800-lines does the same when a card comes.
            with await asyncio.to_thread(hold, self._report, SA800_LINES_LIMIT_S):
                async with asyncio.timeout(LIMIT_S):
                    done = await self._configure(plans, log)
                await asyncio.to_thread(self._tell, done)
        except TimeoutError as error:
            raise _away(f"the cards did not answer within {LIMIT_S:.0f} s") from error
        except (HalError, OSError) as error:
            raise _away(str(error)) from error
        return {line.name: line.trouble for line in done if line.trouble}

    async def note_gone(self) -> None:
        """The report loses the lines that are there no more, and those that another card took over get their new place:
        `sa800-lines` tells what came, nobody else of these. Raises Fault UNAVAILABLE."""
        try:
            with await asyncio.to_thread(hold, self._report, SA800_LINES_LIMIT_S):
                async with asyncio.timeout(LIMIT_S):
                    inventory = await self._box.inventory()
                naming = name_lines(await asyncio.to_thread(self._names.load), inventory)
                there = {line.channel: line.name for line in naming.lines if line.channel}
                await asyncio.to_thread(self._follow, there)
        except TimeoutError as error:
            raise _away(f"the cards did not answer within {LIMIT_S:.0f} s") from error
        except (HalError, OSError) as error:
            raise _away(str(error)) from error

    def _follow(self, there: Mapping[int, str]) -> None:
        """`there`: first channel → name. Blocking."""
        before = self._read()
        lines = tuple(_called(there[line.channel], line) for line in before.lines if line.channel in there)
        if lines != before.lines:
            planned = {line.name for line in before.lines if line.configured or line.trouble}
            missing = {*before.missing, *planned} - {line.name for line in lines}
            self._write(Report(lines, tuple(sorted(missing)), before.troubles))

    def _read(self) -> Report:
        try:
            return from_json(self._report.read_text(encoding="utf-8"))
        except (FileNotFoundError, NoReport):
            return Report()

    def _write(self, report: Report) -> None:
        write_atomically(self._report, to_json(report).encode("utf-8"), mode=0o664)

    async def _configure(self, plans: Sequence[LinePlan], log: Callable[[str], None]) -> list[LineReport]:
        inventory = await self._box.inventory()
        naming = name_lines(await asyncio.to_thread(self._names.load), inventory)
        there = {line.name: line for line in admit(self._board, inventory, naming.lines).lines if line.channel}
        seen = Seen(inventory, naming.names)
        return [
            await bring_up_line(self._box, seen, there[plan.name], plan, log, anew=True)
            for plan in plans
            if plan.name in there
        ]

    def _tell(self, done: list[LineReport]) -> None:
        """Blocking. Lines that are left out of Asterisk's files are those with trouble in the report."""
        before = self._read()
        fresh = {line.name: line for line in done}
        lines = [fresh.pop(line.name, line) for line in before.lines]
        self._write(Report((*lines, *fresh.values()), before.missing, before.troubles))


def _called(name: str, line: LineReport) -> LineReport:
    """Nothing was tried yet under another name."""
    return line if line.name == name else LineReport(name, line.span, line.channel, line.channels)


def _away(reason: str) -> Fault:
    return Fault(
        FaultKind.UNAVAILABLE, "lines.away", f"The lines could not be configured: {reason}",
        hint="Look at the cards on the page of the lines.",
    )  # fmt: skip
