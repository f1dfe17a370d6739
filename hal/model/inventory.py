"""What was found in the box, frozen. Two probes of an unchanged box are equal."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class PortKind(StrEnum):
    FXO = "fxo"
    """A line of the exchange is plugged in here. (DAHDI drives it with FXS signalling.)"""
    FXS = "fxs"
    """A telephone set is plugged in here. (DAHDI drives it with FXO signalling.)"""
    E1 = "e1"
    """One E1 connector: 30 lines."""
    EMPTY = "empty"
    """A socket without a module, or one whose module failed its self-test."""
    OTHER = "other"
    """Neither: T1, BRI, relay outputs and alarm inputs. Carries no line of ours."""


LINE_KINDS = frozenset({PortKind.FXO, PortKind.FXS, PortKind.E1})
ANALOG_KINDS = frozenset({PortKind.FXO, PortKind.FXS})


class Place(tuple[str | int, ...]):
    """Sort key of a position. PCI addresses compare as the hexadecimal numbers they are; elsewhere numbers inside
    compare as numbers, so that USB port 2 comes before 10."""

    @classmethod
    def of(cls, position: str) -> "Place":
        if pci := re.fullmatch(r"(?:pci:)?([\da-f]{4,}):([\da-f]{2}):([\da-f]{2})\.([\da-f])", position):
            domain, bus, device, function = (int(part, 16) for part in pci.groups())
            return cls(("pci", domain, "", bus, "", device, "", function))
        parts = re.split(r"(\d+)", position)
        return cls(int(part) if index % 2 else part for index, part in enumerate(parts))


@dataclass(frozen=True, slots=True)
class CardId:
    """What tells one card from another."""

    model: str
    """As the driver names it, without the echo canceller it may have found: "Wildcard TE410P (4th Gen)"."""
    serial: str | None
    """DAHDI's hardware_id. Many cards have none."""
    position: str
    """Where it is plugged in: "pci:0000:05:04.0", "usb-0000:00:1d.7-1"."""

    def __str__(self) -> str:
        named = f" ({self.serial})" if self.serial else ""
        return f"{self.model}{named} at {self.position}"


@dataclass(frozen=True, slots=True)
class Port:
    """One connector."""

    kind: PortKind
    span: int
    """Which span of its card, from 1."""
    position: int
    """Which port of its span, from 1. An E1 span has one."""
    channel: int | None
    """First DAHDI channel; None as long as the span has no number. Changes from boot to boot."""
    channels: int = 1
    """How many DAHDI channels: 31 on an E1, signalling included."""


@dataclass(frozen=True, slots=True)
class Span:
    local: int
    """Which span of its card, from 1."""
    type: str
    """DAHDI's word: E1, T1, FXS, FXO, ANALOG_MIXED, BRI_TE, DYNAMIC …"""
    number: int | None
    """DAHDI's span number; None as long as it is not assigned. Changes from boot to boot."""
    ports: tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """The ports of one kind on one span, as far as sysfs can tell modules apart."""

    kind: PortKind
    span: int
    ports: tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class Card:
    id: CardId
    maker: str
    location: str
    """The driver's words for a person: "PCI Bus 05 Slot 05", "Board ID Switch 0"."""
    family: str | None
    """The DAHDI driver that we know it by (wct4xxp, xpp …); None for a card that is not in our catalogue."""
    spans: tuple[Span, ...]
    trouble: str = ""
    """Why an unknown card is unknown, for a person."""

    @property
    def known(self) -> bool:
        return self.family is not None

    @property
    def ports(self) -> tuple[Port, ...]:
        return tuple(port for span in self.spans for port in span.ports)

    @property
    def modules(self) -> tuple[Module, ...]:
        found: dict[tuple[int, PortKind], list[Port]] = {}
        for port in self.ports:
            if port.kind is not PortKind.EMPTY:
                found.setdefault((port.span, port.kind), []).append(port)
        return tuple(Module(kind, span, tuple(ports)) for (span, kind), ports in found.items())


@dataclass(frozen=True, slots=True)
class Chassis:
    """What the mainboard says of itself; empty where it says nothing."""

    maker: str = ""
    product: str = ""
    serial: str = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    cards: tuple[Card, ...] = ()
    """In the order of their positions."""
    chassis: Chassis = Chassis()

    def card(self, wanted: CardId) -> Card | None:
        return next((card for card in self.cards if card.id == wanted), None)

    @property
    def known(self) -> Iterator[Card]:
        return (card for card in self.cards if card.known)


def in_order(cards: list[Card]) -> tuple[Card, ...]:
    return tuple(sorted(cards, key=lambda card: (Place.of(card.id.position), card.id.model)))
