"""Switching the board on, on QEMU and on a bench alike: power, console, shell; and the one panic that is forgiven."""

import logging
from typing import ClassVar

import attr
from labgrid.driver import QEMUDriver, ShellDriver
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from labgrid.strategy import Strategy, StrategyError, never_retry

LOG = logging.getLogger(__name__)
READY = "board: ready"
"""What the emulated board says before its first prompt (guest/shared/etc/board/shell)."""
BOOT_LIMIT_S = {"kernel": 240, "product": 900}
"""The emulated board needs 6 s to the kernel's shell and about a minute to the product's, on an idle machine."""


@target_factory.reg_driver
@attr.s(eq=False)
class BoardStrategy(Strategy):
    bindings: ClassVar[dict[str, type]] = {"power": PowerProtocol, "console": ConsoleProtocol, "shell": ShellDriver}
    panics: list[str] = attr.ib(factory=list, init=False)
    """What the kernel said when it panicked before the shell. Emulation shows one in some 150 boots; a second one in a
    row is an error."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._parameters = self.power.boot_args if self.is_emulated else None

    @property
    def is_emulated(self) -> bool:
        return isinstance(self.power, QEMUDriver)

    @property
    def is_over(self) -> bool:
        """The board has switched itself off. On a bench nothing tells: its console is silent."""
        return self.is_emulated and self.power.monitor_command("query-status")["status"] == "shutdown"

    @never_retry
    def transition(self, status: str) -> None:
        """`kernel`: the kernel with the tests' own small init. `product`: the box as it is. Both: freshly switched on,
        with a shell on the console. `off`."""
        if status not in {"off", *BOOT_LIMIT_S}:
            raise StrategyError(f"unknown state {status!r}: expected off, {' or '.join(BOOT_LIMIT_S)}")
        self.target.deactivate(self.shell)
        if self.is_emulated:
            self._emulated(status)
        else:
            self._on_bench(status)

    def _emulated(self, status: str) -> None:
        self.target.deactivate(self.power)  # switches it off
        if status != "off":
            self.power.boot_args = f"{self._parameters} board={status}"
            self._boot(BOOT_LIMIT_S[status])
            self.target.activate(self.shell)

    def _on_bench(self, status: str) -> None:
        self.target.activate(self.power)
        match status:
            case "off":
                self.power.off()
            case "product":
                self.power.cycle()
                self.target.activate(self.shell)  # waits for the log-in on the console
            case _:
                raise StrategyError("a bench boots the product from its disk; tests of the bare kernel need QEMU")

    def _boot(self, limit_s: float) -> None:
        self.target.activate(self.power)
        self.target.activate(self.console)
        for attempt in (1, 2):
            self.power.on()
            index, before, match, _ = self.console.expect(["Kernel panic[^\r\n]*", READY], limit_s)
            if index == 1:
                return
            self.panics.append(match.group().decode())
            LOG.warning("boot %d: %s\n%s", attempt, self.panics[-1], before.decode(errors="replace")[-3000:])
            self.power.off()
        raise StrategyError("the kernel panicked before init, twice in a row")
