"""SysfsView → Inventory. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from hal.detect.catalogue import PCI_VENDORS, USB_VENDORS, family_of, model_of
from hal.detect.view import Node, SysfsView
from hal.model.inventory import Card, CardId, Chassis, Inventory, Port, PortKind, Span, in_order

E1_CHANNELS = 31


def detect(view: SysfsView) -> Inventory:
    spans_of = _children(view.spans, view.cards)
    channels_of = _children(view.channels, view.spans)
    cards = [_card(node, [(span, channels_of[span.path]) for span in spans_of[node.path]]) for node in view.cards]
    cards += _driverless(view)
    dmi = view.dmi
    chassis = Chassis(dmi.get("sys_vendor", ""), dmi.get("product_name", ""), dmi.get("product_serial", ""))
    return Inventory(in_order(cards), chassis)


def _children(nodes: Iterable[Node], parents: Iterable[Node]) -> dict[str, list[Node]]:
    """Parent's path → the nodes directly below it."""
    paths = {parent.path for parent in parents}
    found: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        above = node.path.rpartition("/")[0]
        if above in paths:
            found[above].append(node)
    return found


def _card(node: Node, assigned: list[tuple[Node, list[Node]]]) -> Card:
    found = card_id(node)
    model, family = found.model, family_of(found.model)
    by_local = {int(span.get("local_spanno")): (span, channels) for span, channels in assigned}
    types = dict(_local_types(node.get("spantype")))
    types |= {local: span.get("spantype") for local, (span, _) in by_local.items()}
    return Card(
        id=found,
        maker=node.get("manufacturer"),
        location=node.get("location"),
        family=family,
        spans=tuple(_span(local, kind, *by_local.get(local, (None, []))) for local, kind in sorted(types.items())),
        trouble="" if family else f"DAHDI serves it as {model!r}, which is not in the catalogue of this release",
    )


def card_id(node: Node) -> CardId:
    """Of a DAHDI device."""
    return CardId(model_of(node.get("type")), node.get("hardware_id") or None, _position(node))


def _local_types(text: str) -> Iterable[tuple[int, str]]:
    """The card's attribute spantype: a line "1:E1" for each of its spans, assigned or not."""
    for line in text.splitlines():
        local, _, kind = line.partition(":")
        yield int(local), kind


def _position(node: Node) -> str:
    """The bus address for PCI. An Astribank's name counts the order of plugging, so its USB path is taken."""
    if node.name.startswith("astribanks:") and node.get("location"):
        return node.get("location")
    return node.name


def _span(local: int, kind: str, node: Node | None, channels: list[Node]) -> Span:
    number = int(node.name.removeprefix("span-")) if node else None
    if kind == "E1" or (kind == "DYNAMIC" and len(channels) == E1_CHANNELS):
        base = int(node.get("basechan")) if node else None
        return Span(local, kind, number, (Port(PortKind.E1, local, 1, base, E1_CHANNELS),))
    in_turn = sorted(channels, key=lambda channel: int(channel.get("chanpos")))
    return Span(local, kind, number, tuple(_port(local, kind, channel) for channel in in_turn))


def _port(local: int, span_type: str, channel: Node) -> Port:
    return Port(_kind(span_type, channel), local, int(channel.get("chanpos")), int(channel.get("channo")))


def _kind(span_type: str, channel: Node) -> PortKind:
    """An FXO port is driven with FXS signalling and the other way round, hence the crossing."""
    if span_type not in {"FXO", "FXS", "ANALOG_MIXED", "DYNAMIC"}:
        return PortKind.OTHER
    if channel.get("name").startswith(("XPP_IN/", "XPP_OUT/")):
        return PortKind.OTHER  # alarm inputs and relays of an Astribank; their span says FXS
    # A dynamic span could be anything (its sigcap says all): what it is configured as tells.
    words = channel.get("sig") if span_type == "DYNAMIC" else channel.get("sigcap")
    fxs, fxo = "FXS" in words, "FXO" in words
    if fxs == fxo:
        return PortKind.EMPTY
    return PortKind.FXO if fxs else PortKind.FXS


def _driverless(view: SysfsView) -> Iterable[Card]:
    """Telephone cards on the bus for which no DAHDI device was made: driver missing, or the card failed to start."""
    for host in view.hosts:
        maker = PCI_VENDORS.get(host.get("vendor")) or USB_VENDORS.get(host.get("idVendor"))
        if maker and not any(card.under(host) for card in view.cards):
            device = host.get("device") or host.get("idProduct")
            vendor = host.get("vendor") or host.get("idVendor")
            yield Card(
                id=CardId(f"{maker} {vendor.removeprefix('0x')}:{device.removeprefix('0x')}", None, host.name),
                maker=maker,
                location="",
                family=None,
                spans=(),
                trouble="it is on the bus, but no DAHDI driver has taken it",
            )
