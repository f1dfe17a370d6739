"""The numbering plan of all sites, and what each site gets of it.

Headquarters edits a `Plan`, checks it (`hq.plan.check`) and compiles it to `SiteRoutes`, one for each site. That is
what travels: the argument `plan` of `contracts.live.Command.PLAN` is `SiteRoutes` as JSON, field for field. A site
knows the secrets of its own pairs only, and needs nobody's help to route by what it has.

What people dial at a site: an extension of its own; a site's prefix and an extension there; the outside digit and a
public number.
"""

from dataclasses import dataclass
from enum import StrEnum

MOST_SITES = 500
MOST_HOPS = 4
"""Boxes that a call may pass through. Each tells the next in HOPS_HEADER; the plan's check keeps all ways shorter."""
HOPS_HEADER = "X-SA-Hops"
TLS_PORT = 5061
"""Where a box takes calls of other boxes: SIP over TLS."""


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers of the same length, both ends included."""

    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Site:
    id: str
    name: str
    extensions: tuple[Range, ...]
    prefix: str = ""
    """Dialled before an extension from anywhere. Empty: this site's extensions are dialled everywhere as they are."""
    dids: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    """host:port, tried in order. None: others cannot call this site."""
    area_codes: tuple[str, ...] = ()
    """Numbers that begin so are local here: they leave by this site's lines without the code."""
    mobile_prefixes: tuple[str, ...] = ()
    """Numbers that begin so leave here as they are."""
    trunk_calls: int = 0
    """Calls that its lines to the public network carry at once."""
    cost: int = 0
    """Where several sites would do, the cheaper one is asked first; then the one with more lines."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call to a DID is answered: an extension of that site, or a DID of that site."""

    site: str
    number: str


@dataclass(frozen=True, slots=True)
class Landing:
    """Calls to `did` of `site` are answered elsewhere, at the first of `places` that takes them; else at the site."""

    site: str
    did: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    version: int
    sites: tuple[Site, ...]
    default_site: str
    """Its lines are used by sites whose own lines are full or missing."""
    outside: str = "9"
    """Dialled before a public number."""
    landings: tuple[Landing, ...] = ()


class By(StrEnum):
    """One way that a call may take, from the site where it is."""

    OWN_EXTENSION = "own_extension"
    SITE = "site"
    """An extension or a DID of another site."""
    SITE_LINES = "site_lines"
    """Out by another site's lines, which passes it on to nobody."""
    OWN_LINES = "own_lines"
    OWN_TARGET = "own_target"
    """What this site's configuration does with its DID."""


@dataclass(frozen=True, slots=True)
class Way:
    by: By
    site: str
    """Where the call goes; this site for the OWN_ ones."""
    number: str = ""
    """What is called there; empty in tables whose number is the dialled one without `cut` digits."""
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Neighbour:
    site: str
    addresses: tuple[str, ...]
    secret: str
    """Of this pair of sites only, the same at both."""


@dataclass(frozen=True, slots=True)
class ExtensionRoute:
    """`prefix` and a number of first … last is that number at `site` (which may be this one)."""

    prefix: str
    first: str
    last: str
    site: str


@dataclass(frozen=True, slots=True)
class OutsideRoute:
    """Public numbers that begin with `begins` (the longest that fits) leave by `ways`, in order."""

    begins: str
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class LandingRoute:
    did: str
    ways: tuple[Way, ...]
    """In order; the site's own target comes after all of them."""


@dataclass(frozen=True, slots=True)
class SiteRoutes:
    """All that one box needs to know of the plan."""

    version: int
    site: str
    outside: str
    neighbours: tuple[Neighbour, ...] = ()
    extensions: tuple[ExtensionRoute, ...] = ()
    outside_routes: tuple[OutsideRoute, ...] = ()
    """One of them begins with "": every number has a way."""
    landings: tuple[LandingRoute, ...] = ()
