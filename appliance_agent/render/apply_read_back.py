"""Does Asterisk have what the files promise? It logs and skips what it does not like, so it has to be asked."""

import asyncio
import re

from appliance_agent.config.model import Desired
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault
from appliance_agent.render import moh
from appliance_agent.render.apply_reloads import sections
from appliance_agent.render.control import AsteriskControl
from appliance_agent.render.dialplan.target import menu_context, queue_context
from appliance_agent.render.pjsip import trunk_endpoint
from appliance_agent.render.render import Expected, endpoints_of, queues_of

READ_BACK_LIMIT_S = 3.0
"""A reload of pjsip goes on for a moment after its command has answered."""
LOOK_S = 0.05

_MOH_CLASS = re.compile(r"^Class: (\S+)", re.MULTILINE)


def promised(document: Desired, files: dict[str, str]) -> Expected:
    """What an Asterisk that read `files`, rendered from `document`, must know. The contexts come from the file:
    which retired menus stand there was decided when it was rendered."""
    names = {section[0].strip("[]") for section in sections(files.get("extensions.conf", ""))}
    return Expected(
        endpoints=endpoints_of(document),
        queues=queues_of(document),
        contexts=frozenset(names - {"general", "globals"}),
        moh_classes=frozenset(moh.classes(document)),
    )


async def read_back(
    control: AsteriskControl, document: Desired, wanted: Expected, *, limit_s: float | None = None
) -> None:
    """Returns as soon as Asterisk agrees. Raises Fault with the fields that it does not have after `limit_s`
    seconds (READ_BACK_LIMIT_S), or what `control` raises."""
    loop = asyncio.get_running_loop()
    until = loop.time() + (READ_BACK_LIMIT_S if limit_s is None else limit_s)
    while True:
        faults = await differences(control, document, wanted)
        if not faults:
            return
        if loop.time() >= until:
            raise Fault(
                FaultKind.INVALID, "config.rejected", f"Asterisk did not take {len(faults)} part(s) of the new version",
                hint="The version before runs again. Look at the named fields.", fields=faults,
            )  # fmt: skip
        await asyncio.sleep(LOOK_S)


async def differences(control: AsteriskControl, document: Desired, wanted: Expected) -> list[FieldFault]:
    """What Asterisk lacks, and endpoints that it should have forgotten."""
    endpoints, queues, contexts = await asyncio.gather(control.endpoints(), control.queues(), control.contexts())
    music = set(_MOH_CLASS.findall(await control.command("moh show classes")))
    paths = _paths(document)
    lacking = (
        ("endpoint", wanted.endpoints - endpoints),
        ("queue", wanted.queues - queues),
        ("context", wanted.contexts - contexts),
        ("music class", wanted.moh_classes - music),
    )
    faults = [
        FieldFault(paths.get((kind, name), kind), f"Asterisk does not know {kind} {name!r} after the reload")
        for kind, names in lacking
        for name in sorted(names)
    ]
    # A queue with callers, and the contexts of other modules, may rightly stay.
    return faults + [
        FieldFault(f"extensions/{name}", f"Asterisk still knows endpoint {name!r} after the reload")
        for name in sorted(endpoints - wanted.endpoints)
    ]


def _paths(document: Desired) -> dict[tuple[str, str], str]:
    """(kind, name in Asterisk) → path in the document."""
    paths = {("endpoint", extension.number): f"extensions/{extension.number}" for extension in document.extensions}
    paths |= {("endpoint", trunk_endpoint(trunk.id)): f"trunks/{trunk.id}" for trunk in document.trunks}
    paths |= {("context", menu_context(menu)): f"menus/{menu.id}" for menu in document.menus}
    for queue in document.queues:
        paths |= {("queue", queue.id): f"queues/{queue.id}", ("context", queue_context(queue.id)): f"queues/{queue.id}"}
    return paths
