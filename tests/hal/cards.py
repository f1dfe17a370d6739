"""What the DAHDI drivers register for cards that no emulator has, from their source (dahdi-linux 3.4):

wct4xxp/base.c, wctdm24xxp/base.c, wcte43x-base.c, xpp/ (xbus-core.c, xpp_dahdi.c, card_fxs.c, card_fxo.c),
dahdi_dynamic.c; the words for signalling from sigstr() in dahdi-base.c. Shares no code with hal/.
"""

from dataclasses import dataclass

ANALOG_FXO = "FXSLS FXSKS Clear SF (ToneOnly)"
"""sigcap of a line port: it is driven with FXS signalling."""
ANALOG_FXS = "FXOLS FXOGS FXOKS E&M Clear SF (ToneOnly)"
E1_CCS = "Clear Hardware-assisted HDLC SF (ToneOnly) MTP2"
ANYTHING = "FXSLS FXSGS FXSKS FXOLS FXOGS FXOKS E&M Clear Slave SF (ToneOnly) CAS DACS+RBS"


@dataclass(frozen=True)
class Channel:
    name: str
    sigcap: str
    sig: str = "Unconfigured"


@dataclass(frozen=True)
class SpanSpec:
    type: str
    name: str
    desc: str
    channels: tuple[Channel, ...]
    linecompat: str = ""


@dataclass(frozen=True)
class CardSpec:
    """What one driver tells DAHDI, wherever the card is plugged in."""

    driver: str
    vendor: str
    device: str
    manufacturer: str
    type: str
    hardware_id: str
    spans: tuple[SpanSpec, ...]
    express: bool = False


def _e1(name: str, desc: str, kind: str = "E1") -> SpanSpec:
    count = 24 if kind == "T1" else 31
    channels = tuple(Channel(f"{name}/{number}", E1_CCS) for number in range(1, count + 1))
    return SpanSpec(kind, name, desc, channels, "AMI HDB3 CCS CRC4")


def wct4xxp(number: int = 0, kind: str = "E1", spans: int = 4) -> CardSpec:
    """Two or four E1. No serial: only the eight-port card of this driver has one."""
    device, model = {2: ("0x0210", "Wildcard TE210P (4th Gen)"), 4: ("0x0410", "Wildcard TE410P (4th Gen)")}[spans]
    canceller = {2: "VPMOCT064", 4: "VPMOCT128"}[spans]
    all_spans = tuple(
        _e1(f"TE{spans}/{number}/{x}", f"T{spans}XXP (PCI) Card {number} Span {x}", kind) for x in range(1, spans + 1)
    )
    return CardSpec("wct4xxp", "0xd161", device, "Digium", f"{model} ({canceller})", "", all_spans)


def wct8xxp(serial: str, number: int = 0) -> CardSpec:
    spans = tuple(_e1(f"TE8/{number}/{x}", f"T8XXP (PCI) Card {number} Span {x}") for x in range(1, 9))
    return CardSpec("wct4xxp", "0xd161", "0x1820", "Digium", "Wildcard TE820 (5th Gen)", serial, spans, express=True)


def wcte43x(serial: str, number: int = 0) -> CardSpec:
    """Quad E1 with a serial in its flash; its first letters are the model."""
    spans = tuple(_e1(f"WCTE4/{number}/{x}", f"WCTE43X (PCI) Card {number} Span {x}") for x in range(1, 5))
    return CardSpec("wcte43x", "0xd161", "0x800a", "Digium", "Wildcard TE435 (VPMOCT128)", serial, spans, express=True)


def wctdm24xxp(modules: str, number: int = 0) -> CardSpec:
    """Analog, no serial. `modules`: a letter a port, o = FXO, s = FXS, - = empty socket. 4, 8 or 24 ports."""
    names = {4: ("0x8005", "Wildcard TDM410P"), 8: ("0x8007", "Wildcard TDM800P"), 24: ("0x2400", "Wildcard TDM2400P")}
    device, model = names[len(modules)]
    caps = {"o": ANALOG_FXO, "s": ANALOG_FXS, "-": ""}
    channels = tuple(Channel(f"WCTDM/{number}/{x}", caps[letter]) for x, letter in enumerate(modules))
    span = SpanSpec("ANALOG_MIXED", f"WCTDM/{number}", model, channels)
    return CardSpec("wctdm24xxp", "0xd161", device, "Digium", f"{model} (VPMADT032)", "", (span,))


def astribank(label: str, number: int = 0) -> CardSpec:
    """xpp: 8 FXS with 2 relay outputs and 4 alarm inputs, then 8 FXO. The label is its serial; old ones have none."""

    def span(offset: int, kind: str, names: list[str], sigcap: str) -> SpanSpec:
        text = f"Xorcom XPD [{label}].{offset + 1}: {kind}"
        return SpanSpec(kind, f"XBUS-{number:02}/XPD-{offset}0", text, tuple(Channel(name, sigcap) for name in names))

    where = f"{number:02}"
    sets = [f"XPP_FXS/{where}/00/{x}" for x in range(8)]
    extras = [f"XPP_OUT/{where}/00/{x}" for x in (8, 9)] + [f"XPP_IN/{where}/00/{x}" for x in range(10, 14)]
    lines = [f"XPP_FXO/{where}/10/{x}" for x in range(8)]
    spans = (span(0, "FXS", sets + extras, ANALOG_FXS), span(1, "FXO", lines, ANALOG_FXO))
    return CardSpec("xpp_usb", "e4e4", "1162", "Xorcom Inc.", "Astribank2", label, spans)


def stranger() -> CardSpec:
    """A driver from elsewhere: DAHDI serves it, we do not know it."""
    return CardSpec("wcxyz", "0x1b74", "0x0301", "Somebody", "Quux D130", "", (_e1("QUUX/0/1", "Quux Card 0 Span 1"),))


def undriven() -> CardSpec:
    """On the bus, but no driver made a DAHDI device of it."""
    return CardSpec("", "0xd161", "0x8018", "", "", "", ())


def dynamic(address: str, channels: int = 31, sig: str = "Unconfigured") -> CardSpec:
    name = f"DYN/loc/{address}"
    all_channels = tuple(Channel(f"{name}/{x}", ANYTHING, sig) for x in range(1, channels + 1))
    span = SpanSpec(
        "DYNAMIC", name, f"Dynamic 'loc' span at '{address}'", all_channels, "D4 ESF AMI B8ZS CCS HDB3 CRC4"
    )
    return CardSpec("dynamic", "", "", "", name, name, (span,))
