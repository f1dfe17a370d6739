"""make bench-lines: what one of the ten looks a second at all lines costs, for a small box and for one with twelve E1.

`look` is the whole look of LineWatch, `asking` its part that asks the drivers, `plain` the same questions by reading
each file by its name and identifying the span anew each time, a thread for each line, as it was before the files were
kept open. Attributes are plain files in memory here: the kernel's own part in a reading is not measured.
"""

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from unittest import mock

from appliance_agent.asterisk.link import Link
from appliance_agent.config.holder import ConfigHolder
from appliance_agent.config.lines import E1Span, Pri
from appliance_agent.config.model import Desired
from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.clock import SystemClock
from appliance_agent.store.database import Database
from appliance_agent.store.migrate import upgrade
from appliance_agent.system.alarms import Alarms
from appliance_agent.system.lines.asking import Asking
from appliance_agent.system.lines.cards import Cards, Found
from appliance_agent.system.lines.channels import Channels
from appliance_agent.system.lines.history import LineHistory
from appliance_agent.system.lines.watch import PORTS_EVERY, LineWatch
from hal.boards import SA800
from hal.linux import sysfs
from hal.linux.box import LinuxBox
from hal.linux.voice import SysfsModule
from hal.model.inventory import PortKind
from hal.model.lines import Line
from hal.names_file import NamesFile
from tests.hal import cards
from tests.hal.bed import Bed
from tests.hal.cards import CardSpec
from tests.hal.counts import Counts, counted
from tests.hal.kernel import Kernel

LOOKS = 200
BOXES: dict[str, tuple[CardSpec, ...]] = {
    "7 lines": (cards.wct4xxp(), cards.wctdm24xxp("oos-")),
    "12 E1": (cards.wct4xxp(), cards.wct4xxp(), cards.wct4xxp()),
}


class Silent(Bed):
    """A tree of sysfs in a folder, without umockdev: nobody listens, and its paths cost what paths cost."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root

    def uevent(self, path: str, action: str) -> None:
        pass


def plain(found: Found) -> Callable[[int], Awaitable[None]]:
    """The same attributes by their names."""

    def identify(line: Line, place: Path) -> None:
        sysfs.read_int(place / "local_spanno")
        sysfs.read_text(place / "ddev" / "type")
        sysfs.read_text(place / "ddev" / "hardware_id")

    def span(line: Line, place: Path) -> None:
        identify(line, place)
        for name in ("alarms", "lineconfig", "is_sync_master"):
            sysfs.read_text(place / name)

    def port(line: Line, place: Path) -> None:
        identify(line, place)
        channels = [
            place / f"dahdi!chan!{line.span_number:03}!{line.position + offset:03}" for offset in range(line.channels)
        ]
        for path in (channels[0] / "sig", *(channel / "in_use" for channel in channels), channels[0] / "alarms"):
            sysfs.read_text(path)

    async def ask(line: Line, number: int) -> None:
        place = sysfs.folder("dahdi_spans", f"span-{line.span_number}")
        if number % PORTS_EVERY == 0:
            await asyncio.to_thread(port, line, place)
        if line.kind is PortKind.E1:
            await asyncio.to_thread(span, line, place)

    async def look(number: int) -> None:
        await asyncio.gather(*(ask(line, number) for line in found.naming.lines))

    return look


@contextlib.contextmanager
def counting() -> Iterator[Counts]:
    """Also what is read by a name: opened, read, closed."""
    with counted() as counts:
        by_name = sysfs.read_text

        def count(path: Path) -> str | None:
            counts.opened += 1
            counts.read += 1
            return by_name(path)

        with mock.patch.object(sysfs, "read_text", count):
            yield counts


async def cost_of(look: Callable[[int], Awaitable[None]]) -> dict[str, float]:
    """Of one look on the average, threads included."""
    for number in range(PORTS_EVERY):
        await look(number)
    before = time.process_time()
    for number in range(LOOKS):
        await look(number)
    spent = time.process_time() - before
    with counting() as counts:
        for number in range(LOOKS):
            await look(number)
    return {
        "cpu_us": round(1e6 * spent / LOOKS, 1),
        "reads": round(counts.read / LOOKS, 1),
        "opens": round(counts.opened / LOOKS, 1),
    }


async def measure(root: Path, specs: tuple[CardSpec, ...]) -> dict[str, dict[str, float]]:
    kernel = Kernel(Silent(root))
    for place, spec in enumerate(specs, 1):
        kernel.plug(spec, f"05:{place:02x}.0")
    upgrade(root / "box.db")
    database, bus, clock, config = Database(root / "box.db"), Bus(), SystemClock(), ConfigHolder()
    alarms, box = Alarms(database, bus, clock), LinuxBox(driver=SysfsModule)
    found = Cards(box=box, board=SA800, names=NamesFile(root / "lines.json"), alarms=alarms, bus=bus)
    await found.look()
    assert found.found is not None
    lines = found.found.naming.lines
    for number in {line.span_number for line in lines if line.span_number}:
        for place in range(1, 1 + max(line.channels for line in lines if line.span_number == number)):
            in_service(kernel, number, place)
    spans = (E1Span(line=line.name, name=line.name, signalling=Pri()) for line in lines if line.kind is PortKind.E1)
    config.set(1, Desired(e1_spans=tuple(spans)))
    watch = LineWatch(
        box=box, cards=found, channels=Channels(Link(bus, secrets=root, seen=root), bus),
        history=LineHistory(database, clock), config=config, alarms=alarms, bus=bus, clock=clock,
        blocked=dict, stuck=dict, testing=dict,
    )  # fmt: skip
    asking, place_of = Asking(box), found.found
    try:
        return {
            "plain": await cost_of(plain(place_of)),
            "asking": await cost_of(lambda number: asking.look(place_of, lambda _name: number % PORTS_EVERY == 0)),
            "look": await cost_of(lambda _number: watch.look()),
        }
    finally:
        await database.close()


def in_service(kernel: Kernel, span: int, position: int) -> None:
    """Asterisk holds it."""
    with contextlib.suppress(FileNotFoundError):  # an analog card has no 31
        kernel.set_channel(span, position, "sig", "Clear")
        kernel.set_channel(span, position, "in_use", "1")


async def main() -> None:
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, specs in BOXES.items():
        with tempfile.TemporaryDirectory(prefix="sa800-bench-") as text:
            folder = Path(text)
            with mock.patch.object(sysfs, "SYS", folder / "sys"):
                found[name] = await measure(folder, specs)
        for part, cost in found[name].items():
            print(f"{name:8} {part:7} {cost['cpu_us']:8.1f} µs {cost['reads']:6.1f} reads {cost['opens']:6.1f} opens")
    print(json.dumps({"bench": "lines", "looks": LOOKS, "per_look": found}))


if __name__ == "__main__":
    asyncio.run(main())
