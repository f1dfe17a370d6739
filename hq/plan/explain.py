"""Which ways a call takes, and why each: straight from the plan, for people who plan. Pure.

Says the same as the compiled tables (`hq.plan.compile`), which is tested over random plans; neither uses the other.
"""

from dataclasses import dataclass

from contracts.plan import By, Plan, Site, Way
from hq.plan.numbers import holds


@dataclass(frozen=True, slots=True)
class Reason:
    way: Way
    why: str


def explain(plan: Plan, site: str, dialled: str) -> list[Reason]:
    """For somebody who dials at `site`: ways in the order in which they are tried. Empty: nobody has that number.

    `plan` has passed the check."""
    sites = {one.id: one for one in plan.sites}
    here = sites[site]
    if dialled.startswith(plan.outside):
        return _outside(plan, here, dialled.removeprefix(plan.outside))
    if holds(here, dialled):
        return [
            Reason(
                Way(By.OWN_EXTENSION, site, dialled), f"{dialled} is an extension of {here.name}, where it is dialled"
            )
        ]
    for other in plan.sites:
        number = dialled.removeprefix(other.prefix)
        if dialled.startswith(other.prefix) and holds(other, number):
            words = f"{other.prefix} is {other.name}'s prefix, {number} an extension there"
            by = By.OWN_EXTENSION if other is here else By.SITE
            return [
                Reason(
                    Way(by, other.id, number), words if other.prefix else f"{number} is an extension of {other.name}"
                )
            ]
    return []


def explain_did(plan: Plan, site: str, did: str) -> list[Reason]:
    """For a call from outside (or landed here) to a DID of `site`."""
    names = {one.id: one.name for one in plan.sites}
    own = Reason(Way(By.OWN_TARGET, site, did), f"the last resort: what {names[site]} itself does with {did}")
    reasons = []
    for landing in plan.landings:
        if (landing.site, landing.did) == (site, did):
            for place in landing.places:
                by = By.SITE
                if place.site == site:
                    by = By.OWN_TARGET if place.number in _site(plan, site).dids else By.OWN_EXTENSION
                words = f"{did} is landed at {names[place.site]}, {place.number}"
                reasons.append(Reason(Way(by, place.site, place.number), words))
    return [*reasons, own]


def _site(plan: Plan, name: str) -> Site:
    return next(site for site in plan.sites if site.id == name)


def _outside(plan: Plan, here: Site, number: str) -> list[Reason]:
    if not number:
        return []
    reasons = []
    for site, code, cut in _local_sites(plan, number):
        words = f"{code} is local at {site.name} (cost {site.cost}, {site.trunk_calls} lines)"
        by = By.OWN_LINES if site is here else By.SITE_LINES
        reasons.append(Reason(Way(by, site.id, number[cut:]), words))
    taken = {reason.way.site for reason in reasons}
    if here.trunk_calls and here.id not in taken:
        reasons.append(Reason(Way(By.OWN_LINES, here.id, number), f"{here.name}'s own lines"))
    default = _site(plan, plan.default_site)
    if default is not here and default.id not in taken:
        reasons.append(Reason(Way(By.SITE_LINES, default.id, number), f"the last resort: the lines of {default.name}"))
    return reasons


def _local_sites(plan: Plan, number: str) -> list[tuple[Site, str, int]]:
    """Sites where the number is local, with the code that says so and the digits that are left out there: those of the
    longest code that fits, the cheapest first. A code alone is no number."""
    fits = [
        (site, code, cut)
        for site in plan.sites
        for codes, cuts in ((site.area_codes, True), (site.mobile_prefixes, False))
        for code in codes
        if number.startswith(code) and len(number) > len(code)
        for cut in [len(code) if cuts else 0]
    ]
    longest = max((len(code) for _, code, _ in fits), default=0)
    best = [fit for fit in fits if len(fit[1]) == longest]
    return sorted(best, key=lambda fit: (fit[0].cost, -fit[0].trunk_calls, fit[0].id))
