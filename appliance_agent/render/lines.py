"""Which of the configured lines are there, and what each is in DAHDI's numbers. Pure."""

from collections.abc import Iterator

from appliance_agent.config.lines import R2, E1Span, FxoPort, Pri, Ss7
from appliance_agent.config.model import Desired, Extension
from appliance_agent.render.facts import Facts, LineFact

LINK_TIMESLOT = 16
"""Of an E1: where PRI and SS7 have their data link, and R2 its signalling bits."""


def fxo_ports(desired: Desired, facts: Facts) -> Iterator[tuple[FxoPort, LineFact]]:
    return ((port, facts.lines[port.line]) for port in desired.fxo_ports if port.line in facts.lines)


def e1_spans(desired: Desired, facts: Facts) -> Iterator[tuple[E1Span, LineFact]]:
    return ((span, facts.lines[span.line]) for span in desired.e1_spans if span.line in facts.lines)


def analog_sets(desired: Desired, facts: Facts) -> Iterator[tuple[Extension, LineFact]]:
    for extension in desired.extensions:
        if extension.analog is not None and extension.analog.line in facts.lines:
            yield extension, facts.lines[extension.analog.line]


def any_line(desired: Desired, facts: Facts) -> bool:
    """Whether Asterisk has to do with lines at all."""
    configured = [port.line for port in desired.fxo_ports] + [span.line for span in desired.e1_spans]
    configured += [extension.analog.line for extension in desired.extensions if extension.analog is not None]
    return any(line in facts.lines for line in configured)


def talk_timeslots(span: E1Span) -> str:
    """Timeslots that carry calls, as DAHDI writes ranges."""
    match span.signalling:
        case Ss7(link=None):
            return "1-31"
        case Pri() | R2() | Ss7():
            return "1-15,17-31"


def channels(fact: LineFact, timeslots: str) -> str:
    """Timeslots of an E1 as DAHDI's channels: "1-15,17-31" → "33-47,49-63"."""

    def number(timeslot: str) -> str:
        return str(fact.channel + int(timeslot) - 1)

    return ",".join("-".join(number(end) for end in part.split("-")) for part in timeslots.split(","))
