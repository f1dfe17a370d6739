"""What a numbering plan must not say, and the words and paths in which its author is told."""

from dataclasses import replace
from itertools import pairwise

import pytest

from contracts.plan import MOST_HOPS, Landing, Place, Plan, Range, Site
from hq.plan.check import check
from hq.plan.explain import explain, explain_did

HQ = Site(
    "hq",
    "总部",
    (Range("1000", "1999"),),
    "81",
    ("01088880000",),
    ("192.0.2.1:5061",),
    ("010",),
    ("139",),
    trunk_calls=30,
)
EAST = Site(
    "east", "East", (Range("1000", "1099"),), "82", ("02166660000",), ("192.0.2.2:5061",), ("021",), trunk_calls=4
)
WEST = Site("west", "West", (Range("2000", "2099"),), "83", ("02855550000",), ("192.0.2.3:5061",), trunk_calls=0)
PLAN = Plan(7, (HQ, EAST, WEST), "hq", "9", (Landing("east", "02166660000", (Place("hq", "01088880000"),)),))


def with_site(old: Site, **changes: object) -> Plan:
    new = replace(old, **changes)  # type: ignore[arg-type]
    return replace(PLAN, sites=tuple(new if site is old else site for site in PLAN.sites))


def landed(*landings: tuple[str, str, str, str]) -> Plan:
    return replace(PLAN, landings=tuple(Landing(at, did, (Place(site, number),)) for at, did, site, number in landings))


def test_a_good_plan() -> None:
    assert check(PLAN) == []


FAULTY = {
    "no_sites": (replace(PLAN, sites=()), "sites", "1 to 500"),
    "outside": (replace(PLAN, outside="x"), "outside", "digits"),
    "id": (with_site(WEST, id="West"), "sites/West", "small letter"),
    "prefix_letters": (with_site(WEST, prefix="8a"), "sites/west/prefix", "digits only"),
    "extension_zero": (with_site(WEST, extensions=(Range("0100", "0199"),)), "sites/west/extensions/0", "begin with 0"),
    "range_turned": (
        with_site(WEST, extensions=(Range("2099", "2000"),)),
        "sites/west/extensions/0",
        "lower one first",
    ),
    "range_lengths": (with_site(WEST, extensions=(Range("200", "2000"),)), "sites/west/extensions/0", "same length"),
    "did": (with_site(WEST, dids=("abc",)), "sites/west/dids/abc", "3 to 20 digits"),
    "port": (with_site(WEST, addresses=("192.0.2.3:70000",)), "sites/west/addresses/192.0.2.3:70000", "host:port"),
    "no_port": (with_site(WEST, addresses=("192.0.2.3",)), "sites/west/addresses/192.0.2.3", "host:port"),
    "area_without_0": (with_site(EAST, area_codes=("21",)), "sites/east/area_codes/21", "write 0 and"),
    "emergency": (with_site(EAST, mobile_prefixes=("11",)), "sites/east/mobile_prefixes/11", "13 to 19"),
    "site_twice": (with_site(WEST, id="east"), "sites/east", "2 times"),
    "did_twice": (with_site(WEST, dids=("+02166660000",)), "dids/02166660000", "2 times"),
    "address_twice": (with_site(WEST, addresses=("192.0.2.2:5061",)), "addresses/192.0.2.2:5061", "2 times"),
    "prefix_hidden": (with_site(WEST, prefix="811"), "sites/west/prefix", "hides"),
    "prefix_outside": (with_site(WEST, prefix="95"), "sites/west/prefix", "outside digit"),
    "overlap": (
        with_site(WEST, extensions=(Range("2000", "2099"), Range("2050", "2060"))),
        "sites/west/extensions/1",
        "",
    ),
    "overlap_after_prefix": (
        with_site(WEST, prefix="", extensions=(Range("821050", "821060"),)),
        "sites/west/extensions/0",
        "cannot be told",
    ),
    "extension_begins_another": (with_site(EAST, extensions=(Range("83", "83"),)), "sites/west/extensions/0", "83 of"),
    "extension_outside": (with_site(WEST, extensions=(Range("9000", "9001"),)), "sites/west/extensions/0", "outside"),
    "area_ambiguous": (with_site(EAST, area_codes=("021", "0101")), "area_codes/0101", "begins with the area code 010"),
    "area_equal": (
        with_site(EAST, area_codes=("010",), trunk_calls=30),
        "sites/east/area_codes/010",
        "make one cheaper",
    ),
    "area_no_lines": (with_site(WEST, area_codes=("028",)), "sites/west/area_codes/028", "no lines"),
    "default_unknown": (replace(PLAN, default_site="north"), "default_site", "does not exist"),
    "default_no_lines": (replace(PLAN, default_site="west"), "default_site", "no lines"),
    "no_address": (with_site(WEST, addresses=()), "sites/west/addresses", "without an address"),
    "landing_site": (landed(("north", "1", "hq", "1000")), "landings/north/1", "does not exist"),
    "landing_did": (landed(("east", "777", "hq", "1000")), "landings/east/777", "no DID of site east"),
    "place_site": (
        landed(("east", "02166660000", "north", "1000")),
        "landings/east/02166660000/places/north/1000",
        "does not exist",
    ),
    "place_number": (
        landed(("east", "02166660000", "hq", "2000")),
        "landings/east/02166660000/places/hq/2000",
        "neither",
    ),
    "no_places": (
        replace(PLAN, landings=(Landing("east", "02166660000", ()),)),
        "landings/east/02166660000/places",
        "no place",
    ),
    "loop_of_one": (landed(("east", "02166660000", "east", "02166660000")), "landings/east/02166660000", "go round"),
    "loop": (
        landed(("east", "02166660000", "hq", "01088880000"), ("hq", "01088880000", "east", "02166660000")),
        "landings/hq/01088880000",
        "go round",
    ),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_fault(name: str) -> None:
    plan, path, words = FAULTY[name]
    faults = check(plan)
    assert path in [fault.path for fault in faults], faults
    assert any(words in fault.message for fault in faults if fault.path == path), faults


def test_the_highest_port() -> None:
    assert check(with_site(WEST, addresses=("west.example:65535",))) == []
    assert check(with_site(WEST, addresses=("west.example:65536",))) != []


def test_too_many_landings_in_a_row() -> None:
    dids = tuple(f"010{number}000" for number in range(MOST_HOPS + 2))
    plan = with_site(HQ, dids=dids)
    chain = tuple(Landing("hq", one, (Place("hq", other),)) for one, other in pairwise(dids))
    assert check(replace(plan, landings=chain[1:])) == []
    assert [fault.path for fault in check(replace(plan, landings=chain))] == [f"landings/hq/{dids[0]}"]


def test_what_is_explained() -> None:
    told = explain(PLAN, "east", "901012345678")
    assert [(reason.way.by, reason.way.site, reason.way.number) for reason in told] == [
        ("site_lines", "hq", "12345678"),
        ("own_lines", "east", "01012345678"),
    ]
    assert "local at 总部" in told[0].why
    assert [reason.way.site for reason in explain(PLAN, "west", "9110")] == ["hq"], "a site without lines borrows them"
    assert explain(PLAN, "east", "9110")[0].way.by == "own_lines", "help is called where one is"
    assert [reason.way.by for reason in explain_did(PLAN, "east", "02166660000")] == ["site", "own_target"]
    assert explain(PLAN, "hq", "7777") == []
