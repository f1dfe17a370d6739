"""Restart and power-off by systemd (`systemctl`, which asks logind: an unprivileged service needs a polkit rule)."""

import asyncio
import shutil
from collections.abc import Set
from pathlib import Path

from hal.capabilities import Capability, require
from hal.errors import DeviceFailed, Refused, TimedOut
from hal.protocols.power import MOST_REASON

SYSTEMD_RUNS = Path("/run/systemd/system")
"""There when systemd is process 1 (sd_booted)."""
WITHIN_S = 30


class Systemd:
    def __init__(self, program: str = "systemctl", runs: Path = SYSTEMD_RUNS) -> None:
        """Blocking: looks whether systemd runs here."""
        self._program = shutil.which(program) if runs.is_dir() else None
        can = {Capability.REBOOT, Capability.POWER_OFF} if self._program else set()
        self.capabilities: Set[Capability] = frozenset(can)

    async def reboot(self, reason: str) -> None:
        await self._ask(Capability.REBOOT, "reboot", reason)

    async def power_off(self, reason: str) -> None:
        await self._ask(Capability.POWER_OFF, "poweroff", reason)

    async def _ask(self, capability: Capability, verb: str, reason: str) -> None:
        require(capability, self.capabilities, "this system", hint="systemd does not run here")
        if not reason.isprintable() or not 0 < len(reason) <= MOST_REASON:
            raise Refused(f"a reason is one line of up to {MOST_REASON} characters, not {reason!r}")
        assert self._program
        process = await asyncio.create_subprocess_exec(
            self._program,
            "--no-ask-password",
            f"--message={reason}",
            verb,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(WITHIN_S):
                _, said = await process.communicate()
        except TimeoutError:
            raise TimedOut(f"systemctl {verb} gave no answer within {WITHIN_S} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            words = said.decode(errors="replace").strip() or f"exit status {process.returncode}"
            raise DeviceFailed(f"systemctl {verb}: {words}", hint="may the service's user do this? (polkit)")
