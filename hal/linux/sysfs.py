"""Reads /sys. Blocking: call it in a thread.

A device may vanish while it is read: what could be read only in part is left out, as if it had been gone already.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from hal.detect import view
from hal.detect.view import Node, SysfsView

SYS = Path("/sys")


def read_view() -> SysfsView:
    """Everything that detection looks at."""
    return SysfsView(
        cards=tuple(_nodes("dahdi_devices", view.CARD_ATTRIBUTES)),
        spans=tuple(_nodes("dahdi_spans", view.SPAN_ATTRIBUTES)),
        channels=tuple(_nodes("dahdi_channels", view.CHANNEL_ATTRIBUTES)),
        hosts=(*_nodes("pci", ("vendor", "device")), *_nodes("usb", ("idVendor", "idProduct"))),
        dmi={name: text for name in view.DMI_ATTRIBUTES if (text := read_text(SYS / "class/dmi/id" / name))},
    )


def read_text(path: Path) -> str | None:
    """An attribute without its trailing newline; None when it is not there or the device does not answer."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").rstrip("\n")
    except OSError:
        return None


def read_int(path: Path) -> int | None:
    """A number as the kernel prints it (decimal, or 0x…); None when there is none."""
    try:
        return int(read_text(path) or "", 0)
    except ValueError:
        return None


def folder(bus: str, device: str) -> Path:
    return SYS / "bus" / bus / "devices" / device


def _nodes(bus: str, attributes: Iterable[str]) -> Iterator[Node]:
    try:
        entries = sorted((SYS / "bus" / bus / "devices").iterdir())
    except OSError:
        return
    for entry in entries:
        if node := _node(entry, attributes):
            yield node


def _node(entry: Path, attributes: Iterable[str]) -> Node | None:
    found = {}
    for name in attributes:
        text = read_text(entry / name)
        if text is None and name in view.OLD_NAMES:
            text = read_text(entry / view.OLD_NAMES[name])
        if text is None:
            return None
        found[name] = text
    try:
        path = entry.resolve(strict=True)
    except OSError:
        return None
    return Node(entry.name, str(path.relative_to(SYS / "devices")), found)
