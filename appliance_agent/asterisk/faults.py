"""The Faults of both clients."""

from appliance_agent.kernel.errors import Fault, FaultKind


def unavailable(message: str) -> Fault:
    """Asterisk cannot be asked now. What was asked is not sent again: whoever asked decides."""
    return Fault(
        FaultKind.UNAVAILABLE, "asterisk.unavailable", message, hint="Try again when Asterisk is up; see GET /status."
    )


def first_fault(group: BaseExceptionGroup[BaseException]) -> Fault:
    """The first Fault of a task group's errors; re-raises the group when something else went wrong too (a bug)."""
    faults, others = group.split(Fault)
    if others is not None or faults is None:
        raise group
    leaf: BaseException = faults
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    assert isinstance(leaf, Fault)
    return leaf
