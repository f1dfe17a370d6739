"""The board's console on this terminal, with its lines made. Ctrl-] ends it, and the board with it."""

import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Iterator

import strategy  # noqa: F401 - registers BoardStrategy
from labgrid import Environment
from pexpect import TIMEOUT

END = b"\x1d"  # Ctrl-]


@contextlib.contextmanager
def raw(terminal: int) -> Iterator[None]:
    """Every key goes to the board, Ctrl-C too."""
    before = termios.tcgetattr(terminal)
    tty.setraw(terminal)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def main() -> None:
    environment = Environment(os.environ.get("LG_ENV", "qemu.yaml"))
    target = environment.get_target()
    power = target.get_driver("BoardStrategy")
    power.transition("shell")
    target.get_driver("ShellDriver").run_check("/etc/board/lines")
    console, keys = target.get_driver("ConsoleProtocol"), sys.stdin.fileno()
    print("The board's shell; Ctrl-] ends it. /etc/board/party start exchange|dut starts an Asterisk.", flush=True)
    with raw(keys):
        console.write(b"\r")
        while True:
            if select.select([keys], [], [], 0)[0]:
                pressed = os.read(keys, 1024)
                if not pressed or END in pressed:
                    break
                console.write(pressed)
            with contextlib.suppress(TIMEOUT):
                os.write(sys.stdout.fileno(), console.read(timeout=0.05))
    power.transition("off")


if __name__ == "__main__":
    main()
