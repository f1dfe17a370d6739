"""A plan that passed the check → each site's routes. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Iterator

from contracts.plan import (
    By,
    ExtensionRoute,
    Landing,
    LandingRoute,
    Neighbour,
    OutsideRoute,
    Place,
    Plan,
    Site,
    SiteRoutes,
    Way,
)

Lender = tuple[Site, int]
"""A site whose lines a number may leave by, and how many digits are left out there."""


def compile_site(plan: Plan, site: str, key: bytes) -> SiteRoutes:
    """`key`: of headquarters, at least 32 random bytes; the secret of each pair of sites comes from it."""
    here = next(one for one in plan.sites if one.id == site)
    return SiteRoutes(
        version=plan.version,
        site=site,
        outside=plan.outside,
        neighbours=tuple(
            Neighbour(one.id, one.addresses, pair_secret(key, site, one.id)) for one in plan.sites if one is not here
        ),
        extensions=tuple(_extensions(plan, here)),
        outside_routes=tuple(_outside(plan, here)),
        landings=tuple(_landing(landing, here) for landing in plan.landings if landing.site == site),
    )


def pair_secret(key: bytes, one: str, other: str) -> str:
    """The same for both orders; letters and digits. Without `key` none of them tells another."""
    pair = "/".join(sorted((one, other)))
    digest = hmac.digest(key, f"sa800 pair {pair}".encode(), hashlib.sha256)
    return base64.b32encode(digest).decode().rstrip("=")


def _extensions(plan: Plan, here: Site) -> Iterator[ExtensionRoute]:
    for block in here.extensions:
        yield ExtensionRoute("", block.first, block.last, here.id)
    for site in plan.sites:
        if site is not here or site.prefix:
            for block in site.extensions:
                yield ExtensionRoute(site.prefix, block.first, block.last, site.id)


def _outside(plan: Plan, here: Site) -> Iterator[OutsideRoute]:
    lenders: dict[str, list[Lender]] = {}
    for site in sorted(plan.sites, key=lambda site: (site.cost, -site.trunk_calls, site.id)):
        for code in site.area_codes:
            lenders.setdefault(code, []).append((site, len(code)))
        for code in site.mobile_prefixes:
            lenders.setdefault(code, []).append((site, 0))
    for code in sorted(lenders, key=lambda code: (-len(code), code)):
        yield OutsideRoute(code, _ways(plan, here, lenders[code]))
    yield OutsideRoute("", _ways(plan, here, []))


def _ways(plan: Plan, here: Site, lenders: list[Lender]) -> tuple[Way, ...]:
    ways = {
        site.id: Way(By.OWN_LINES if site is here else By.SITE_LINES, site.id, cut=digits) for site, digits in lenders
    }
    if here.trunk_calls:
        ways.setdefault(here.id, Way(By.OWN_LINES, here.id))
    if plan.default_site != here.id:
        ways.setdefault(plan.default_site, Way(By.SITE_LINES, plan.default_site))
    return tuple(ways.values())


def _landing(landing: Landing, here: Site) -> LandingRoute:
    return LandingRoute(landing.did, tuple(_place(place, here) for place in landing.places))


def _place(place: Place, here: Site) -> Way:
    if place.site != here.id:
        return Way(By.SITE, place.site, place.number)
    return Way(By.OWN_TARGET if place.number in here.dids else By.OWN_EXTENSION, here.id, place.number)
