"""Takes lines out of Asterisk, has them configured, and gives them back: only those that a change is about."""

import asyncio
import time
from collections.abc import Collection

import structlog

from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault
from appliance_agent.render.apply_lines import field_of_line, lines_without_channels, plans_of
from appliance_agent.render.apply_reloads import ReloadPlan
from appliance_agent.render.apply_stage import RenderedVersions
from appliance_agent.render.control import AsteriskControl, LineSetup, Log

log = structlog.get_logger()

HANG_UP_LIMIT_S = 10.0
RESTART_LIMIT_S = 20.0
LOOK_S = 0.1
MODULE = "chan_dahdi.so"


async def calls_ended_by(plan: ReloadPlan, control: AsteriskControl) -> int:
    """How many calls the plan would end now. Raises what `control` raises."""
    if plan.restart:
        return await control.active_calls()
    return len(await _owners(plan, control)) if plan.held else 0


class LinesOutAndIn:
    def __init__(self, control: AsteriskControl, setup: LineSetup, versions: RenderedVersions) -> None:
        self._control, self._setup, self._versions = control, setup, versions
        self._restarted_for: set[str] = set()
        """Lines for which Asterisk was started anew since the last report of the lines: no second time."""

    async def take_out(self, plan: ReloadPlan, version: int, note: Log) -> None:
        """Ends what calls are left on the plan's lines, has Asterisk let go of them and configures them as `version`
        says. May be repeated. Raises Fault INVALID with the lines that did not become what they should be."""
        files = await asyncio.to_thread(self._versions.read, version)
        if plan.held:
            await self._hang_up(plan, note)
        if plan.restart and plan.held:
            # The kernel configures no channel that is open. With SS7 nothing less lets go of all.
            note(f"module unload {MODULE}")
            await self._control.unload(MODULE)
        elif not plan.restart:
            for change in plan.lines:
                for command in change.destroy:
                    await self._tell(command, note)
        troubles = await self._setup.configure(plans_of(files, {change.line for change in plan.lines}), note)
        if troubles:
            raise Fault(
                FaultKind.INVALID, "config.lines", "; ".join(f"{line}: {why}" for line, why in troubles.items())[:1000],
                hint="The version before runs again. Look at the named lines.",
                fields=[FieldFault(field_of_line(line, files), why) for line, why in troubles.items()],
            )  # fmt: skip

    async def give_back(self, plan: ReloadPlan, note: Log) -> None:
        for change in plan.lines:
            if change.create:
                await self._tell(change.create, note)

    def lines_reported(self) -> None:
        """Another report: a card came or went. What a restart did not bring, another one may. (The one before may have
        been for a card that was just going, or for a return that is over.)"""
        self._restarted_for.clear()

    async def take_back(self, files: dict[str, str], there: Collection[str]) -> None:
        """Gives Asterisk the lines of `files` that it gave up when their card went; their card is back and configured
        (`there`). Beside SS7 that takes a restart, which waits for a moment without calls: raises Fault UNAVAILABLE."""
        plan = lines_without_channels(files, await self._control.line_channels(), there)
        names = {change.line for change in plan.changes}
        if plan.ss7 and names - self._restarted_for:
            if await self._control.active_calls():
                message = f"{', '.join(sorted(names))}: beside SS7 a line comes back when no call is up"
                raise Fault(FaultKind.UNAVAILABLE, "config.lines_wait", message)
            self._restarted_for |= names
            log.info("Asterisk starts anew for lines that are back", lines=sorted(names))
            await self._control.restart(limit_s=RESTART_LIMIT_S)
        elif not plan.ss7:
            for change in plan.changes:
                for command in (*change.destroy, change.create):
                    await self._tell(command, lambda told: log.info("a line is back", command=told))

    async def _tell(self, command: str, note: Log) -> None:
        note(command)
        await self._control.command(command)

    async def _hang_up(self, plan: ReloadPlan, note: Log) -> None:
        """Asterisk frees a channel that it destroys without looking whether somebody talks on it."""
        until = time.monotonic() + HANG_UP_LIMIT_S
        while owners := await _owners(plan, self._control):
            if time.monotonic() > until:
                raise Fault(
                    FaultKind.UNAVAILABLE, "config.line_busy", f"The calls on these lines do not end: {owners}",
                    hint="Apply again; if it stays so, restart the box at a quiet time.",
                )  # fmt: skip
            for channel in owners:
                note(f"hang up {channel}")
                await self._control.hang_up(channel)
            await asyncio.sleep(LOOK_S)


async def _owners(plan: ReloadPlan, control: AsteriskControl) -> list[str]:
    """Names of Asterisk's channels on the plan's lines."""
    return [name for number, name in (await control.line_channels()).items() if number in plan.held and name]
