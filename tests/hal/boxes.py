"""Inventories for tests of pure functions, and hypothesis strategies over them."""

from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from hal.model.inventory import Card, CardId, Inventory, Port, PortKind, Span, in_order

EVERY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""As many examples as `make check` can spend, on a machine that may be busy."""

KINDS = {"o": PortKind.FXO, "s": PortKind.FXS, "E": PortKind.E1, "-": PortKind.EMPTY}
FAMILIES = {"Wildcard TDM410P": "wctdm24xxp", "Astribank2": "xpp", "Wildcard TE435": "wcte43x"}


def card(slot: int, ports: str, *, model: str = "Wildcard TDM410P", serial: str | None = None) -> Card:
    """`ports`: a letter a port; E is a span of its own, the others share one."""
    analog = "".join(letter for letter in ports if letter != "E")
    spans = [Span(1, "ANALOG_MIXED", None, tuple(_port(1, x, letter) for x, letter in enumerate(analog, 1)))]
    spans = spans if analog else []
    for _ in range(ports.count("E")):
        local = len(spans) + 1
        spans.append(Span(local, "E1", None, (Port(PortKind.E1, local, 1, None, 31),)))
    family = FAMILIES.get(model)
    trouble = "" if family else "not in the catalogue"
    return Card(CardId(model, serial, f"pci:0000:05:{slot:02x}.0"), "Maker", "", family, tuple(spans), trouble)


def _port(span: int, position: int, letter: str) -> Port:
    return Port(KINDS[letter], span, position, None)


def numbered(cards: list[Card], first_span: int = 1) -> Inventory:
    """As after a boot: span and channel numbers follow the order of the list."""
    result, span_number, channel = [], first_span, 1
    for one in cards:
        spans = []
        for span in one.spans:
            ports = []
            for port in span.ports:
                ports.append(replace(port, channel=channel))
                channel += port.channels
            spans.append(replace(span, number=span_number, ports=tuple(ports)))
            span_number += 1
        result.append(replace(one, spans=tuple(spans)))
    return Inventory(in_order(result))


def in_slot(one: Card, slot: int) -> Card:
    return replace(one, id=replace(one.id, position=f"pci:0000:05:{slot:02x}.0"))


def on_bus(one: Card, bus: int) -> Card:
    return replace(one, id=replace(one.id, position=one.id.position.replace(":05:", f":{bus:02x}:")))


@st.composite
def cards(draw: st.DrawFn, most: int = 5, serials: bool | None = None) -> list[Card]:
    """Cards in different slots, serials (where there are any) all different."""
    slots = draw(st.lists(st.integers(6, 31), max_size=most, unique=True))
    made = []
    for number, slot in enumerate(slots):
        model = draw(st.sampled_from(sorted(FAMILIES)))
        with_serial = draw(st.booleans()) if serials is None else serials
        ports = draw(st.text("os-", max_size=6)) + "E" * draw(st.integers(0, 3))
        made.append(card(slot, ports, model=model, serial=f"SN{number}" if with_serial else None))
    return made
