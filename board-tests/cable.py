"""The cable between the exchange and our end of a span: pulled, put back, and what has to be done then."""

from dataclasses import dataclass

from board import Board, Party


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


PRI = Cable("PRI", "1:0", 2)
SS7 = Cable("SS7", "3:0", 6)
RED, CLEAR = "0x8", "0x0"
