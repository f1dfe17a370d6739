"""Calls that extensions make, and where they may transfer others to."""

from appliance_agent.config.model import Desired, Extension, OutboundRoute, Trunk
from appliance_agent.render.dialplan.builder import Context, Step, anything_else
from appliance_agent.render.dialplan.common import event
from appliance_agent.render.door import decoded, word
from contracts.journal import UserEvent

RING_S = 60
"""An extension that is called directly rings this long."""
OUTSIDE_RING_S = 180
OUTSIDE_SILENT_S = 30
"""A trunk that says nothing (no ringing, no audio) this long after our INVITE counts as unavailable."""
LONGEST_NUMBER = 32
IDENTIFY = 'GosubIf($["${SA_EXT}"!=""]?sa-own,${SA_EXT},1)'


def contexts(desired: Desired) -> list[Context]:
    trunks = {trunk.id: trunk for trunk in desired.trunks}
    routes = [(route, trunks[route.trunk]) for route in _routes(desired) if route.trunk in trunks]
    return [
        _own(desired),
        _internal(desired, routes),
        _transfer(desired, routes),
        _extensions(desired),
        *(_outside(route, trunk) for route, trunk in routes),
        _misdialled(),
        _mistransferred(),
        _trunk_leg(),
        _trunk_answered(),
    ]


def _routes(desired: Desired) -> list[OutboundRoute]:
    """One route a prefix; Asterisk itself takes the longest prefix that fits."""
    return list({route.prefix: route for route in reversed(desired.outbound)}.values())[::-1]


def _own(desired: Desired) -> Context:
    """Who this extension is: whatever the phone put into From is replaced."""
    context = Context("sa-own")
    for extension in desired.extensions:
        context.exten(word(extension.number), *_identity(extension))
    return context


def _identity(extension: Extension) -> list[Step]:
    return [
        f"Set(CALLERID(num)={word(extension.number)})",
        f"Set(CALLERID(name)={decoded(extension.name)})",
        f"Set(SA_POLICY={extension.record.value})",
        "Return()",
    ]


def _internal(desired: Desired, routes: list[tuple[OutboundRoute, Trunk]]) -> Context:
    context = Context("internal")
    for extension in desired.extensions:
        number = word(extension.number)
        context.exten(number, IDENTIFY, "Gosub(sa-call,s,1(internal,))", f"Goto(extensions,{number},1)")
    for route, trunk in routes:
        context.exten(
            _pattern(route),
            IDENTIFY,
            f"Gosub(sa-call,s,1(out,{word(trunk.id)}))",
            "Set(SA_BY=${SA_EXT})",
            *_number(route),
        )
    return anything_else(context, "sa-misdialled")


def _transfer(desired: Desired, routes: list[tuple[OutboundRoute, Trunk]]) -> Context:
    """Where a REFER of an extension sends the other party. It is that party's leg that runs here: an outside
    caller's has its recording already. BLINDTRANSFER is the channel of who transferred: PJSIP/1001-00000002."""
    context = Context("transfer")
    for extension in desired.extensions:
        number = word(extension.number)
        context.exten(number, "Gosub(sa-guard,s,1)", f"Goto(extensions,{number},1)")
    for route, _ in routes:
        context.exten(
            _pattern(route),
            "Gosub(sa-guard,s,1)",
            "Set(SA_BY=${FILTER(0-9,${CUT(BLINDTRANSFER,-,1):6})})",
            "Set(SA_POLICY=never)",
            *_number(route),
        )
    return anything_else(context, "sa-mistransferred")


def _pattern(route: OutboundRoute) -> str:
    return f"_{word(route.prefix)}[0-9+]!"


def _number(route: OutboundRoute) -> list[Step]:
    """Digits after the prefix. A number with anything else in it (`&`, `@`, …) is refused, not mended."""
    cut = len(route.prefix)
    return [
        f"Set(SA_NUMBER=${{FILTER(0-9+,${{EXTEN:{cut}}})}})",
        f"GotoIf($[${{LEN(${{SA_NUMBER}})}} + {cut} != ${{LEN(${{EXTEN}})}}]?bad)",
        f"GotoIf($[${{LEN(${{SA_NUMBER}})}} > {LONGEST_NUMBER}]?bad)",
        f"Goto(out-{word(route.prefix)},s,1)",
        ("bad", event(UserEvent.DIAL_END, status="invalid", cause="28")),
        "Hangup(28)",
    ]


def _misdialled() -> Context:
    return Context("sa-misdialled").exten("s", IDENTIFY, "Gosub(sa-call,s,1(internal,))", *_refused())


def _mistransferred() -> Context:
    return Context("sa-mistransferred").exten("s", "Gosub(sa-guard,s,1)", *_refused())


def _refused() -> list[Step]:
    return [event(UserEvent.DIAL_END, status="unknown", cause="1"), "Hangup(1)"]


def _extensions(desired: Desired) -> Context:
    context = Context("extensions")
    for extension in desired.extensions:
        number = word(extension.number)
        context.exten(
            number,
            f"Set(SA_DIALLING={number})",
            # i: a phone cannot forward callers elsewhere.
            f"Dial(PJSIP/{number},{RING_S},ib(sa-ring^s^1())U(sa-seat))",
            "Goto(sa-unanswered,s,1)",
        )
    return context


def _outside(route: OutboundRoute, trunk: Trunk) -> Context:
    """Outbound over one trunk. The recording is made on the trunk's leg when it answers: it lives through transfers."""
    name = word(trunk.id)
    return Context(f"out-{word(route.prefix)}").exten(
        "s",
        "Set(SA_WAITING=)",
        f"GotoIf($[${{GROUP_COUNT({name}@trunk)}} >= {trunk.max_calls}]?full)",
        event(UserEvent.DIAL_OUT, trunk=name, number="${URIENCODE(${SA_NUMBER})}", ext="${SA_BY}"),
        f"Set(SA_DIALLING={name})",
        f"Dial(PJSIP/${{SA_NUMBER}}@trunk-{name},{OUTSIDE_RING_S}^{OUTSIDE_SILENT_S},"
        f"ib(sa-trunk-leg^s^1({name}))U(sa-trunk-answered^${{SA_POLICY}}))",
        "Goto(sa-unanswered,s,1)",
        ("full", event(UserEvent.DIAL_END, status="congestion", cause="34")),
        "Hangup(34)",
    )


def _trunk_leg() -> Context:
    """On the outgoing leg before it is dialled: counts it, and keeps the extension's name inside the house."""
    return Context("sa-trunk-leg").exten("s", "Set(GROUP(trunk)=${ARG1})", "Set(CONNECTEDLINE(name,i)=)", "Return()")


def _trunk_answered() -> Context:
    return Context("sa-trunk-answered").exten("s", 'GosubIf($["${ARG1}"="always"]?sa-record,s,1)', "Return()")
