"""What rendering needs to know besides the desired state. Plain values: the renderer does no I/O."""

from dataclasses import dataclass

from appliance_agent.config.model import Menu
from contracts.paths import BoxPaths


@dataclass(frozen=True, slots=True)
class Facts:
    paths: BoxPaths
    ami_secret: str
    """Password of the AMI user `sa800`; letters, digits and `_ . + -` only."""
    ari_secret: str
    """Password of the ARI user `sa800`; same alphabet."""
    retired_menus: tuple[Menu, ...] = ()
    """Older versions of menus that callers may still be in: rendered beside the current ones."""
    addresses: tuple[str, ...] = ()
    """The box's own IPv4 addresses (no loopback). With an announced address, browsers are offered that one for each."""
