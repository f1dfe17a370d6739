"""Calls that leave the box: a route's trunk, over SIP or over telephone lines."""

from appliance_agent.config.lines import LineOrder, LineTrunk
from appliance_agent.config.model import Desired, OutboundRoute, Trunk
from appliance_agent.render.dialplan.builder import Context, Step
from appliance_agent.render.dialplan.common import KIND, LINE, event
from appliance_agent.render.door import word
from appliance_agent.render.facts import Facts
from appliance_agent.render.lines import e1_spans, fxo_ports
from contracts.journal import UserEvent

RING_S = 180
SILENT_S = 30
"""A trunk that says nothing (no ringing, no audio) this long after our INVITE counts as unavailable."""


def contexts(desired: Desired, facts: Facts) -> list[Context]:
    over_sip = {trunk.id: trunk for trunk in desired.trunks}
    over_lines = {trunk.id: trunk for trunk in desired.line_trunks}
    routes = routes_of(desired)
    used = dict.fromkeys(route.trunk for route in routes)
    return [
        *(_over_sip(route, over_sip[route.trunk]) for route in routes if route.trunk in over_sip),
        *(_to_lines(route) for route in routes if route.trunk not in over_sip),
        *(_lines(over_lines[name], desired, facts) for name in used if name in over_lines and name not in over_sip),
        _trunk_leg(),
        _trunk_answered(),
    ]


def routes_of(desired: Desired) -> list[OutboundRoute]:
    """One route a prefix, of those whose trunk there is; Asterisk itself takes the longest prefix that fits."""
    trunks = {trunk.id for trunk in desired.trunks} | {trunk.id for trunk in desired.line_trunks}
    routes = list({route.prefix: route for route in reversed(desired.outbound)}.values())[::-1]
    return [route for route in routes if route.trunk in trunks]


def _over_sip(route: OutboundRoute, trunk: Trunk) -> Context:
    """The recording is made on the trunk's leg when it answers: it lives through transfers."""
    name = word(trunk.id)
    return Context(f"out-{word(route.prefix)}").exten(
        "s",
        "Set(SA_WAITING=)",
        f"GotoIf($[${{GROUP_COUNT({name}@trunk)}} >= {trunk.max_calls}]?full)",
        *_told(name),
        f"Dial(PJSIP/${{SA_NUMBER}}@trunk-{name},{_dial_options(f'{name}^^{KIND}')})",
        "Goto(sa-unanswered,s,1)",
        ("full", event(UserEvent.DIAL_END, status="congestion", cause="34")),
        "Hangup(34)",
    )


def _to_lines(route: OutboundRoute) -> Context:
    name = word(route.trunk)
    return Context(f"out-{word(route.prefix)}").exten(
        "s", "Set(SA_WAITING=)", "Set(SA_TRIED=0)", f"Goto(lines-{name},s,1)"
    )


def _lines(trunk: LineTrunk, desired: Desired, facts: Facts) -> Context:
    """Extension n tries line n, and goes on to the next while lines are busy or out of order. What the far end says
    (busy, no answer) ends it."""
    name = word(trunk.id)
    places = _places(trunk, desired, facts)
    context = Context(f"lines-{name}")
    if not places:
        return context.exten("s", *_told(name), "Set(DIALSTATUS=CHANUNAVAIL)", "Goto(sa-unanswered,s,1)")
    turn = f"SA_TURN_{name}"
    if trunk.order is LineOrder.ROTATING:
        begin = [f"Set(GLOBAL({turn})=$[(0${{{turn}}} + 1) % {len(places)}])", f"Goto(${{{turn}}},1)"]
    else:
        begin = ["Goto(0,1)"]
    context.exten("s", "Gosub(sa-jitter,s,1)", *begin)
    options = _dial_options(f"{name}^{word(trunk.caller_number)}" if trunk.caller_number else name)
    for index, (place, local_ends) in enumerate(places):
        ends = " | ".join(f'"${{DIALSTATUS}}"="{status}"' for status in local_ends)
        context.exten(
            str(index),
            "Set(SA_TRIED=$[${SA_TRIED} + 1])",
            *_told(name),
            f"Dial({place}/${{SA_NUMBER}},{options})",
            f"GotoIf($[({ends}) & ${{SA_TRIED}} < {len(places)}]?{(index + 1) % len(places)},1)",
            "Goto(sa-unanswered,s,1)",
        )
    return context


def _places(trunk: LineTrunk, desired: Desired, facts: Facts) -> list[tuple[str, tuple[str, ...]]]:
    """(what to dial, ends of the call that come from the line itself) for each line that is there. An FXO port cannot
    tell that the called party is busy: its BUSY means that the port is in use."""
    search = "G" if trunk.order is LineOrder.DESCENDING else "g"
    full: tuple[str, ...] = ("CHANUNAVAIL", "CONGESTION")
    taken = (*full, "BUSY")
    known = {port.line: (f"DAHDI/{fact.channel}", taken) for port, fact in fxo_ports(desired, facts)}
    known |= {span.line: (f"DAHDI/{search}{fact.span}", full) for span, fact in e1_spans(desired, facts)}
    return [known[line] for line in trunk.lines if line in known]


def _told(name: str) -> list[Step]:
    return [
        event(UserEvent.DIAL_OUT, trunk=name, number="${URIENCODE(${SA_NUMBER})}", ext="${SA_BY}"),
        f"Set(SA_DIALLING={name})",
    ]


def _dial_options(arguments: str) -> str:
    """With the arguments of `sa-trunk-leg`."""
    return f"{RING_S}^{SILENT_S},ib(sa-trunk-leg^s^1({arguments}))U(sa-trunk-answered^${{SA_POLICY}})"


def _trunk_leg() -> Context:
    """On the outgoing leg before it is dialled: counts it, and keeps the extension's name inside the house. ARG2 = the
    number that the called party shall see, or empty for the extension's own; ARG3 = kind of the caller's channel."""
    return Context("sa-trunk-leg").exten(
        "s",
        "Set(GROUP(trunk)=${ARG1})",
        'GosubIf($["${SA_LINE}"!=""]?sa-line,${SA_LINE},1)',
        'GosubIf($["${SA_SLOT}"!=""]?sa-on-line,s,1)',
        f'GosubIf($["${{ARG3}}"="{LINE}"]?sa-jitter,s,1)',
        "Set(CONNECTEDLINE(name,i)=)",
        'GotoIf($["${ARG2}"=""]?done)',
        "Set(CONNECTEDLINE(num,i)=${ARG2})",
        ("done", "Return()"),
    )


def _trunk_answered() -> Context:
    return Context("sa-trunk-answered").exten("s", 'GosubIf($["${ARG1}"="always"]?sa-record,s,1)', "Return()")
