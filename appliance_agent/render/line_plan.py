"""Files beside Asterisk's that say how lines are driven: the plan for hal.setup, the tones that end a call, and
DAHDI's own system.conf for technicians."""

import json

from appliance_agent.config.lines import R2, E1Span, EchoCanceller, LineAudio, Pri, Ss7
from appliance_agent.config.model import Desired
from appliance_agent.render.facts import Facts
from appliance_agent.render.lines import LINK_TIMESLOT, analog_sets, channels, e1_spans, fxo_ports, talk_timeslots
from hal.protocols.voice import ChannelConfig, Coding, Law, LineConfig, Signalling
from hal.setup.plan import Channels, LinePlan, to_json

PLAN = "dahdi.d/lines.json"
SYSTEM = "dahdi.d/system.conf"
HANGUP = "hangup.json"
R2_IDLE = 0b1101
"""Bits A B C D of a free channel."""


def plans(desired: Desired) -> tuple[LinePlan, ...]:
    """Of every configured line, whether its card is there or not: the names say it all."""
    return (
        *(_analog(port.line, Signalling.FXS_KEWL, port.audio) for port in desired.fxo_ports),
        *(
            _analog(extension.analog.line, Signalling.FXO_KEWL, extension.analog.audio)
            for extension in desired.extensions
            if extension.analog is not None
        ),
        *(_e1(span) for span in desired.e1_spans),
    )


def render_plan(desired: Desired) -> str:
    return to_json(plans(desired))


def render_hangup(desired: Desired, facts: Facts) -> str:
    """Ports whose calls end when the exchange plays a tone, and what is learned beside the country's tones."""
    ports = [
        {
            "line": port.line,
            "channel": fact.channel,
            "learned": None if port.busy.learned is None else port.busy.learned.model_dump(mode="json"),
        }
        for port, fact in fxo_ports(desired, facts)
        if port.busy is not None
    ]
    return json.dumps(ports, indent=1) + "\n"


def render_system(desired: Desired, facts: Facts) -> str:
    """The plan in the words of dahdi_cfg, which people know. Nothing of ours reads it."""
    lines = ["# How the box drives its lines. Rendered from the desired state: do not edit."]
    for span, fact in e1_spans(desired, facts):
        plan = _e1(span)
        assert plan.framing is not None, "an E1 has one"
        framing = f"{'ccs' if plan.framing.common_channel else 'cas'},hdb3{',crc4' if plan.framing.crc4 else ''}"
        lines += ["", f"# {span.line}", f"span={fact.span},{span.clock},0,{framing}"]
        for group in plan.channels:
            numbers = channels(fact, _ranges(group.timeslots))
            lines += _system(group.config, numbers)
    analog = {plan.name: plan for plan in plans(desired) if plan.framing is None}
    there = [(port.line, fact) for port, fact in fxo_ports(desired, facts)]
    there += [(extension.analog.line, fact) for extension, fact in analog_sets(desired, facts) if extension.analog]
    for name, fact in there:
        lines += ["", f"# {name}", *_system(analog[name].channels[0].config, str(fact.channel))]
    return "\n".join([*lines, "", "loadzone=cn", "defaultzone=cn", ""])


def _system(config: ChannelConfig, numbers: str) -> list[str]:
    bits = f":{config.idle_bits:04b}" if config.signalling is Signalling.CAS else ""
    lines = [f"{config.signalling.value}={numbers}{bits}"]
    if config.law is not Law.DEFAULT:
        lines.append(f"{config.law.value}={numbers}")
    if config.echo_canceller is not None:
        lines.append(f"echocanceller={config.echo_canceller},{numbers}")
    return lines


def _analog(line: str, signalling: Signalling, audio: LineAudio) -> LinePlan:
    return LinePlan(line, (Channels((1,), ChannelConfig(signalling, echo_canceller=_canceller(audio))),))


def _e1(span: E1Span) -> LinePlan:
    talk = _timeslots(talk_timeslots(span))
    echo = _canceller(span.audio)
    match span.signalling:
        case R2():
            # Without the law said each end takes its own default, and hears the other wrongly.
            config = ChannelConfig(Signalling.CAS, Law.A, R2_IDLE, echo)
            return _framed(span, False, Channels(talk, config))
        case Pri():
            bearer, link = ChannelConfig(Signalling.BEARER, echo_canceller=echo), True
        case Ss7() as ss7:
            bearer, link = ChannelConfig(Signalling.BEARER, echo_canceller=echo), ss7.link is not None
    links = (Channels((LINK_TIMESLOT,), ChannelConfig(Signalling.DATA_LINK)),) if link else ()
    return _framed(span, True, Channels(talk, bearer), *links)


def _framed(span: E1Span, common_channel: bool, *groups: Channels) -> LinePlan:
    framing = LineConfig(Coding.HDB3, common_channel, span.crc4)
    return LinePlan(span.line, groups, framing, span.clock)


def _canceller(audio: LineAudio) -> str | None:
    return None if audio.echo is EchoCanceller.OFF else audio.echo.value


def _timeslots(ranges: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


def _ranges(timeslots: tuple[int, ...]) -> str:
    """(1, 2, 3, 17) → "1-3,17"."""
    found: list[list[int]] = []
    for timeslot in timeslots:
        if found and found[-1][-1] == timeslot - 1:
            found[-1][1:] = [timeslot]
        else:
            found.append([timeslot])
    return ",".join("-".join(str(end) for end in part) for part in found)
