"""The board's console on this terminal, until the board switches itself off. Ctrl-] ends it, and the board with it.

python shell.py kernel | product: what is booted; the kernel's lines are made.
"""

import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Iterator

import strategy  # noqa: F401 - registers BoardStrategy
from labgrid import Environment, Target
from pexpect import TIMEOUT
from product import Product

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


def prepared(target: Target, boot: str) -> str:
    """Switches the board on; what a person should know then."""
    target.get_driver("BoardStrategy").transition(boot)
    if boot == "product":
        product = Product(target)
        return f"panel {product.url}/ , first start: {product.setup_url()}"
    target.get_driver("ShellDriver").run_check("/etc/board/lines")
    return "/etc/board/party start exchange|dut starts an Asterisk."


def main(boot: str) -> None:
    print("the emulated board starts: a minute or two …", flush=True)
    target = Environment(os.environ["LG_ENV"]).get_target()
    try:
        print(f"The board's shell; Ctrl-] ends it. {prepared(target, boot)}", flush=True)
        follow(target)
    except KeyboardInterrupt:
        print("\nstopping …", flush=True)
    finally:
        target.cleanup()


def follow(target: Target) -> None:
    """Until Ctrl-], the terminal's end or the board's."""
    console, keys = target.get_driver("ConsoleProtocol"), sys.stdin.fileno()
    power = target.get_driver("BoardStrategy")
    with raw(keys):
        console.write(b"\r")
        while True:
            if select.select([keys], [], [], 0)[0]:
                pressed = os.read(keys, 1024)
                if not pressed or END in pressed:
                    return
                console.write(pressed)
            try:
                os.write(sys.stdout.fileno(), console.read(timeout=0.05))
            except TIMEOUT:
                if power.is_over:
                    return


if __name__ == "__main__":
    main(sys.argv[1])
