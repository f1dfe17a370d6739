"""Random numbering plans, and what a call meets that follows the compiled tables as the dialplan does."""

import random
from collections.abc import Iterator

from contracts.plan import By, ExtensionRoute, Landing, OutsideRoute, Place, Plan, Range, Site, SiteRoutes, Way

AREAS = ("010", "020", "021", "0755", "0571", "0578", "0531")
MOBILES = ("139", "138", "1380", "186")


def random_plan(chance: random.Random) -> Plan:
    """Many are faulty: what the check refuses has to be there for it to refuse."""
    count = chance.choice((1, 2, 2, 3, 4))
    sites = tuple(_site(chance, at) for at in range(count))
    landings = {}
    for site in sites:
        for did in site.dids:
            if chance.random() < 0.5:
                landings[site.id, did] = Landing(site.id, did, _places(chance, sites))
    default = max(sites, key=lambda site: site.trunk_calls).id if chance.random() < 0.97 else "nowhere"
    return Plan(
        chance.randrange(1, 100), sites, default, chance.choice(("9", "9", "9", "0", "8")), tuple(landings.values())
    )


def _site(chance: random.Random, at: int) -> Site:
    strange = chance.random() < 0.03
    prefix = str(chance.randrange(1, 90)) if strange else chance.choice(("", f"7{at}", f"7{at}", f"6{at}{at}"))
    trunk_calls = chance.choice((0, 4, 30 + at, 60 + at, 60 + at))
    lends = trunk_calls > 0 or chance.random() < 0.02
    return Site(
        f"s{at}",
        f"Site {at}",
        tuple(_range(chance, at, part) for part in range(chance.randrange(3))),
        prefix,
        dids=tuple(f"0{at}8{number}000" for number in range(chance.randrange(4))),
        addresses=(f"192.0.2.{at}:5061",) if chance.random() < 0.98 else (),
        area_codes=tuple(chance.sample(AREAS, chance.choice((0, 1, 1, 2)))) if lends else (),
        mobile_prefixes=tuple(chance.sample(MOBILES, chance.choice((0, 1, 2)))) if lends else (),
        trunk_calls=trunk_calls,
        cost=chance.randrange(3),
    )


def _range(chance: random.Random, at: int, part: int) -> Range:
    length = chance.choice((3, 4, 4, 4))
    leading = at + 1 if chance.random() < 0.97 else chance.randrange(1, 10)
    first = leading * 10 ** (length - 1) + (part * 3 + chance.randrange(3)) * 10 ** (length - 2)
    return Range(str(first), str(first + chance.choice((0, 9, 57, 99))))


def _places(chance: random.Random, sites: tuple[Site, ...]) -> tuple[Place, ...]:
    known = [
        Place(site.id, number) for site in sites for number in (*site.dids, *(one.first for one in site.extensions))
    ]
    if chance.random() < 0.02 or not known:
        known = [Place("nowhere", "100")]
    return tuple(chance.sample(known, min(len(known), chance.choice((1, 1, 2, 3)))))


def dialled(chance: random.Random, plan: Plan) -> Iterator[str]:
    """Numbers that exist, numbers beside them, and public ones."""
    for site in plan.sites:
        for block in site.extensions:
            for number in (block.first, block.last, str(int(block.last) + 1), block.first[:-1], block.first + "0"):
                yield number
                yield site.prefix + number
        yield site.prefix
    for code in (*AREAS, *MOBILES, "110", "120", "400", "00852"):
        yield plan.outside + code
        yield plan.outside + code + str(chance.randrange(1000, 10**7))
    yield plan.outside


def follow(routes: SiteRoutes, number: str) -> tuple[Way, ...]:
    """What `routes` say of a dialled number: one number has one entry, the longest beginning wins outside."""
    inside = [one for one in routes.extensions if _fits(one, number)]
    assert len(inside) <= 1, f"{number} at {routes.site}: {inside}"
    for one in inside:
        by = By.OWN_EXTENSION if one.site == routes.site else By.SITE
        return (Way(by, one.site, number.removeprefix(one.prefix)),)
    public = number.removeprefix(routes.outside)
    if not public or public == number:
        return ()
    best = max((one for one in routes.outside_routes if _begins(one, public)), key=lambda one: len(one.begins))
    return tuple(Way(way.by, way.site, public[way.cut :]) for way in best.ways)


def _fits(one: ExtensionRoute, number: str) -> bool:
    rest = number[len(one.prefix) :]
    return number.startswith(one.prefix) and len(rest) == len(one.first) and one.first <= rest <= one.last


def _begins(one: OutsideRoute, public: str) -> bool:
    """A code alone is no number."""
    return not one.begins or (public.startswith(one.begins) and len(public) > len(one.begins))


def follow_did(routes: SiteRoutes, did: str) -> tuple[Way, ...]:
    landed = [way for one in routes.landings if one.did == did for way in one.ways]
    return (*landed, Way(By.OWN_TARGET, routes.site, did))
