"""What can be tested, on which lines, and how a line is had for it. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from appliance_agent.system.lines.wanted import Wanted
from hal.protocols.linetest import Measure, Order


class Kind(StrEnum):
    NOISE = "noise"
    """What is heard while nobody speaks."""
    LEVEL = "level"
    """How loud a tone of the far end comes in (a test number's milliwatt)."""
    TONE = "tone"
    """How loud our tone comes back from a loop."""
    ECHO = "echo"
    """Echo return loss and delay."""
    BITS = "bits"
    """Bit errors over a loop."""
    CALLER_ID = "caller_id"
    """What the exchange says of a caller; somebody has to call meanwhile."""
    BUSY_TONE = "busy_tone"
    """Learns the tone of this exchange that says that the far end has hung up."""


class Taking(StrEnum):
    """How a port is had. Nothing ever takes it out of Asterisk's hands (docs/adr/0020-line-tests.md)."""

    CALL = "call"
    """By a call of the test's own: Asterisk itself says whether the port is free, and gives it to nobody else."""
    DO_NOT_DISTURB = "do_not_disturb"
    """The set at it is not rung meanwhile; whoever lifts it ends the test."""
    NOTHING = "nothing"
    """Only hears; the call that comes is what is waited for."""


MEASURES = {
    Kind.NOISE: Measure.LISTEN,
    Kind.LEVEL: Measure.LISTEN,
    Kind.TONE: Measure.TONE,
    Kind.ECHO: Measure.ECHO,
    Kind.BITS: Measure.BITS,
    Kind.CALLER_ID: Measure.LISTEN,
    Kind.BUSY_TONE: Measure.LISTEN,
}
SECONDS = {
    Kind.NOISE: 5, Kind.LEVEL: 5, Kind.TONE: 5, Kind.ECHO: 5, Kind.BITS: 20, Kind.CALLER_ID: 40, Kind.BUSY_TONE: 20,
}  # fmt: skip
"""When nobody says how long."""
ENDS_WITH_THE_CALL = frozenset({Kind.BUSY_TONE, Kind.CALLER_ID})
"""What was heard until the far end hung up is enough."""
_DIGITAL = frozenset({"pri", "r2", "ss7"})


@dataclass(frozen=True, slots=True)
class Refusal:
    key: str
    """For translations."""
    message: str
    hint: str


def refusal(kind: Kind, wanted: Wanted | None) -> Refusal | None:
    """Why this cannot be tested on such a line, and what to do; None: it can."""
    if wanted is None:
        return Refusal("not_configured", "nothing is set up on this line", "Set it up first.")
    if kind is Kind.BITS and wanted.signalling not in _DIGITAL:
        return Refusal("analog", "an analog line carries sound, no bits", "Measure noise and echo instead.")
    if kind in {Kind.CALLER_ID, Kind.BUSY_TONE} and wanted.signalling != "fxo":
        return Refusal("not_fxo", "only an outside line at an FXO port has such signals", "Choose an FXO port.")
    return None


def taking(kind: Kind, wanted: Wanted) -> Taking:
    if kind is Kind.CALLER_ID:
        return Taking.NOTHING
    return Taking.DO_NOT_DISTURB if wanted.signalling == "fxs" else Taking.CALL


def needs_number(kind: Kind, wanted: Wanted) -> bool:
    """A timeslot of an E1 carries sound only while it is in a call: a test number of the exchange is called."""
    return wanted.signalling in _DIGITAL


def order(kind: Kind, *, seconds: float, level_dbm0: float) -> Order:
    return Order(MEASURES[kind], seconds, level_dbm0)
