"""A branch's network beside a lab: an address of this machine to listen on, and one computer that has it as gateway."""

import ctypes
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.lab import records
from tests.lab.network import Network

CLIENT_HOST = 2
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Lan:
    listen: str
    """This machine's address there."""
    link: str
    client: str
    namespace: str
    """The computer's."""

    @property
    def enter(self) -> tuple[str, ...]:
        """To run a command on the computer."""
        return ("nsenter", f"--net=/run/netns/{self.namespace}")

    @property
    def forwarding(self) -> str:
        """Whether this machine routes what comes from there: "0" or "1"."""
        return Path(f"/proc/sys/net/ipv4/conf/{self.link}/forwarding").read_text().strip()


@contextmanager
def lan(checkout: Path) -> Iterator[Lan]:
    """Recorded as a lab's is: what a kill -9 leaves, the next lab sweeps."""
    record = records.reserve(checkout)
    try:
        network = Network(record)
        network.open()
        namespace = network.plug("client", CLIENT_HOST)
        yield Lan(network.host_address, network.bridge, network.address(CLIENT_HOST), namespace)
    finally:
        records.remove(record)


def inside(namespace: str, make: Callable[[], Made]) -> Made:
    """What `make` makes in a network namespace; a socket stays there wherever it is used."""

    def there() -> Made:
        with Path("/run/netns", namespace).open() as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0):
                raise OSError(ctypes.get_errno(), f"namespace {namespace} cannot be entered")
        return make()

    with ThreadPoolExecutor(1) as pool:  # a thread of its own, which ends: only it has changed sides
        return pool.submit(there).result()


def udp(namespace: str, address: str, port: int = 0) -> socket.socket:
    def make() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((address, port))
        made.settimeout(10)
        return made

    return inside(namespace, make)
