"""Switching the board on, on QEMU and on a bench alike: power, console, shell; and the one panic that is forgiven."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import attr
from labgrid.driver import QEMUDriver, ShellDriver
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from labgrid.strategy import Strategy, StrategyError, never_retry
from labgrid.util.qmp import QMPError
from saved import Saved

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
        if self.is_emulated:
            self._parameters, self._arguments = self.power.boot_args, self.power.extra_args

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

    def begin(self, state: str, boot: str, make: Callable[[], object], *, anew: bool, again: bool) -> bool:
        """The board in `state`, which `make` brings it into after `boot`. True: really made, and not a saved one.

        It is made once a run, and saved where it is wanted `again`; who asks later has the saved one. Not who wants it
        `anew`, and never on a bench.
        """
        saved = Saved(Path(os.environ["LG_PARTS"]), state)
        with saved.alone():
            if not saved:
                make()
                if again and self.is_emulated:
                    saved.save(self.power, self._image)
                return True
        if anew:
            make()
        else:
            self._restore(saved, boot)
        return anew

    @never_retry
    def _restore(self, saved: Saved, boot: str) -> None:
        self.target.deactivate(self.shell)
        self.target.deactivate(self.power)  # switches it off
        self.target.env.config.data["images"]["saved"] = str(saved.disk)
        self._arrange(boot, "saved", "-incoming defer")
        self.target.activate(self.power)
        self.target.activate(self.console)
        self.power.on()
        try:
            saved.load(self.power)
        except (QMPError, OSError) as error:
            self.power.status = 0  # it is over, and cannot be switched off
            raise StrategyError(f"{saved.disk.stem}: QEMU does not take this saved state; it said why") from error
        self.console.sendline("")  # for the prompt, which was there before
        self.target.activate(self.shell)

    def _arrange(self, boot: str, disk: str, arguments: str = "") -> None:
        """The emulator that is started next."""
        self.power.boot_args = f"{self._parameters} board={boot}"
        self.power.disk = disk
        self.power.extra_args = f"{self._arguments} {arguments}"

    @property
    def _image(self) -> Path:
        return Path(self.target.env.config.get_image_path("disk"))

    def _emulated(self, status: str) -> None:
        self.target.deactivate(self.power)  # switches it off
        if status != "off":
            self._arrange(status, "disk")
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
