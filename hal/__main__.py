"""python3 -m hal [FILE]: what is in this box, as JSON on one line. Names of lines are kept in FILE, if there is one."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path

from hal.errors import HalError, NotThere
from hal.linux.box import LinuxBox
from hal.model.inventory import Inventory
from hal.model.lines import Line, Names, Naming, name_lines
from hal.names_file import NamesFile


async def probe(file: NamesFile | None) -> dict[str, object]:
    box = LinuxBox()
    inventory = await box.inventory()
    naming = await asyncio.to_thread(_named, file, inventory)
    return {
        "cards": [
            {"id": str(card.id), "family": card.family, "trouble": card.trouble, "ports": len(card.ports)}
            for card in inventory.cards
        ],
        "lines": [await _told(box, inventory, line) for line in naming.lines],
        "missing": [line.name for line in naming.missing],
        "guessed": [str(match.now) for match in naming.guessed],
    }


def _named(file: NamesFile | None, inventory: Inventory) -> Naming:
    naming = name_lines(file.load() if file else Names(), inventory)
    if file:
        file.save(naming.names)
    return naming


async def _told(box: LinuxBox, inventory: Inventory, line: Line) -> dict[str, object]:
    told: dict[str, object] = {"name": line.name, "channel": line.channel, "alarms": None}
    card = inventory.card(line.card)
    span = next((span for span in card.spans if span.local == line.span), None) if card else None
    if card and span:
        # Pulled since it was found, or without a number: nothing is known of its alarms.
        with contextlib.suppress(NotThere):
            told["alarms"] = sorted((await box.voice(card).span(span).state()).alarms)
    return told


def main(arguments: list[str]) -> int:
    match arguments:
        case []:
            file = None
        case [path]:
            file = NamesFile(Path(path))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    print(json.dumps(asyncio.run(probe(file)), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (HalError, OSError) as error:
        sys.exit(f"hal: {error}")
