"""Does Asterisk have what the files promise? It logs and skips what it does not like, so it has to be asked."""

import asyncio
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from appliance_agent.config.model import Desired
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault
from appliance_agent.render import moh
from appliance_agent.render.apply_lines import channel_faults, promised_channels
from appliance_agent.render.apply_paths import field_of
from appliance_agent.render.control import AsteriskControl
from appliance_agent.render.render import endpoints_of, queues_of
from appliance_agent.render.sections import name_of, sections

READ_BACK_LIMIT_S = 3.0
"""A reload of pjsip goes on for a moment after its command has answered."""
LOOK_S = 0.05

_MOH_CLASS = re.compile(r"^Class: (\S+)", re.MULTILINE)
_TRANSPORT = re.compile(r"^\s*Transport:\s+([^<\s]+)", re.MULTILINE)
_IDENTIFY = re.compile(r"^\s*Identify:\s+([^<\s/]+)/", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Names:
    """What Asterisk knows, or should know, by name."""

    endpoint: frozenset[str]
    identify: frozenset[str]
    transport: frozenset[str]
    queue: frozenset[str]
    context: frozenset[str]
    music_class: frozenset[str]
    line_channels: Mapping[int, str] = field(default_factory=dict)
    """DAHDI's number → field of its line; of what Asterisk serves only the numbers matter."""


KINDS = ("endpoint", "identify", "transport", "queue", "context", "music_class")


def promised(document: Desired, files: dict[str, str], there: Collection[str] | None = None) -> Names:
    """What an Asterisk that read `files`, rendered from `document`, must know. The contexts come from the file:
    which retired menus stand there was decided when it was rendered. `there`: lines whose card has not gone since
    then; None when all are."""
    pjsip = sections(files.get("pjsip.conf", ""))
    contexts = frozenset(name_of(section) for section in sections(files.get("extensions.conf", "")))
    return Names(
        endpoint=endpoints_of(document),
        identify=frozenset(name_of(section) for section in pjsip if "type=identify" in section),
        transport=frozenset(name_of(section) for section in pjsip if "type=transport" in section),
        queue=queues_of(document),
        context=contexts - {"general", "globals"},
        music_class=frozenset(moh.classes(document)),
        line_channels=promised_channels(files, there),
    )


async def known(control: AsteriskControl, *, lines: bool = False) -> Names:
    """What Asterisk knows now; of its lines only where it should have any. Raises what `control` raises."""
    endpoints, queues, contexts, music, transports, identifies = await asyncio.gather(
        control.endpoints(),
        control.queues(),
        control.contexts(),
        control.command("moh show classes"),
        control.command("pjsip show transports"),
        control.command("pjsip show identifies"),
    )
    return Names(
        endpoint=frozenset(endpoints),
        identify=frozenset(_IDENTIFY.findall(identifies)),
        transport=frozenset(_TRANSPORT.findall(transports)),
        queue=frozenset(queues),
        context=frozenset(contexts),
        music_class=frozenset(_MOH_CLASS.findall(music)),
        line_channels=await control.line_channels() if lines else {},
    )


def differences(document: Desired, wanted: Names, there: Names) -> list[FieldFault]:
    """What Asterisk lacks, and endpoints that it should have forgotten. Queues with callers and contexts of other
    modules may rightly stay."""
    faults = [
        FieldFault(field_of(document, kind, name), f"Asterisk does not know {kind} {name!r} after reading its files")
        for kind in KINDS
        for name in sorted(getattr(wanted, kind) - getattr(there, kind))
    ]
    faults += channel_faults(wanted.line_channels, there.line_channels)
    return faults + [
        FieldFault(field_of(document, "endpoint", name), f"Asterisk still knows endpoint {name!r}, which is gone")
        for name in sorted(there.endpoint - wanted.endpoint)
    ]


async def read_back(
    control: AsteriskControl, document: Desired, wanted: Names, *, limit_s: float | None = None
) -> None:
    """Returns as soon as Asterisk agrees. Raises Fault with the fields that it does not have after `limit_s`
    seconds (READ_BACK_LIMIT_S), or what `control` raises."""
    loop = asyncio.get_running_loop()
    until = loop.time() + (READ_BACK_LIMIT_S if limit_s is None else limit_s)
    while True:
        faults = differences(document, wanted, await known(control, lines=bool(wanted.line_channels)))
        if not faults:
            return
        if loop.time() >= until:
            raise rejected(faults)
        await asyncio.sleep(LOOK_S)


def rejected(faults: list[FieldFault]) -> Fault:
    return Fault(
        FaultKind.INVALID, "config.rejected", f"{faults[0].path}: {faults[0].message}",
        hint="The version before runs again. Look at the named fields.", fields=faults,
    )  # fmt: skip
