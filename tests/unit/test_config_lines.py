"""Telephone lines in the document: every check by one document that breaks it; the path must lead to the field."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from appliance_agent.config.check import check
from appliance_agent.config.diff import diff
from appliance_agent.config.lines import (
    R2,
    AnalogSet,
    BusyTone,
    E1Span,
    FxoPort,
    LearnedTone,
    LineTrunk,
    LinkSet,
    Pri,
    Ss7,
)
from appliance_agent.config.model import Desired, Extension, ExtensionKind, OutboundRoute, Queue, Trunk
from appliance_agent.features.configuration.edit import delete_item, put_item, referrers
from appliance_agent.kernel.errors import Fault


def ss7(line: str, first_cic: int, link: int | None = None, linkset: str = "1") -> E1Span:
    return E1Span(line=line, name=line, signalling=Ss7(linkset=linkset, first_cic=first_cic, link=link), clock=0)


def analog(number: str, line: str | None) -> Extension:
    set_ = AnalogSet(line=line) if line else None
    return Extension(number=number, name=number, kind=ExtensionKind.ANALOG, analog=set_)


SETS = (analog("2001", "fxs-1"), analog("2002", "fxs-2"))
SPANS = (
    E1Span(line="e1-1", name="PRI", signalling=Pri(), clock=1),
    E1Span(line="e1-2", name="R2", signalling=R2(), clock=2),
    ss7("e1-3", 1, link=0),
    ss7("e1-4", 33),
)
PORTS = (FxoPort(line="fxo-1", name="x", number="88886666"), FxoPort(line="fxo-2", name="y", number="88886667"))
LINKSET = LinkSet(id="1", name="x", own_point_code=2, adjacent_point_code=1)
TRUNKS = (LineTrunk(id="lines", name="x", lines=("fxo-1", "fxo-2")), LineTrunk(id="city", name="y", lines=("e1-1",)))
GOOD = Desired(
    extensions=SETS, e1_spans=SPANS, fxo_ports=PORTS, linksets=(LINKSET,), line_trunks=TRUNKS,
    outbound=(OutboundRoute(prefix="9", trunk="city"),),
)  # fmt: skip


def changed(part: Any, **update: Any) -> Any:
    return part.model_copy(update=update)


BROKEN: Mapping[str, tuple[dict[str, Any], set[str]]] = {
    "an E1 twice": ({"e1_spans": (*SPANS, SPANS[0])}, {"e1_spans/e1-1"}),
    "a port twice": ({"fxo_ports": (*PORTS, PORTS[0])}, {"fxo_ports/fxo-1"}),
    "a link set twice": ({"linksets": (LINKSET, LINKSET)}, {"linksets/1"}),
    "a line trunk twice": ({"line_trunks": (*TRUNKS, LineTrunk(id="lines", name="z"))}, {"line_trunks/lines"}),
    "a line trunk called as a SIP trunk": (
        {"trunks": (Trunk(id="city", name="x", host="192.0.2.1"),)}, {"line_trunks/city/id"}),
    "an analog set without a port": ({"extensions": (analog("2001", None),)}, {"extensions/2001/analog"}),
    "two sets at one port": ({"extensions": (*SETS, analog("2003", "fxs-1"))}, {"extensions/2003/analog/line"}),
    "a browser at a port": (
        {"extensions": (Extension(number="2001", name="x", analog=AnalogSet(line="fxs-1")),)},
        {"extensions/2001/analog"}),
    "an analog set with a secret": (
        {"extensions": (changed(SETS[0], secret="a" * 24),)}, {"extensions/2001/secret"}),
    "a tone without silence": (
        {"fxo_ports": (changed(PORTS[0], busy=BusyTone(learned=LearnedTone(hz=(425,), cadence_ms=(500, 250, 500)))),
                       PORTS[1])},
        {"fxo_ports/fxo-1/busy/learned/cadence_ms"}),
    "a seat at an analog set": ({"queues": (Queue(id="q", name="x", seats=("2001",)),)}, {"queues/q/seats/2001"}),
    "two first clocks": ({"e1_spans": (SPANS[0], changed(SPANS[1], clock=1), *SPANS[2:])}, {"e1_spans/e1-2/clock"}),
    "no such link set": (
        {"e1_spans": (*SPANS, ss7("e1-5", 65, linkset="2"))}, {"e1_spans/e1-5/signalling/linkset"}),
    "two links of one code": (
        {"e1_spans": (*SPANS, ss7("e1-5", 65, link=0))}, {"e1_spans/e1-5/signalling/link"}),
    "no link at all": ({"e1_spans": (*SPANS[:2], ss7("e1-3", 1))}, {"linksets/1"}),
    "circuits that overlap": (
        {"e1_spans": (*SPANS, ss7("e1-5", 63))}, {"e1_spans/e1-5/signalling/first_cic"}),
    "an exchange with our code": (
        {"linksets": (changed(LINKSET, adjacent_point_code=2, destination_point_code=2),)},
        {"linksets/1/adjacent_point_code", "linksets/1/destination_point_code"}),
    "a line twice in its trunk": (
        {"line_trunks": (changed(TRUNKS[0], lines=("fxo-1", "fxo-1")), TRUNKS[1])}, {"line_trunks/lines/lines/fxo-1"}),
    "a line in two trunks": (
        {"line_trunks": (TRUNKS[0], changed(TRUNKS[1], lines=("e1-1", "fxo-2")))}, {"line_trunks/city/lines/fxo-2"}),
    "a line that is not set up": (
        {"line_trunks": (TRUNKS[0], changed(TRUNKS[1], lines=("e1-1", "e1-9")))}, {"line_trunks/city/lines/e1-9"}),
    "a route to a trunk without lines": (
        {"line_trunks": (TRUNKS[0], changed(TRUNKS[1], lines=()))}, {"outbound/9/trunk"}),
    "a route to no trunk": ({"outbound": (OutboundRoute(prefix="9", trunk="gone"),)}, {"outbound/9/trunk"}),
}  # fmt: skip


def test_lines_of_every_kind_are_good() -> None:
    assert check(GOOD, ()) == []


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_told_with_its_path(name: str) -> None:
    update, paths = BROKEN[name]
    faults = check(GOOD.model_copy(update=update), ())
    assert {fault.path for fault in faults} == paths
    assert all(fault.message for fault in faults)


@pytest.mark.parametrize(
    "document",
    [
        {"fxo_ports": [{"line": "fxs-1", "name": "x", "number": "12345"}]},
        {"fxo_ports": [{"line": "fxo-0", "name": "x", "number": "12345"}]},
        {"e1_spans": [{"line": "e1-1", "name": "x", "signalling": {"kind": "v5"}}]},
        {"e1_spans": [{"line": "e1-1", "name": "x", "signalling": {"kind": "ss7", "linkset": "1", "first_cic": 4066}}]},
        {"line_trunks": [{"id": "x", "name": "x", "lines": ["fxs-1"]}]},
        {"linksets": [{"id": "13", "name": "x", "own_point_code": 1, "adjacent_point_code": 2}]},
        {"linksets": [{"id": "1", "name": "x", "own_point_code": 16384, "adjacent_point_code": 2}]},
    ],
    ids=["an FXS port outside", "line 0", "unknown signalling", "circuits beyond 12 bits", "a set in a trunk",
         "link set 13", "a point code beyond 14 bits"],
)  # fmt: skip
def test_what_a_field_alone_tells_is_refused_at_the_door(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Desired.model_validate(document)


def test_a_document_from_before_there_were_lines() -> None:
    old = {name: value for name, value in Desired().model_dump().items() if name not in
           {"e1_spans", "fxo_ports", "linksets", "line_trunks"}}  # fmt: skip
    assert Desired.model_validate(old) == Desired()


def test_changes_are_told_by_line() -> None:
    after = GOOD.model_copy(
        update={"fxo_ports": (changed(PORTS[0], polarity_hangup=True), PORTS[1]), "e1_spans": SPANS[:3]}
    )
    assert [(one.path, one.kind) for one in diff(GOOD, after)] == [
        ("e1_spans/e1-4", "remove"),
        ("fxo_ports/fxo-1/polarity_hangup", "change"),
    ]


def test_a_line_in_use_is_not_removed() -> None:
    assert referrers(GOOD, "linksets", "1") == ["e1_spans/e1-3/signalling/linkset", "e1_spans/e1-4/signalling/linkset"]
    for collection, name in (("fxo_ports", "fxo-1"), ("e1_spans", "e1-1"), ("linksets", "1"), ("line_trunks", "city")):
        with pytest.raises(Fault, match="is used by"):
            delete_item(GOOD, collection, name)
    assert delete_item(GOOD, "line_trunks", "lines").line_trunks == TRUNKS[1:]


def test_an_item_is_put_by_its_line() -> None:
    port = FxoPort(line="fxo-3", name="z", number="88886668")
    assert put_item(GOOD, "fxo_ports", "fxo-3", port, str).fxo_ports == (*PORTS, port)
