"""Plays the kernel: lays sysfs out as DAHDI's dahdi-sysfs.c does and sends the same uevents. Shares no code with hal/.

Attributes are plain files: what a driver does when an attribute is written does not happen here. Of a span's channels
only the first one sends uevents: the 250 of an E1 card would tell no more.
"""

import itertools
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.hal.bed import Bed
from tests.hal.cards import CardSpec, Channel, SpanSpec


@dataclass
class Plugged:
    host: str
    """The PCI or USB device it sits on, below /sys/devices; empty for dynamic spans."""
    path: str
    """The DAHDI device; empty when no driver took the card."""
    spans: dict[int, str] = field(default_factory=dict)
    """DAHDI's span number → path."""


class Kernel:
    def __init__(self, bed: Bed, *, mended: bool = False) -> None:
        """As DAHDI 3.4.0 on the image's kernel; `mended` as the release after it, which renamed two attributes."""
        self._bed = bed
        self._prefix = "" if mended else "dahdi_"
        self._plugged: list[Plugged] = []
        self._used: dict[int, tuple[int, int]] = {}
        """Span number → first channel, channels."""
        self._xbus = itertools.count()
        self._dynamic = itertools.count()
        for bus in ("pci", "usb", "dahdi_devices", "dahdi_spans", "dahdi_channels"):
            (bed.sys / "bus" / bus / "devices").mkdir(parents=True)

    def plug(self, spec: CardSpec, slot: str, *, assign: bool = True) -> Plugged:
        """`slot`: 05:04.0 for PCI, 1-2 for USB. `assign=False`: as with auto_assign_spans=0."""
        plugged = self._host(spec, slot)
        self._plugged.append(plugged)
        if not plugged.path:
            return plugged
        listed = "".join(f"{local}:{span.type}\n" for local, span in enumerate(spec.spans, 1))
        attributes = {
            "manufacturer": spec.manufacturer,
            "type": spec.type,
            "span_count": str(len(spec.spans)),
            "hardware_id": spec.hardware_id,
            "location": self.location(spec, slot),
            f"{self._prefix}spantype": listed.rstrip("\n"),
            f"{self._prefix}registration_time": "0000000012.345678901",
        }
        variables = {"DAHDI_DEVICE_HWID": spec.hardware_id, "DAHDI_DEVICE_LOCATION": attributes["location"]}
        self._device("dahdi_devices", plugged.path, attributes, variables)
        if assign:
            self.assign(plugged, spec)
        return plugged

    def assign(self, plugged: Plugged, spec: CardSpec) -> None:
        """As when somebody writes to auto_assign."""
        for local, span in enumerate(spec.spans, 1):
            self._assign(plugged, local, span)

    def pull(self, plugged: Plugged) -> None:
        for number, path in plugged.spans.items():
            for channel in sorted((self._bed.sys / "devices" / path).glob("dahdi!chan!*")):
                self._gone("dahdi_channels", f"{path}/{channel.name}", told=channel.name.endswith("!001"))
            self._gone("dahdi_spans", path)
            del self._used[number]
        if plugged.path:
            self._gone("dahdi_devices", plugged.path)
        if plugged.host:
            self._gone("usb" if "/usb" in plugged.host else "pci", plugged.host)
        self._plugged.remove(plugged)

    def set(self, span: int, attribute: str, text: str) -> None:
        """No uevent: alarms make none."""
        (self._bed.sys / "bus/dahdi_spans/devices" / f"span-{span}" / attribute).write_text(f"{text}\n")

    def set_channel(self, span: int, position: int, attribute: str, text: str) -> None:
        name = f"dahdi!chan!{span:03}!{position:03}"
        (self._bed.sys / "bus/dahdi_channels/devices" / name / attribute).write_text(f"{text}\n")

    def write(self, path: str, text: str) -> None:
        """Any file below /sys."""
        file = self._bed.sys / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def _host(self, spec: CardSpec, slot: str) -> Plugged:
        if spec.driver == "dynamic":
            return Plugged("", f"dynamic:loc:{next(self._dynamic)}")
        if spec.driver == "xpp_usb":
            host = f"pci0000:00/0000:00:1d.7/usb1/{slot}"
            self._device("usb", host, {"idVendor": spec.vendor, "idProduct": spec.device}, {})
            bus = f"xbus-{next(self._xbus):02}"
            return Plugged(host, f"{host}/{slot}:1.0/{bus}/astribanks:{bus}")
        host = f"pci0000:00/0000:00:1e.0/0000:{slot}"
        self._device("pci", host, {"vendor": spec.vendor, "device": spec.device}, {})
        return Plugged(host, f"{host}/pci:0000:{slot}" if spec.driver else "")

    @staticmethod
    def location(spec: CardSpec, slot: str) -> str:
        if spec.driver == "dynamic":
            return ""
        if spec.driver == "xpp_usb":
            return f"usb-0000:00:1d.7-{slot.partition('-')[2]}"
        bus, _, device = slot.partition(":")
        express = " Express" if spec.express else ""
        return f"PCI{express} Bus {int(bus, 16):02} Slot {int(device.partition('.')[0], 16) + 1:02}"

    def _assign(self, plugged: Plugged, local: int, span: SpanSpec) -> None:
        number, base = self._first_fit(len(span.channels))
        self._used[number] = (base, len(span.channels))
        path = f"{plugged.path}/span-{number}"
        plugged.spans[number] = path
        attributes = {
            "name": span.name,
            "desc": span.desc,
            "spantype": span.type,
            "local_spanno": str(local),
            "lbo": "0",
            "alarms": "0x0",
            "syncsrc": "0",
            "is_digital": str(int(span.type in {"E1", "T1", "DYNAMIC"})),
            "is_sync_master": "0",
            "basechan": str(base),
            "channels": str(len(span.channels)),
            "lineconfig": "",
            "linecompat": span.linecompat,
        }
        self._device("dahdi_spans", path, attributes, {"SPAN_NUM": str(number), "SPAN_NAME": span.name})
        card = Path(plugged.path).name
        (self._bed.sys / "devices" / path / "ddev").symlink_to(f"../../{card}")  # the kernel's links name their target
        for position, channel in enumerate(span.channels, 1):
            self._channel(path, number, position, base + position - 1, channel)

    def _channel(self, span_path: str, span: int, position: int, number: int, channel: Channel) -> None:
        attributes = {
            "name": channel.name,
            "channo": str(number),
            "chanpos": str(position),
            "sig": channel.sig,
            "sigcap": channel.sigcap,
            "alarms": "",
            "ec_state": "",
            "in_use": "0",
        }
        path = f"{span_path}/dahdi!chan!{span:03}!{position:03}"
        self._device("dahdi_channels", path, attributes, {}, told=position == 1)

    def _first_fit(self, channels: int) -> tuple[int, int]:
        """As _assign_spanno_and_basechan() in dahdi-base.c: the first gap that is wide enough."""
        number = base = 1
        for used in sorted(self._used):
            first, count = self._used[used]
            if used <= number or base + channels > first:
                number, base = used + 1, first + count
            else:
                break
        return number, base

    def _device(
        self, bus: str, path: str, attributes: Mapping[str, str], variables: Mapping[str, str], *, told: bool = True
    ) -> None:
        folder = self._bed.sys / "devices" / path
        folder.mkdir(parents=True)
        for name, text in attributes.items():
            (folder / name).write_text(f"{text}\n")
        (folder / "uevent").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        _link(folder / "subsystem", self._bed.sys / "bus" / bus)
        _link(self._bed.sys / "bus" / bus / "devices" / folder.name, folder)
        if told:
            self._bed.uevent(path, "add")

    def _gone(self, bus: str, path: str, *, told: bool = True) -> None:
        folder = self._bed.sys / "devices" / path
        if told:
            self._bed.uevent(path, "remove")
        for attribute in folder.iterdir():
            if attribute.is_file() and not attribute.is_symlink():
                attribute.write_text("")  # whoever keeps it open learns no more; the kernel tells him ENODEV
        (self._bed.sys / "bus" / bus / "devices" / folder.name).unlink()
        shutil.rmtree(folder)


def _link(place: Path, target: Path) -> None:
    place.symlink_to(os.path.relpath(target, place.parent))
