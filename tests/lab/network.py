"""One lab's network: a bridge on the host with a /24 of 198.18.0.0/15, and a namespace with one cable per box."""

import subprocess
from pathlib import Path

from tests.lab import chroot
from tests.lab.forward import Outside, Ports, forward
from tests.lab.records import Record, bridge_name

PREFIX = 24
EXCHANGE_HOST = 2
SIP_PORT = 5060


class NetworkError(RuntimeError):
    """`ip` refused; the message is its own."""


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False, timeout=10)
    if done.returncode:
        raise NetworkError(f"ip {' '.join(words)}: {done.stderr.strip()}")


class Network:
    def __init__(self, record: Record) -> None:
        self._record = record
        self.bridge = bridge_name(record.number)
        self.host_address = self.address(1)
        self.exchange = f"{self.address(EXCHANGE_HOST)}:{SIP_PORT}"
        self.name = f"bridge {self.bridge}, {self.host_address}/{PREFIX}"

    def address(self, host: int) -> str:
        number = self._record.number
        return f"198.{18 + (number >> 8)}.{number & 255}.{host}"

    def open(self) -> None:
        self._record.links.append(self.bridge)
        self._record.write()
        _ip("link", "add", self.bridge, "type", "bridge")
        # Replies to a browser on the host arrive here; nothing of a lab goes further than the host.
        Path(f"/proc/sys/net/ipv4/conf/{self.bridge}/forwarding").write_text("0")
        Path(f"/proc/sys/net/ipv6/conf/{self.bridge}/disable_ipv6").write_text("1")
        _ip("address", "add", f"{self.host_address}/{PREFIX}", "dev", self.bridge)
        _ip("link", "set", self.bridge, "up")

    def forward(self, there: Outside, box: str, to: Ports) -> None:
        """From an address of this machine to the box; replies of a lab may then leave the host again."""
        forward(self._record, there, self.bridge, box, to)

    def plug(self, name: str, host: int) -> str:
        """A namespace with one cable to the bridge; returns its name. Names of links hold 15 characters."""
        namespace, cable = f"{self.bridge}-{name}", f"{self.bridge}-{host}"
        self._record.namespaces.append(namespace)
        self._record.links.append(cable)
        self._record.write()
        _ip("netns", "add", namespace)
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        _ip("link", "set", cable, "master", self.bridge, "up")
        _ip("-n", namespace, "link", "set", "lo", "up")
        _ip("-n", namespace, "address", "add", f"{self.address(host)}/{PREFIX}", "dev", "eth0")
        _ip("-n", namespace, "link", "set", "eth0", "up")
        _ip("-n", namespace, "route", "add", "default", "via", self.host_address)
        return namespace


class Loopback:
    """The network where none can be made: one box and the exchange on addresses of the loopback."""

    name = "one box on loopback, by chroot alone (namespaces or mounts are not permitted here)"
    host_address = chroot.BOX_ADDRESS
    exchange = f"{chroot.EXCHANGE_ADDRESS}:{chroot.EXCHANGE_PORT}"

    def address(self, host: int) -> str:
        return chroot.EXCHANGE_ADDRESS if host == EXCHANGE_HOST else chroot.BOX_ADDRESS

    def open(self) -> None:
        if taken := chroot.taken_port():
            raise NetworkError(f"namespaces are not permitted here, and {taken} on loopback belongs to another program")

    def forward(self, there: Outside, box: str, to: Ports) -> None:
        """Nothing to do: the box is on the machine's own network."""

    def plug(self, name: str, host: int) -> str:
        return ""
