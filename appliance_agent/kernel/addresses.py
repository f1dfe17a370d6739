"""The machine's own IPv4 addresses with their networks, as the kernel has them now."""

import socket
from ipaddress import IPv4Interface

import psutil


def own_addresses() -> tuple[IPv4Interface, ...]:
    """Of every interface, without loopback, in a steady order. Blocking, well below a millisecond."""
    found = [
        IPv4Interface(f"{entry.address}/{entry.netmask}")
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family == socket.AF_INET
    ]
    return tuple(sorted(address for address in found if not address.is_loopback))
