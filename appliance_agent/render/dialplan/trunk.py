"""Calls from outside: DID → record → target. What the exchange sends is only ever filtered, never evaluated."""

from appliance_agent.config.model import Desired, Did, RecordPolicy
from appliance_agent.render.chan_dahdi import E1_CONTEXT, fxo_context
from appliance_agent.render.dialplan.builder import Context, Step, anything_else
from appliance_agent.render.dialplan.common import event
from appliance_agent.render.dialplan.target import Targets
from appliance_agent.render.door import encoded, word
from appliance_agent.render.facts import Facts
from appliance_agent.render.lines import e1_spans, fxo_ports
from contracts.journal import UserEvent


def contexts(desired: Desired, targets: Targets, facts: Facts) -> list[Context]:
    doors = [Context(f"from-trunk-{word(trunk.id)}").include("dids") for trunk in desired.trunks]
    dids = [_dids(desired, targets), _unknown(), _withheld()]
    return [*doors, *_line_doors(desired, facts), *dids, *_lines(desired, facts)]


def _line_doors(desired: Desired, facts: Facts) -> list[Context]:
    """An E1 tells the number called; an FXO port's own number is it."""
    doors = [
        Context(fxo_context(port.line)).exten("s", f"Goto(dids,{word(port.number)},1)")
        for port, _ in fxo_ports(desired, facts)
    ]
    if any(e1_spans(desired, facts)):
        doors.append(Context(E1_CONTEXT).include("dids"))
    return doors


def _lines(desired: Desired, facts: Facts) -> list[Context]:
    """What a leg over a line is told of itself: its trunk, and its timeslot there."""
    owners = {line: trunk.id for trunk in desired.line_trunks for line in trunk.lines}
    context = Context("sa-line")
    there = [(port.line, fact) for port, fact in fxo_ports(desired, facts)]
    there += [(span.line, fact) for span, fact in e1_spans(desired, facts)]
    for line, fact in there:
        context.exten(
            word(line),
            f"Set(SA_TRUNK={word(owners[line]) if line in owners else ''})",
            f"Set(SA_SLOT=$[${{CHANNEL(dahdi_channel)}} - {fact.channel - 1}])",
            "Return()",
        )
    return [context] if there else []


def _dids(desired: Desired, targets: Targets) -> Context:
    context = Context("dids")
    for did in desired.dids:
        context.exten(word(did.number), *_known(did, targets))
    return anything_else(context, "sa-unknown", "${FILTER(0-9+,${EXTEN})}")


def _unknown() -> Context:
    """ARG1 = what is left of the dialled number when all but digits and + is taken out."""
    return Context("sa-unknown").exten(
        "s",
        *_start(),
        event(UserEvent.DID, did="${URIENCODE(${ARG1})}", known="0"),
        "Hangup(1)",
    )


def _withheld() -> Context:
    steps = ("Set(CALLERID(all)=)", "Set(CALLERID(pres)=prohib)", "Set(SA_WITHHELD=1)", "Return()")
    return Context("sa-withheld").exten("s", *steps)


def _start() -> list[Step]:
    """Numbers from outside are cut to what numbers are made of before anything else: a line break in one (`%0a` in a
    SIP URI) would tear each of this call's rows in the journal. Who withholds his number (Q.951.3 presentation
    restricted, or a SIP caller `anonymous`) is told to nobody from here on, also if the exchange passes the number."""
    parts = ("num", "ANI-num", "dnid")
    return [
        *(f"Set(CALLERID({part})=${{FILTER(0-9A-Za-z+*#._,${{CALLERID({part})}})}})" for part in parts),
        'GosubIf($["${CALLERID(num-pres):0:6}"="prohib" | "${TOLOWER(${CALLERID(num)})}"="anonymous"]?sa-withheld,s,1)',
        'GosubIf($["${SA_LINE}"!=""]?sa-line,${SA_LINE},1)',
        "Gosub(sa-call,s,1(in,${SA_TRUNK}))",
        "Set(GROUP(trunk)=${SA_TRUNK})",
    ]


def _known(did: Did, targets: Targets) -> list[Step]:
    steps = [*_start(), event(UserEvent.DID, did=encoded(did.number), known="1")]
    if targets.needs_answer(did.target):
        steps.append("Answer()")
    if did.record is RecordPolicy.ALWAYS:
        steps.append("Gosub(sa-record,s,1)")
    return [*steps, targets.goto(did.target)]
