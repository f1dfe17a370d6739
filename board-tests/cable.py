"""The cable between the exchange and our end of a span: pulled, put back, and what has to be done then."""

import datetime
import re
from dataclasses import dataclass

from board import Board, Party, until
from wire import LIMIT_S

LOG = "/var/log/dut/link.log"
"""What our end's PRI link says from `watch` on."""


def at_second(log: str, pattern: str) -> float | None:
    """When the log first says it, in seconds of the board's clock."""
    for line in log.splitlines():
        if re.search(pattern, line) and (stamp := re.match(r"\[([^\]]+)\]", line)):
            return datetime.datetime.fromisoformat(f"{stamp[1]}+00:00").timestamp()
    return None


def in_service_s(log: str) -> float | None:
    """How long after the far end's first SABME our PRI link was in service, in seconds. None: the log does not say."""
    first, up = at_second(log, "< .*SABME"), at_second(log, r"to 7\(Multi-frame established\)")
    return up - first if first and up else None


@dataclass(frozen=True, slots=True)
class Cable:
    """Nobody may hold the exchange's channels when its end goes: its Asterisk is killed first and goes unannounced."""

    kind: str
    """As /etc/dahdi/system.conf has it: PRI, SS7."""
    address: str
    """Of the exchange's end."""
    span: int
    """Number of our end."""
    channels: int = 31

    def _do(self, board: Board, *what: object) -> str:
        return board.run(" ".join(map(str, ("/etc/board/cable", *what))))

    def alarms(self, board: Board) -> str:
        """Our end's alarms, as the kernel says: 0x0 is none, 0x8 is red."""
        return board.run(f"cat /sys/bus/dahdi_spans/devices/span-{self.span}/alarms")

    def pull(self, board: Board) -> float:
        """When it was pulled, in seconds of the board's clock."""
        return float(self._do(board, "pull", self.address, self.channels))

    def plug(self, board: Board) -> float:
        """When it was plugged in. The exchange's end has its old numbers, but is not configured."""
        return float(self._do(board, "plug", self.address, self.channels))

    def flap(self, board: Board, times: int) -> float:
        """Pulls it and plugs it in, so many times, as fast as our end notices. Says how long that took, in seconds."""
        return float(self._do(board, "flap", self.address, self.channels, times, self.span))

    def back(self, board: Board) -> Party:
        """The exchange, on a cable that was plugged in again."""
        board.run(f"/etc/board/lines again {self.kind}")
        (exchange,) = board.start("exchange")
        return exchange

    def watch(self, dut: Party) -> None:
        """From now on our end writes down what its PRI link does: `pri show spans` calls it up before it is."""
        dut.ami.command("logger add channel link.log verbose")
        dut.ami.command(f"pri set debug 5 span {self.span}")

    def service_s(self, board: Board) -> float:
        """Waits until our end's PRI link is in service: how long that is after the far end's first SABME, in seconds.

        The far end may be in service up to a second earlier (README): a call of it before is lost.
        """

        def took() -> tuple[float] | None:
            seconds = in_service_s(board.run(f"cat {LOG}"))
            return None if seconds is None else (seconds,)

        return until(f"our end of span {self.span} is in service", took, LIMIT_S)[0]


PRI = Cable("PRI", "1:0", 2)
SS7 = Cable("SS7", "3:0", 6)
RED, CLEAR = "0x8", "0x0"
