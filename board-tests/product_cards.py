"""E1 cards that a test puts into the product and pulls while Asterisk holds their lines. Their far ends are nowhere, so
that a line of theirs that is set up is in alarm."""

import json
from dataclasses import dataclass
from typing import Any

from board import until
from product import Api, Product
from wire import LIMIT_S

CHANNELS = 31
TALK = frozenset({*range(1, 16), *range(17, 32)})
"""Timeslots that Asterisk serves of a PRI."""


def states(api: Api) -> dict[str, str]:
    """Line → state, as the live board has it. The box also sees the exchange's ends, and names them."""
    return {line["id"]: line["state"] for line in api.ask("GET", "/live")["lines"]}


def reported(product: Product) -> dict[str, int]:
    """Lines that are there → their first channel."""
    lines = json.loads(product.run("cat /run/sa800-lines/report.json"))["lines"]
    return {line["name"]: line["channel"] for line in lines}


@dataclass(frozen=True, slots=True)
class E1Card:
    product: Product
    api: Api
    address: str
    """Pair and end; the kernel gives each card that comes another place, the address stays in its serial."""

    @property
    def shown(self) -> dict[str, Any]:
        """As the inventory has it."""
        serial = f"DYN/loc/{self.address}"
        (found,) = [one for one in self.api.ask("GET", "/lines")["cards"] if one["serial"] == serial]
        return dict(found)

    @property
    def line(self) -> str:
        return str(self.shown["spans"][0]["ports"][0]["line"])

    def plug(self) -> tuple[str, int]:
        """Its line and first channel, once `sa800-lines` has given it a number. A span without one stops the clock of
        all, and makes the board ten times slower."""
        before = {line for line, state in states(self.api).items() if state != "missing"}
        self.product.run(f"/etc/board/cable plug {self.address} {CHANNELS}")

        def come() -> set[str]:
            return {line for line, state in states(self.api).items() if state != "missing"} - before

        (line,) = until(f"the line of the card at {self.address} is there", come, LIMIT_S)
        return line, until(f"{line} has a number", lambda: reported(self.product).get(line), LIMIT_S)

    def pull(self, line: str, first: int) -> None:
        """The kernel takes the span from whoever holds its channels, then the device is gone."""
        span = f"/sys/bus/dahdi_spans/devices/span-{first // 32 + 1}"
        self.product.run(f"echo 1 > $(realpath {span}/..)/unassign_span")
        until("Asterisk has let go of it", lambda: not self.served(first), LIMIT_S)
        self.product.run(f"/etc/board/cable pull {self.address} {CHANNELS}")
        until(f"{line} is missing", lambda: states(self.api)[line] == "missing", LIMIT_S)
        until("the report has it no more", lambda: line not in reported(self.product), LIMIT_S)

    def served(self, first: int) -> set[int]:
        """Timeslots that Asterisk has."""
        return {one - first + 1 for one in self.product.served() if first <= one < first + CHANNELS}
