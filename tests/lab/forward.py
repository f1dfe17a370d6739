"""What lies outside of a lab: an address of this machine, and what is handed on from there to the box behind it.

SIP and audio are forwarded by an nft table of the lab's own; the panel's socket needs none. Everything else stays as it
was: nothing else of the lab gets out, nothing else comes in, and a machine that was no router does not become one.
"""

import ipaddress
import json
import re
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.lab import records
from tests.lab.records import Record

LOOPBACK = "127.0.0.1"
RUNNING = Path("/var/lib/sa800/asterisk/current")
FORWARDING = "/proc/sys/net/ipv4/conf/{}/forwarding"

TABLE = """
table ip {table} {{
  chain to_box {{
    ip daddr {address} udp dport {{ {sip}, {rtp} }} dnat to {box}
    ip daddr {address} tcp dport {sip} dnat to {box}
  }}
  chain arriving {{ type nat hook prerouting priority -100; jump to_box; }}
  chain from_here {{ type nat hook output priority -100; jump to_box; }}
  chain leaving {{ type nat hook postrouting priority 100; ip saddr {box} oifname != "{bridge}" snat to {address}; }}
  chain passing {{
    type filter hook forward priority 0;
    iifname "{bridge}" oifname "{bridge}" accept
    iifname "{bridge}" ip saddr {box} udp sport {{ {sip}, {rtp} }} accept
    ct status dnat,snat accept
    iifname "{bridge}" drop
    oifname "{bridge}" drop
    {no_router}
  }}
}}
"""


class ListenError(RuntimeError):
    """The address cannot be listened on; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Outside:
    address: str
    link: str
    """The interface that has the address."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Of the box: what it runs now, from its rendered files."""

    sip: int
    rtp_first: int
    rtp_last: int


def outside(address: str) -> Outside | None:
    """None: a loopback address, nothing is outside. Raises ListenError."""
    done = subprocess.run(["ip", "-j", "-4", "address"], capture_output=True, text=True, check=True, timeout=10)
    links = {entry["local"]: link["ifname"] for link in json.loads(done.stdout) for entry in link["addr_info"]}
    inner = ("127.", "198.18.", "198.19.")  # loopback, labs
    choice = ", ".join(f"{own} ({link})" for own, link in links.items() if not own.startswith(inner)) or "none"
    try:
        wanted = ipaddress.IPv4Address(address)
    except ValueError:
        raise ListenError(f"LISTEN={address} is no IPv4 address; this machine has: {choice}") from None
    if wanted.is_loopback:
        return None
    if wanted.is_unspecified:
        raise ListenError(f"LISTEN={address} names no address that phones could be told; choose one of: {choice}")
    if address not in links:
        raise ListenError(f"LISTEN={address} is no address of this machine; choose one of: {choice}")
    link = links[address]
    for other in records.running():
        if other.facts.get("outside") == link:
            raise ListenError(f"LISTEN={address}: lab {other.number} listens on {link} already; end it first")
    return Outside(address, link)


def ports(files: Path) -> Ports:
    """From the folder of a box's rendered files."""
    rtp, sip = (files / "rtp.conf").read_text(), (files / "pjsip.conf").read_text()
    found = [re.search(pattern, text) for pattern, text in (
        (r"(?m)^bind = 0\.0\.0\.0:(\d+)$", sip), (r"(?m)^rtpstart = (\d+)$", rtp), (r"(?m)^rtpend = (\d+)$", rtp),
    )]  # fmt: skip
    return Ports(*(int(match[1]) for match in found if match))


def forward(record: Record, there: Outside, bridge: str, box: str, to: Ports) -> None:
    """Recorded first. Raises ListenError when another program uses one of the ports."""
    wanted = [(kind, to.sip) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
    wanted += [(socket.SOCK_DGRAM, port) for port in range(to.rtp_first, to.rtp_last + 1)]
    for kind, port in wanted:
        if not is_free(there.address, port, kind):
            raise ListenError(
                f"LISTEN={there.address}: another program has port {port}, which the box needs: end that one"
            )
    switch = Path(FORWARDING.format(there.link))
    before = switch.read_text().strip()
    record.tables.append(bridge)
    if before == "0":
        record.settings.append((str(switch), before))
    record.facts["outside"] = there.link
    record.write()
    rules = TABLE.format(
        table=bridge, bridge=bridge, address=there.address, box=box, sip=to.sip, rtp=f"{to.rtp_first}-{to.rtp_last}",
        no_router=f'iifname "{there.link}" drop' if before == "0" else "",
    )  # fmt: skip
    done = subprocess.run(["nft", "-f", "-"], input=rules, capture_output=True, text=True, check=False, timeout=10)
    if done.returncode:
        raise ListenError(f"nft refuses to forward from {there.address}: {done.stderr.strip()}")
    for link in (bridge, there.link):
        Path(FORWARDING.format(link)).write_text("1")


def is_free(address: str, port: int, kind: int = socket.SOCK_STREAM) -> bool:
    with socket.socket(socket.AF_INET, kind) as one:
        if kind == socket.SOCK_STREAM:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a connection's remains do not count
        try:
            one.bind((address, port))
        except OSError:
            return False
    return True
