"""Calls from outside: DID → record → target. What the exchange sends is only ever filtered, never evaluated."""

from appliance_agent.config.model import Desired, Did, RecordPolicy
from appliance_agent.render.dialplan.builder import Context, Step, anything_else
from appliance_agent.render.dialplan.common import event
from appliance_agent.render.dialplan.target import Targets
from appliance_agent.render.door import encoded, word
from contracts.journal import UserEvent


def contexts(desired: Desired, targets: Targets) -> list[Context]:
    doors = [Context(f"from-trunk-{word(trunk.id)}").include("dids") for trunk in desired.trunks]
    return [*doors, _dids(desired, targets), _unknown()]


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


def _start() -> list[Step]:
    """Numbers from outside are cut to what numbers are made of before anything else: a line break in one (`%0a` in a
    SIP URI) would tear each of this call's rows in the journal."""
    parts = ("num", "ANI-num", "dnid")
    return [
        *(f"Set(CALLERID({part})=${{FILTER(0-9A-Za-z+*#._,${{CALLERID({part})}})}})" for part in parts),
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
