"""What the desired state wants of each line. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance_agent.config.lines import LineAudio, Ss7
from appliance_agent.config.model import Desired


@dataclass(frozen=True, slots=True)
class Wanted:
    label: str
    """What people call it."""
    signalling: str
    """pri, r2, ss7, fxo or fxs."""
    number: str = ""
    """The line's own number, or the extension at it."""
    linkset: int = 0
    """SS7: Asterisk's number of the link set; 0 otherwise."""
    destination: int = 0
    """SS7: point code that the circuits lead to."""
    first_cic: int = 0
    data_link: int = 0
    """Timeslot that carries no talk; 0: none."""
    rx_gain_db: float = 0.0
    """What Asterisk adds to what comes from the line."""
    tx_gain_db: float = 0.0


def wanted_lines(document: Desired) -> Mapping[str, Wanted]:
    """Name of the line → what it is to be. Lines that nobody configured are not in it."""
    linksets = {linkset.id: linkset for linkset in document.linksets}
    found: dict[str, Wanted] = {}
    for port in document.fxo_ports:
        found[port.line] = Wanted(port.name, "fxo", port.number, **_gains(port.audio))
    for extension in document.extensions:
        if extension.analog is not None:
            gains = _gains(extension.analog.audio)
            found[extension.analog.line] = Wanted(extension.name, "fxs", extension.number, **gains)
    for span in document.e1_spans:
        match span.signalling:
            case Ss7(linkset=id_, first_cic=first, link=link):
                linkset = linksets.get(id_)
                far = 0
                if linkset is not None:
                    there = linkset.destination_point_code
                    far = linkset.adjacent_point_code if there is None else there
                found[span.line] = Wanted(
                    span.name, "ss7", linkset=int(id_), destination=far, first_cic=first,
                    data_link=0 if link is None else 16, **_gains(span.audio),
                )  # fmt: skip
            case other:
                found[span.line] = Wanted(span.name, other.kind, data_link=16, **_gains(span.audio))
    return found


def _gains(audio: LineAudio) -> dict[str, Any]:
    return {"rx_gain_db": audio.rx_gain_db, "tx_gain_db": audio.tx_gain_db}
