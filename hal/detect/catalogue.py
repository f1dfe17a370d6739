"""The cards we know, by the words their DAHDI drivers give (dahdi-linux 3.4, struct dahdi_device.devicetype)."""

import re
from collections.abc import Mapping

EMULATED = "emulated span"
"""Model of a dynamic span: there is no hardware behind it (the emulated board, TDM over Ethernet)."""

_FAMILIES = {
    "wct4xxp": r"Wildcard TE(2(05|10)P|220|4(05|10)P(/TE405P)?|420|820)( \([1-5](st|nd|rd|th) Gen\))?",
    "wcte43x": r"Wildcard TE(235|236|435|436)",
    "wcte13xp": r"Wildcard TE(131/TE133|132/TE134)",
    "wcte12xp": r"Wildcard TE(120P|121|122)",
    "wctdm24xxp": r"Wildcard (TDM(2400|800|410)P|AEX(2400|800|410))|H[AB]8-0000",
    "wcaxx": r"Wildcard A[48][AB]",
    "opvxa1200": r"OpenVox A1200P/A800P",
    "xpp": r"Astribank2",
    "dynamic": EMULATED,
}
"""Driver → the models it drives."""

_ECHO_CANCELLER = re.compile(r"\s*\(VPM\w*\)$")

PCI_VENDORS: Mapping[str, str] = {"0xd161": "Digium", "0x1b74": "OpenVox", "0x1923": "Sangoma"}
"""Makers that build nothing but telephone cards, by PCI vendor id."""
USB_VENDORS: Mapping[str, str] = {"e4e4": "Xorcom"}


def model_of(type_text: str) -> str:
    """The type without what changes on one and the same card: the echo canceller that the driver finds after its
    start, and the address of a dynamic span."""
    if type_text.startswith("DYN/"):
        return EMULATED
    return _ECHO_CANCELLER.sub("", type_text).strip()


def family_of(model: str) -> str | None:
    return next((name for name, pattern in _FAMILIES.items() if re.fullmatch(pattern, model)), None)
