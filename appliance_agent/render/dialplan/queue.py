"""Queues: what a caller's leg does. How the queue distributes is in queues.conf; who sits in it is set at run time."""

from appliance_agent.config.model import Desired, Queue
from appliance_agent.render.dialplan.builder import Context
from appliance_agent.render.dialplan.common import KIND, event, queue_left
from appliance_agent.render.dialplan.target import Targets, queue_context
from appliance_agent.render.door import word
from contracts.journal import UserEvent


def contexts(desired: Desired, targets: Targets) -> list[Context]:
    return [*(_queue(queue, targets) for queue in desired.queues), _left()]


def _queue(queue: Queue, targets: Targets) -> Context:
    name = word(queue.id)
    return Context(queue_context(name)).exten(
        "s",
        "Gosub(sa-hop,s,1)",
        "Answer()",
        "Set(SA_DIALLING=)",
        "Set(MEMBERINTERFACE=)",
        f"Set(SA_WAITING={name})",
        event(UserEvent.QUEUE_JOIN, queue=name),
        # i: a seat's phone cannot forward callers elsewhere.
        f"Queue({name},ib(sa-ring^s^1({name}^{KIND})),,,{queue.max_wait_s},,sa-seat)",
        "Gosub(sa-left,s,1)",
        targets.goto(queue.otherwise),
    )


def _left() -> Context:
    """Queue() came back: nobody answered. No QUEUESTATUS means that the queue does not exist (any more)."""
    return Context("sa-left").exten(
        "s",
        "Set(SA_STATUS=${TOLOWER(${QUEUESTATUS})})",
        'Set(SA_STATUS=${IF($["${SA_STATUS}" = "" | "${SA_STATUS:-7}" = "unavail"]?unavail:${SA_STATUS})})',
        'Set(SA_STATUS=${IF($["${SA_STATUS}" = "withdraw"]?continue:${SA_STATUS})})',
        queue_left("${SA_STATUS}"),
        "Return()",
    )
