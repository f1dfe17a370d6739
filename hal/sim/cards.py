"""Cards for the simulated box, built from the model's own words; nothing here reads sysfs."""

from dataclasses import dataclass, replace

from hal.detect.catalogue import EMULATED
from hal.model.inventory import Card, CardId, Port, PortKind, Span

E1_CHANNELS = 31
_LETTERS = {"o": PortKind.FXO, "s": PortKind.FXS, "-": PortKind.EMPTY, "x": PortKind.OTHER}


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A card in its box: not plugged in anywhere yet."""

    model: str
    maker: str
    family: str | None
    serial: str | None
    spans: tuple[Span, ...]
    """Without numbers."""
    location: str = ""
    trouble: str = ""

    def at(self, position: str) -> Card:
        card_id = CardId(self.model, self.serial, position)
        return Card(card_id, self.maker, self.location, self.family, self.spans, self.trouble)


def e1_span(local: int) -> Span:
    return Span(local, "E1", None, (Port(PortKind.E1, local, 1, None, E1_CHANNELS),))


def analog_span(local: int, ports: str, kind: str = "ANALOG_MIXED") -> Span:
    """`ports`: a letter a port: o = FXO, s = FXS, - = empty socket, x = relay or alarm contact."""
    return Span(
        local, kind, None, tuple(Port(_LETTERS[letter], local, place, None) for place, letter in enumerate(ports, 1))
    )


def e1(model: str, spans: int, family: str = "wct4xxp") -> Blueprint:
    """No serial, as wct4xxp with two or four spans."""
    return Blueprint(model, "Digium", family, None, tuple(e1_span(local) for local in range(1, spans + 1)))


def serial_e1(serial: str) -> Blueprint:
    """wcte43x: four E1 and a serial."""
    return Blueprint("Wildcard TE435", "Digium", "wcte43x", serial, tuple(e1_span(local) for local in range(1, 5)))


def analog(ports: str) -> Blueprint:
    """wctdm24xxp with 4, 8 or 24 ports: no serial."""
    model = {4: "Wildcard TDM410P", 8: "Wildcard TDM800P", 24: "Wildcard TDM2400P"}[len(ports)]
    return Blueprint(model, "Digium", "wctdm24xxp", None, (analog_span(1, ports),))


def astribank(serial: str | None) -> Blueprint:
    """xpp: 8 FXS with relays and alarm contacts, 8 FXO."""
    spans = (analog_span(1, "s" * 8 + "x" * 6, "FXS"), analog_span(2, "o" * 8, "FXO"))
    return Blueprint("Astribank2", "Xorcom Inc.", "xpp", serial, spans)


def emulated_e1(address: str) -> Blueprint:
    span = replace(e1_span(1), type="DYNAMIC")
    return Blueprint(EMULATED, "", "dynamic", f"DYN/loc/{address}", (span,))


def stranger() -> Blueprint:
    trouble = "DAHDI serves it as 'Quux D130', which is not in the catalogue of this release"
    return Blueprint("Quux D130", "Somebody", None, None, (e1_span(1),), trouble=trouble)
