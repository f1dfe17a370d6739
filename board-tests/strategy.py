"""Switching the board on, on QEMU and on a bench alike: power, console, shell; and the one panic that is forgiven."""

import logging
from typing import ClassVar

import attr
from labgrid.driver import ShellDriver
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from labgrid.strategy import Strategy, StrategyError, never_retry

LOG = logging.getLogger(__name__)
READY = "board: ready"
"""What the guest says before its first prompt (guest/root/etc/board/shell)."""
BOOT_LIMIT_S = 240
"""The emulated board needs 6 s on an idle machine."""


@target_factory.reg_driver
@attr.s(eq=False)
class BoardStrategy(Strategy):
    bindings: ClassVar[dict[str, type]] = {"power": PowerProtocol, "console": ConsoleProtocol, "shell": ShellDriver}
    panics = attr.ib(default=0, init=False)
    """Kernel panics before the shell. Emulation shows one in some 150 boots; a second one in a row is an error."""

    @never_retry
    def transition(self, status: str) -> None:
        """`shell`: on, with a shell on the console. `off`."""
        if status == "off":
            self.target.deactivate(self.shell)
            self.power.off()
        elif status == "shell":
            self._boot()
            self.target.activate(self.shell)
        else:
            raise StrategyError(f"unknown state {status!r}: off or shell")

    def _boot(self) -> None:
        self.target.activate(self.power)
        self.target.activate(self.console)
        for attempt in (1, 2):
            self.power.on()
            index, before, match, _ = self.console.expect(["Kernel panic[^\r\n]*", READY], BOOT_LIMIT_S)
            if index == 1:
                return
            self.panics += 1
            LOG.warning("boot %d: %s\n%s", attempt, match.group().decode(), before.decode(errors="replace")[-3000:])
            self.power.off()
        raise StrategyError("the kernel panicked before init, twice in a row")
