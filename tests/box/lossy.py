"""A network that drops packets: nft rules in a box's own network."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.box import Machine

SOUND_BYTES = 8 + 12 + 160
"""UDP's length of 20 ms of G.711."""
RTP = "10000-10999"
IS_RTCP = "@th,72,8 200-204"
"""The second byte behind UDP's header is the packet's type."""


@contextmanager
def dropping(box: Machine, *rules: str) -> Iterator[None]:
    """nft rules in the box's own network; gone afterwards."""
    table = "inet quality"
    chains = [f"add chain {table} {hook} {{ type filter hook {hook} priority 0; }}" for hook in ("input", "output")]
    lines = [f"add table {table}", *chains, *(f"add rule {table} {rule} drop" for rule in rules)]
    _nft(box, "\n".join(lines) + "\n")
    try:
        yield
    finally:
        _nft(box, f"delete table {table}\n")


def _nft(box: Machine, script: str) -> None:
    subprocess.run(
        ["ip", "netns", "exec", box.plan.namespace, "nft", "-f", "-"], input=script, text=True, check=True, timeout=10
    )
