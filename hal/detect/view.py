"""What was read from sysfs, frozen: the input of detection. Names and paths are the kernel's."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Node:
    """One device of the kernel."""

    name: str
    """Last part of its path: span-3, pci:0000:05:04.0."""
    path: str
    """Below /sys/devices; a child's path begins with its parent's."""
    attributes: Mapping[str, str]
    """Attribute file → its text without the trailing newline."""

    def get(self, attribute: str) -> str:
        return self.attributes.get(attribute, "")

    def under(self, parent: "Node") -> bool:
        return self.path.startswith(f"{parent.path}/")


@dataclass(frozen=True, slots=True)
class SysfsView:
    cards: tuple[Node, ...] = ()
    """/sys/bus/dahdi_devices/devices"""
    spans: tuple[Node, ...] = ()
    """/sys/bus/dahdi_spans/devices: assigned spans only."""
    channels: tuple[Node, ...] = ()
    """/sys/bus/dahdi_channels/devices: channels of assigned spans."""
    hosts: tuple[Node, ...] = ()
    """/sys/bus/pci/devices and /sys/bus/usb/devices, with vendor and device id."""
    dmi: Mapping[str, str] = field(default_factory=dict)
    """/sys/class/dmi/id"""


CARD_ATTRIBUTES = ("manufacturer", "type", "hardware_id", "location", "spantype")
SPAN_ATTRIBUTES = ("name", "spantype", "local_spanno", "basechan", "channels")
CHANNEL_ATTRIBUTES = ("name", "channo", "chanpos", "sig", "sigcap")
DMI_ATTRIBUTES = ("sys_vendor", "product_name", "product_serial")
OLD_NAMES: Mapping[str, str] = {"spantype": "dahdi_spantype"}
"""What the DAHDI 3.4.0 of the image calls an attribute of a card; the release after it mended the name."""
