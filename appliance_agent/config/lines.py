"""Telephone lines in the desired state: what is plugged into the box's own cards.

Lines have the names of the hardware layer (fxo-1, fxs-3, e1-2; ADR 0010), never DAHDI numbers: those are facts of the
moment and stand in rendered files only. A line whose card is away stays configured and is left out of those files.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from appliance_agent.config.part import Part
from appliance_agent.config.text import DialledNumber, E1Name, FxoName, FxsName, Name, OutsideLineName, Slug

Gain = Annotated[float, Field(ge=-20, le=20, multiple_of=0.5)]
"""dB"""


class EchoCanceller(StrEnum):
    """A card's own canceller, where there is one, stands in for any of these but `off`."""

    OFF = "off"
    OSLEC = "oslec"
    MG2 = "mg2"
    KB1 = "kb1"
    SEC = "sec"
    SEC2 = "sec2"
    JPAH = "jpah"


class LineAudio(Part):
    """What is done to the sound of a line."""

    echo: EchoCanceller = EchoCanceller.OSLEC
    rx_gain_db: Gain = 0.0
    """On what comes from the line."""
    tx_gain_db: Gain = 0.0
    """On what goes to the line."""


class CallerIdKind(StrEnum):
    """How the exchange tells the caller's number on an analog line."""

    NONE = "none"
    FSK = "fsk"
    """1200/2200 Hz (Bell 202, as in China) between the first two rings."""
    FSK_V23 = "fsk_v23"
    """1300/2100 Hz between the first two rings."""
    DTMF = "dtmf"
    """Before the first ring, without a sign before it."""
    DTMF_POLARITY = "dtmf_polarity"
    """Before the first ring, after the line's polarity was reversed."""


class LearnedTone(Part):
    """A tone of this exchange that the country's tones do not have."""

    hz: Annotated[tuple[Annotated[float, Field(ge=200, le=2000)], ...], Field(min_length=1, max_length=2)]
    """Its frequencies."""
    cadence_ms: Annotated[tuple[Annotated[int, Field(ge=50, le=5000)], ...], Field(min_length=2, max_length=8)]
    """Tone, silence, tone, silence …"""


class BusyTone(Part):
    """Hang up when the exchange plays its tone after the far end has gone: busy (450 Hz, 350/350 ms) or congestion
    (700/700 ms)."""

    learned: LearnedTone | None = None
    """One more, learned from this exchange."""


class FxoPort(Part):
    """A line of the exchange at an FXO port."""

    line: FxoName
    name: Name
    number: DialledNumber
    """The line's own number. Calls that come in on it are calls to this DID."""
    caller_id: CallerIdKind = CallerIdKind.FSK
    busy: BusyTone | None = BusyTone()
    """Hang up on busy tone; None: do not listen for it."""
    polarity_hangup: bool = False
    """The exchange reverses the line when the far end hangs up."""
    polarity_answer: bool = False
    """The exchange reverses the line when the far end answers. Otherwise a call counts as answered once dialled."""
    audio: LineAudio = LineAudio()


class AnalogSet(Part):
    """A telephone set at an FXS port; part of an extension of kind `analog`."""

    line: FxsName
    audio: LineAudio = LineAudio()


class PriSide(StrEnum):
    USER = "user"
    """The exchange is the network: the usual case."""
    NETWORK = "network"
    """We are the network, say for another PBX."""


class PriSwitch(StrEnum):
    EUROISDN = "euroisdn"
    """DSS1, as China's network speaks it."""
    QSIG = "qsig"


class NumberType(StrEnum):
    """What a number sent is called in the signalling."""

    UNKNOWN = "unknown"
    SUBSCRIBER = "subscriber"
    NATIONAL = "national"
    INTERNATIONAL = "international"


class Pri(Part):
    """ISDN PRI: timeslot 16 carries the D channel."""

    kind: Literal["pri"] = "pri"
    side: PriSide = PriSide.USER
    switch: PriSwitch = PriSwitch.EUROISDN
    called_type: NumberType = NumberType.UNKNOWN
    calling_type: NumberType = NumberType.UNKNOWN
    overlap: bool = False
    """The exchange sends the called number digit by digit."""


