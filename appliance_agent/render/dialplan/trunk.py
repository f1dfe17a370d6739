"""Calls from outside: DID → record → target. What the exchange sends is only ever filtered, never evaluated."""

from appliance_agent.config.model import Desired, Did, RecordPolicy
from appliance_agent.render.dialplan.builder import ANY_NUMBER, Context, Step
from appliance_agent.render.dialplan.common import event
from appliance_agent.render.dialplan.target import Targets
from appliance_agent.render.door import encoded, word
from contracts.journal import UserEvent


def contexts(desired: Desired, targets: Targets) -> list[Context]:
    doors = [Context(f"from-trunk-{word(trunk.id)}").include("dids") for trunk in desired.trunks]
    return [*doors, _dids(desired, targets)]


def _dids(desired: Desired, targets: Targets) -> Context:
    context = Context("dids")
    for did in desired.dids:
        context.exten(word(did.number), *_known(did, targets))
    context.exten(
        ANY_NUMBER,
        *_start(),
        event(UserEvent.DID, did="${URIENCODE(${FILTER(0-9+,${EXTEN})})}", known="0"),
        "Hangup(1)",
    )
    return context.exten("h", "NoOp()")


def _start() -> list[Step]:
    return ["Gosub(sa-call,s,1(in,${SA_TRUNK}))", "Set(GROUP(trunk)=${SA_TRUNK})"]


def _known(did: Did, targets: Targets) -> list[Step]:
    steps = [*_start(), event(UserEvent.DID, did=encoded(did.number), known="1")]
    if targets.needs_answer(did.target):
        steps.append("Answer()")
    if did.record is RecordPolicy.ALWAYS:
        steps.append("Gosub(sa-record,s,1)")
    return [*steps, targets.goto(did.target)]
