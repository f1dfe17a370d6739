"""Random numbering plans that pass the check: no loop, nothing unreachable, explained as compiled."""

import itertools
import random

import pytest

from contracts.plan import MOST_HOPS, By, Plan, Range, SiteRoutes
from hq.plan.check import check
from hq.plan.compile import compile_site
from hq.plan.explain import explain, explain_did
from hq.plan.numbers import Block, clash, clashes
from tests.property.plans import dialled, follow, follow_did, random_plan

KEY = b"k" * 32
Tables = dict[str, SiteRoutes]


def passing(seed: int, count: int) -> list[Plan]:
    """The first plans that pass, of a stream of random ones."""
    chance = random.Random(seed)
    plans = (random_plan(chance) for _ in range(count * 100))
    found = list(itertools.islice((plan for plan in plans if not check(plan)), count))
    assert len(found) == count, "the generator makes too few plans that pass"
    return found


def hold(plans: list[Plan], seed: int) -> None:
    chance = random.Random(seed)
    for plan in plans:
        tables = {site.id: compile_site(plan, site.id, KEY) for site in plan.sites}
        for site in plan.sites:
            _dialled_numbers(plan, tables, site.id, list(dialled(chance, plan)))
            for did in site.dids:
                assert [reason.way for reason in explain_did(plan, site.id, did)] == list(
                    follow_did(tables[site.id], did)
                )
                _lands(tables, plan, site.id, did, MOST_HOPS + 1)


def _dialled_numbers(plan: Plan, tables: Tables, site: str, numbers: list[str]) -> None:
    addresses = {one.id: one.addresses for one in plan.sites}
    promised = {
        other.prefix + number
        for other in plan.sites
        for block in other.extensions
        for number in (block.first, block.last)
    }
    for number in numbers:
        ways = follow(tables[site], number)
        assert [reason.way for reason in explain(plan, site, number)] == list(ways), (plan, site, number)
        if number in promised or (number.startswith(plan.outside) and number != plan.outside):
            assert ways, f"{number} is unreachable from {site}: {plan}"
        for way in ways:
            assert way.number, f"{number} at {site} calls nothing: {way}"
            if way.by is By.SITE:
                there = follow(tables[way.site], way.number)
                assert [one.by for one in there] == [By.OWN_EXTENSION], f"{number} goes on from {way.site}: {there}"
            if way.by in (By.SITE, By.SITE_LINES):
                assert way.site != site and addresses[way.site]
            if way.by in (By.SITE_LINES, By.OWN_LINES):
                lines = next(one.trunk_calls for one in plan.sites if one.id == way.site)
                assert lines, f"{way.site} has no lines: {plan}"


def _lands(tables: Tables, plan: Plan, site: str, did: str, hops: int) -> None:
    """Every way from here ends within so many hops."""
    assert hops > 0, f"{did} at {site} goes round: {plan.landings}"
    first, *rest = reversed(follow_did(tables[site], did))
    assert first.by is By.OWN_TARGET, "the site's own target is the last resort"
    for way in rest:
        landed = way.number in next(one.dids for one in plan.sites if one.id == way.site)
        if way.by is By.OWN_TARGET or (way.by is By.SITE and landed):
            _lands(tables, plan, way.site, way.number, hops - 1)
        else:
            assert [one.by for one in follow(tables[way.site], way.number)] == [By.OWN_EXTENSION]


def test_random_plans_that_pass() -> None:
    hold(passing(seed=1, count=500), seed=2)


@pytest.mark.long
def test_ten_thousand_random_plans_that_pass() -> None:
    hold(passing(seed=3, count=10_000), seed=4)


def test_the_plans_are_worth_it() -> None:
    """Several sites, landings, ways through others' lines: without them the properties would hold for nothing."""
    plans = passing(seed=5, count=120)
    assert sum(len(plan.sites) > 1 for plan in plans) > 40
    assert sum(bool(plan.landings) for plan in plans) > 20
    assert sum(bool(site.area_codes) for plan in plans for site in plan.sites) > 30
    assert sum(bool(site.extensions) and len(plan.sites) > 1 for plan in plans for site in plan.sites) > 40


def test_both_ends_of_a_pair_have_its_secret_and_nobody_else() -> None:
    plan = next(plan for plan in passing(seed=6, count=100) if len(plan.sites) >= 3)
    tables = {site.id: compile_site(plan, site.id, KEY) for site in plan.sites}
    secrets = {(one, other.site): other.secret for one, table in tables.items() for other in table.neighbours}
    assert all(secrets[one, other] == secrets[other, one] for one, other in secrets)
    assert len(set(secrets.values())) == len(secrets) // 2
    assert compile_site(plan, plan.sites[0].id, b"j" * 32).neighbours != tables[plan.sites[0].id].neighbours


def test_clashes_are_found_exactly_when_two_blocks_clash() -> None:
    chance = random.Random(7)
    outcomes = set()
    for _ in range(400):
        blocks = [_block(chance) for _ in range(chance.randrange(2, 6))]
        clashing = any(_meet(one, other) for one, other in itertools.combinations(blocks, 2))
        assert clashing == any(True for _ in clashes(blocks)), blocks
        assert all(clash(one, other) == _meet(one, other) for one, other in itertools.combinations(blocks, 2))
        outcomes.add(clashing)
    assert outcomes == {True, False}


def _block(chance: random.Random) -> Block:
    length = chance.choice((1, 2, 3))
    first = chance.randrange(10 ** (length - 1), 10**length)
    last = min(first + chance.choice((0, 1, 20)), 10**length - 1)
    return Block(chance.choice(("", "4")), Range(str(first), str(last)), "s", "path")


def _meet(one: Block, other: Block) -> bool:
    numbers = [[str(n) for n in range(int(block.first), int(block.last) + 1)] for block in (one, other)]
    return any(a.startswith(b) or b.startswith(a) for a in numbers[0] for b in numbers[1])
