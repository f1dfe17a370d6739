"""Calls that extensions make, and where they may transfer others to."""

from appliance_agent.config.model import Desired, Extension, ExtensionKind, OutboundRoute
from appliance_agent.render.chan_dahdi import SETS_CONTEXT
from appliance_agent.render.dialplan.builder import Context, Step, anything_else
from appliance_agent.render.dialplan.common import KIND, LINE, event
from appliance_agent.render.dialplan.outside import routes_of
from appliance_agent.render.door import decoded, word
from appliance_agent.render.facts import Facts
from appliance_agent.render.lines import analog_sets
from contracts.journal import UserEvent

RING_S = 60
"""An extension that is called directly rings this long."""
LONGEST_NUMBER = 32
IDENTIFY = 'GosubIf($["${SA_EXT}"!=""]?sa-own,${SA_EXT},1)'


def contexts(desired: Desired, facts: Facts) -> list[Context]:
    sets = [_sets(desired)] if any(analog_sets(desired, facts)) else []
    return [
        _own(desired),
        _internal(desired),
        *sets,
        _transfer(desired),
        _extensions(desired, facts),
        _misdialled(),
        _mistransferred(),
    ]


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


def _internal(desired: Desired) -> Context:
    context = Context("internal")
    for extension in desired.extensions:
        number = word(extension.number)
        context.exten(number, IDENTIFY, "Gosub(sa-call,s,1(internal,))", f"Goto(extensions,{number},1)")
    for route in routes_of(desired):
        context.exten(
            _pattern(route),
            IDENTIFY,
            f"Gosub(sa-call,s,1(out,{word(route.trunk)}))",
            "Set(SA_BY=${SA_EXT})",
            *_number(route),
        )
    return anything_else(context, "sa-misdialled")


def _sets(desired: Desired) -> Context:
    """What analog sets dial, digit by digit: here a number is over when nothing follows for three seconds. `internal`
    would take the first digit that fits, and knows what to do with the whole."""
    context = Context(SETS_CONTEXT)
    for extension in desired.extensions:
        context.exten(word(extension.number), f"Goto(internal,{word(extension.number)},1)")
    for route in routes_of(desired):
        context.exten(f"_{word(route.prefix)}[0-9].", "Goto(internal,${EXTEN},1)")
    return context


def _transfer(desired: Desired) -> Context:
    """Where a REFER of an extension sends the other party. It is that party's leg that runs here: an outside
    caller's has its recording already. BLINDTRANSFER is the channel of who transferred: PJSIP/1001-00000002."""
    context = Context("transfer")
    for extension in desired.extensions:
        number = word(extension.number)
        context.exten(number, "Gosub(sa-guard,s,1)", f"Goto(extensions,{number},1)")
    for route in routes_of(desired):
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


def _extensions(desired: Desired, facts: Facts) -> Context:
    context = Context("extensions")
    ports = {extension.number: fact.channel for extension, fact in analog_sets(desired, facts)}
    for extension in desired.extensions:
        number = word(extension.number)
        # i: a phone cannot forward callers elsewhere.
        options = f"{RING_S},ib(sa-ring^s^1(^{KIND}))U(sa-seat)"
        if extension.kind is not ExtensionKind.ANALOG:
            ring = [f"Dial(PJSIP/{number},{options})"]
        elif number in ports:
            ring = ["Gosub(sa-jitter,s,1)", f"Dial({LINE}/{ports[number]},{options})"]
        else:
            ring = ["Set(DIALSTATUS=CHANUNAVAIL)"]  # the card is away
        context.exten(number, f"Set(SA_DIALLING={number})", *ring, "Goto(sa-unanswered,s,1)")
    return context