class R2Category(StrEnum):
    """Who calls, as told to the exchange (KA)."""

    SUBSCRIBER = "national_subscriber"
    PRIORITY = "national_priority_subscriber"


class R2(Part):
    """China No. 1: MFC/R2, variant `cn`."""

    kind: Literal["r2"] = "r2"
    dnis_digits: Annotated[int, Field(ge=1, le=20)] = 8
    """How many digits of the called number the exchange sends."""
    ani_digits: Annotated[int, Field(ge=0, le=20)] = 20
    """At most this many digits of the caller's number are asked for; 0 = none."""
    category: R2Category = R2Category.SUBSCRIBER


MOST_CIC = 4095
"""12 bits in ISUP."""
TIMESLOTS = 31

LinkSetNumber = Annotated[str, StringConstraints(pattern=r"^([1-9]|1[0-2])$")]
"""1 to 12, as Asterisk counts link sets; chosen once, so that other link sets keep theirs."""


class Ss7(Part):
    """SS7, ISUP after ITU-T."""

    kind: Literal["ss7"] = "ss7"
    linkset: LinkSetNumber
    first_cic: Annotated[int, Field(ge=1, le=MOST_CIC - TIMESLOTS + 1)]
    """Circuit code of timeslot 1; each next timeslot has the next one, timeslot 16 included."""
    link: Annotated[int, Field(ge=0, le=15)] | None = 0
    """Code (SLC) of the signalling link in timeslot 16; None: that timeslot carries talk."""

    @property
    def cics(self) -> range:
        """Circuit codes of this span, of timeslot 16 too."""
        return range(self.first_cic, self.first_cic + TIMESLOTS)


Signalling = Annotated[Pri | R2 | Ss7, Field(discriminator="kind")]


class E1Span(Part):
    line: E1Name
    name: Name
    signalling: Signalling
    clock: Annotated[int, Field(ge=0, le=12)] = 1
    """1: the box takes its clock from this span, 2: when the first is gone, and so on. 0: never; the far end takes its
    clock from us."""
    crc4: bool = False
    audio: LineAudio = LineAudio(echo=EchoCanceller.OFF)


PointCode = Annotated[int, Field(ge=0, le=16383)]
"""14 bits. Codes of 24 bits, as in China's national network, are beyond Asterisk's SS7 (libss7)."""


class Ss7Network(StrEnum):
    INTERNATIONAL = "international"
    INTERNATIONAL_SPARE = "international_spare"
    NATIONAL = "national"
    NATIONAL_SPARE = "national_spare"


class LinkSet(Part):
    """The signalling links to one exchange. Which spans carry them stands with the spans."""

    id: LinkSetNumber
    name: Name
    own_point_code: PointCode
    adjacent_point_code: PointCode
    """Of the exchange or STP at the other end of the links."""
    destination_point_code: PointCode | None = None
    """Of the exchange that our circuits lead to; None: the adjacent one."""
    network: Ss7Network = Ss7Network.NATIONAL
    called_type: NumberType = NumberType.UNKNOWN
    calling_type: NumberType = NumberType.UNKNOWN


class LineOrder(StrEnum):
    """Which free line (and timeslot) a call out takes."""

    ASCENDING = "ascending"
    """The lines as listed, the lowest timeslot first."""
    DESCENDING = "descending"
    """The lines as listed, the highest timeslot first: where the exchange takes the lowest, the two rarely meet."""
    ROTATING = "rotating"
    """Each call begins with the line after the one before it."""


class LineTrunk(Part):
    """Outside lines that routes use together. One id space with SIP trunks."""

    id: Slug
    name: Name
    lines: tuple[OutsideLineName, ...] = ()
    """In the order of choice."""
    order: LineOrder = LineOrder.ASCENDING
    caller_number: DialledNumber | None = None
    """What the called party sees (E1 only); None: the extension's own number."""
