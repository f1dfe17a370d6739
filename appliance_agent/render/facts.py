"""What rendering needs to know besides the desired state. Plain values: the renderer does no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Interface

from appliance_agent.config.model import Menu, Network
from contracts.paths import BoxPaths


@dataclass(frozen=True, slots=True)
class LineFact:
    """Where a line is, in DAHDI's numbers. They stay while the box's cards keep their names (ADR 0013)."""

    span: int
    channel: int
    """The first one; timeslot n of an E1 is the channel n - 1 after it."""


@dataclass(frozen=True, slots=True)
class Facts:
    paths: BoxPaths
    ami_secret: str
    """Password of the AMI user `sa800`; letters, digits and `_ . + -` only."""
    ari_secret: str
    """Password of the ARI user `sa800`; same alphabet."""
    retired_menus: tuple[Menu, ...] = ()
    """Older versions of menus that callers may still be in: rendered beside the current ones."""
    addresses: tuple[IPv4Interface, ...] = ()
    """The box's own IPv4 addresses (no loopback). With an announced address, browsers are offered that one for each,
    and phones in these networks are told our own."""
    lines: Mapping[str, LineFact] = field(default_factory=dict)
    """The lines that are there, by name. One that is configured and missing here is left out of Asterisk's files."""
    announced: str = ""
    """Where the box's surroundings forward to it, from box.toml; used while the document announces nothing."""

    def announced_address(self, network: Network) -> str | None:
        """What those outside are told; None: the interface's own address."""
        return network.announced_address or self.announced or None
