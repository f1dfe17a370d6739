"""What is wrong with a numbering plan, in words, with the path of each fault. Pure.

A plan without faults has no loop, no number that two things answer to, and none that it promises and cannot reach.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from contracts.plan import MOST_HOPS, MOST_SITES, Landing, Plan, Site
from hq.plan.numbers import clashes, dialled_at, holds

ID = re.compile(r"[a-z][a-z0-9_]{0,31}")
EXTENSION = re.compile(r"[1-9][0-9]{1,7}")
DIGITS = re.compile(r"[0-9]{1,12}")
DID = re.compile(r"\+?[0-9]{3,20}")
AREA = re.compile(r"0[0-9]{1,11}")
"""Numbers that begin otherwise are local, or services."""
MOBILE = re.compile(r"1[3-9][0-9]{1,9}")
"""No shorter and no lower: 110, 119, 120 and 122 leave by the lines of the place where help is needed."""
PORT = r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
ADDRESS = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9.-]{{0,251}}[A-Za-z0-9])?:(?:{PORT})")


@dataclass(frozen=True, slots=True)
class PlanFault:
    path: str
    message: str


def check(plan: Plan) -> list[PlanFault]:
    """Empty when the plan may be compiled. What is written wrongly is told first and alone: the rest of the checks
    would only speak of its consequences."""
    spelling = list(_spelling(plan))
    if spelling:
        return spelling
    return [*_duplicates(plan), *_prefixes(plan), *_overlaps(plan), *_areas(plan), *_reach(plan), *_landings(plan)]


def _spelling(plan: Plan) -> Iterator[PlanFault]:
    if not 1 <= len(plan.sites) <= MOST_SITES:
        yield PlanFault("sites", f"a plan has 1 to {MOST_SITES} sites, here are {len(plan.sites)}")
    if not DIGITS.fullmatch(plan.outside):
        yield PlanFault("outside", f"{plan.outside!r}: write the digits that are dialled before a public number")
    for site in plan.sites:
        yield from _site_spelling(site)
    for landing in plan.landings:
        path = f"landings/{landing.site}/{landing.did}/places"
        if not landing.places:
            yield PlanFault(path, "names no place where the calls are answered; add one or remove the landing")
        if len(set(landing.places)) != len(landing.places):
            yield PlanFault(path, "names a place twice; keep one")


def _site_spelling(site: Site) -> Iterator[PlanFault]:
    path = f"sites/{site.id}"
    if not ID.fullmatch(site.id):
        yield PlanFault(path, "an id is a small letter, then small letters, digits and _, at most 32")
    if site.prefix and not DIGITS.fullmatch(site.prefix):
        yield PlanFault(f"{path}/prefix", f"{site.prefix!r}: digits only, at most 12, or nothing")
    for at, block in enumerate(site.extensions):
        if not (EXTENSION.fullmatch(block.first) and EXTENSION.fullmatch(block.last)):
            yield PlanFault(f"{path}/extensions/{at}", "an extension has 2 to 8 digits and does not begin with 0")
        elif len(block.first) != len(block.last) or block.first > block.last:
            words = f"{block.first} to {block.last}: give both the same length, the lower one first"
            yield PlanFault(f"{path}/extensions/{at}", words)
    if site.trunk_calls < 0 or site.cost < 0:
        yield PlanFault(path, "trunk_calls and cost are not below 0")
    yield from _spelt(path, "dids", DID, site.dids, "write 3 to 20 digits, a + before them if the exchange sends one")
    yield from _spelt(path, "area_codes", AREA, site.area_codes, "write 0 and more digits, such as 010")
    yield from _spelt(path, "mobile_prefixes", MOBILE, site.mobile_prefixes, "write 3 to 11 digits from 13 to 19 on")
    yield from _spelt(path, "addresses", ADDRESS, site.addresses, "write host:port, such as 192.0.2.1:5061")


def _spelt(path: str, name: str, pattern: re.Pattern[str], values: tuple[str, ...], hint: str) -> Iterator[PlanFault]:
    for value in values:
        if not pattern.fullmatch(value):
            yield PlanFault(f"{path}/{name}/{value}", f"{value!r} is none; {hint}")


def _duplicates(plan: Plan) -> Iterator[PlanFault]:
    lists = {
        "sites": [site.id for site in plan.sites],
        "landings": [f"{landing.site}/{landing.did}" for landing in plan.landings],
        "dids": [did.lstrip("+") for site in plan.sites for did in site.dids],
        "addresses": [address.lower() for site in plan.sites for address in site.addresses],
    }
    lists |= {f"sites/{site.id}/area_codes": list(site.area_codes) for site in plan.sites}
    lists |= {f"sites/{site.id}/mobile_prefixes": list(site.mobile_prefixes) for site in plan.sites}
    for path, names in lists.items():
        for name, count in Counter(names).items():
            if count > 1:
                yield PlanFault(f"{path}/{name}", f"stands in the plan {count} times; keep one")


def _prefixes(plan: Plan) -> Iterator[PlanFault]:
    """Told besides the numbers that clash: a prefix that begins another one is what people mix up."""
    named = sorted((site.prefix, site.id) for site in plan.sites if site.prefix)
    for (shorter, one), (longer, other) in pairwise(named):
        if longer.startswith(shorter):
            words = f"site {one}'s prefix {shorter} hides it: {longer} begins so; choose one that does not"
            yield PlanFault(f"sites/{other}/prefix", words)
    for prefix, site in named:
        if prefix.startswith(plan.outside) or plan.outside.startswith(prefix):
            words = f"{prefix} and the outside digit {plan.outside} begin alike; choose another"
            yield PlanFault(f"sites/{site}/prefix", words)


def _overlaps(plan: Plan) -> Iterator[PlanFault]:
    told = set()
    for site in plan.sites:
        for one, other in clashes(dialled_at(plan, site)):
            if (one.path, other.path) in told:
                continue
            told.add((one.path, other.path))
            theirs = f"{_shown(one.first, one.last)} of {one.path}"
            words = f"{_shown(other.first, other.last)} cannot be told from {theirs}, dialled at site {site.id}"
            yield PlanFault(other.path, words)


def _shown(first: str, last: str) -> str:
    return first if first == last else f"{first}–{last}"


def _areas(plan: Plan) -> Iterator[PlanFault]:
    owners: dict[tuple[str, int, int], str] = {}
    codes = sorted({code for site in plan.sites for code in site.area_codes})
    for shorter, longer in pairwise(codes):
        if longer.startswith(shorter):
            words = f"begins with the area code {shorter}: nobody could tell whose a number is"
            yield PlanFault(f"area_codes/{longer}", words)
    for site in plan.sites:
        for name in ("area_codes", "mobile_prefixes"):
            for code in getattr(site, name):
                path = f"sites/{site.id}/{name}/{code}"
                if site.trunk_calls == 0:
                    yield PlanFault(path, "the site has no lines (trunk_calls 0) by which such a number could leave")
                rank = (code, site.cost, site.trunk_calls)
                if owners.setdefault(rank, site.id) != site.id:
                    words = f"site {owners[rank]} has it too, at the same cost with as many lines; make one cheaper"
                    yield PlanFault(path, words)


def _reach(plan: Plan) -> Iterator[PlanFault]:
    sites = {site.id: site for site in plan.sites}
    default = sites.get(plan.default_site)
    if default is None:
        yield PlanFault(
            "default_site", f"site {plan.default_site!r} does not exist; there is {', '.join(sorted(sites))}"
        )
    elif default.trunk_calls == 0:
        yield PlanFault("default_site", f"site {default.id} has no lines (trunk_calls 0); choose one that has")
    if len(sites) == 1:
        return
    for site in plan.sites:
        lent = site.area_codes or site.mobile_prefixes or site.id == plan.default_site
        if not site.addresses and (site.extensions or lent):
            words = "others cannot reach its extensions or lines without an address; give one, such as 192.0.2.1:5061"
            yield PlanFault(f"sites/{site.id}/addresses", words)


def _landings(plan: Plan) -> Iterator[PlanFault]:
    sites = {site.id: site for site in plan.sites}
    faulty = False
    for landing in plan.landings:
        for fault in _landing(landing, sites):
            faulty = True
            yield fault
    if not faulty:
        yield from _loops(plan)


def _landing(landing: Landing, sites: dict[str, Site]) -> Iterator[PlanFault]:
    path = f"landings/{landing.site}/{landing.did}"
    if landing.site not in sites:
        yield PlanFault(path, f"site {landing.site!r} does not exist")
    elif landing.did not in sites[landing.site].dids:
        yield PlanFault(path, f"{landing.did} is no DID of site {landing.site}")
    for place in landing.places:
        below = f"{path}/places/{place.site}/{place.number}"
        there = sites.get(place.site)
        if there is None:
            yield PlanFault(below, f"site {place.site!r} does not exist")
        elif place.number not in there.dids and not holds(there, place.number):
            yield PlanFault(below, f"{place.number} is neither an extension nor a DID of site {place.site}")
        elif place.number in there.dids and holds(there, place.number):
            yield PlanFault(below, f"{place.number} is an extension and a DID of site {place.site}: which is meant?")
        elif not there.addresses and place.site != landing.site:
            yield PlanFault(below, f"site {place.site} has no address: no call can get there")


def _loops(plan: Plan) -> Iterator[PlanFault]:
    """How many boxes a landed call passes at most, by the longest of its ways; None while that is being found out."""
    nexts = {(one.site, one.did): [(place.site, place.number) for place in one.places] for one in plan.landings}
    longest: dict[tuple[str, str], int | None] = {}
    for start in nexts:
        walk = [start]
        while walk:
            here = walk[-1]
            onward = nexts.get(here, [])
            longest.setdefault(here, None)
            open_ones = [one for one in onward if one not in longest]
            if open_ones:
                walk.append(open_ones[0])
                continue
            walk.pop()
            if any(longest[one] is None for one in onward):
                words = "a call would come back here and go round; let one of the places be an extension"
                yield PlanFault(f"landings/{here[0]}/{here[1]}", words)
            hops = max((1 + (longest[one] or 0) for one in onward), default=0)
            longest[here] = hops
            if hops > MOST_HOPS:
                words = f"calls pass {hops} landings, at most {MOST_HOPS} are let through; land them where they end"
                yield PlanFault(f"landings/{here[0]}/{here[1]}", words)
