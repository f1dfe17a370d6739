"""Edits of the draft as operations on documents. Pure; ids and secrets come from outside."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from appliance_agent.config.check import prompt_references, targets
from appliance_agent.config.diff import KEYS, same_menu
from appliance_agent.config.lines import E1Span, FxoPort, LineTrunk, LinkSet, Ss7
from appliance_agent.config.model import (
    Desired,
    Did,
    Extension,
    ExtensionKind,
    ExtensionTarget,
    Menu,
    MenuTarget,
    Network,
    OutboundRoute,
    Peer,
    Prompt,
    Queue,
    QueueTarget,
    Site,
    Trunk,
)
from appliance_agent.kernel.errors import Fault, FaultKind, FieldFault

COLLECTIONS: Mapping[str, type[BaseModel]] = {
    "extensions": Extension, "trunks": Trunk, "outbound": OutboundRoute, "dids": Did, "prompts": Prompt,
    "menus": Menu, "queues": Queue, "e1_spans": E1Span, "fxo_ports": FxoPort, "linksets": LinkSet,
    "line_trunks": LineTrunk, "peers": Peer,
}  # fmt: skip
SINGLETONS: Mapping[str, type[BaseModel]] = {"site": Site, "network": Network}

MOST_ITEMS = 2000
"""Of one collection. The box carries some hundred; a document without a bound is a way to stop it."""


def put_item(document: Desired, collection: str, name: str, item: BaseModel, new_secret: Callable[[], str]) -> Desired:
    """Creates or replaces an item in its place. Raises Fault when the item calls itself otherwise than `name`."""
    key = KEYS[collection]
    if getattr(item, key) != name:
        path = f"{collection}/{name}/{key}"
        raise Fault(
            FaultKind.INVALID, "config.name", f"{path}: is {getattr(item, key)!r}, the address says {name!r}",
            hint="An item cannot be renamed: make a new one, then remove this.",
            fields=[FieldFault(path, f"must be {name!r}")],
        )  # fmt: skip
    items = list(getattr(document, collection))
    names = [getattr(other, key) for other in items]
    old = items[names.index(name)] if name in names else None
    if isinstance(item, Extension | Peer):
        item = _with_secret(item, old, new_secret)
    if old is not None:
        items[names.index(name)] = item
    elif len(items) >= MOST_ITEMS:
        raise Fault(FaultKind.CONFLICT, "config.full", f"There are {MOST_ITEMS} {collection} already; remove one first")
    else:
        items.append(item)
    return document.model_copy(update={collection: tuple(items)})


def find_item(document: Desired, collection: str, name: str) -> Any:
    """The item as it stands in the document, or None. `name` is not looked at for a singleton."""
    if collection in SINGLETONS:
        return getattr(document, collection)
    return next((item for item in getattr(document, collection) if getattr(item, KEYS[collection]) == name), None)


def delete_item(document: Desired, collection: str, name: str) -> Desired:
    """Raises Fault: nothing of that name (not found), or what still refers to it (conflict)."""
    key = KEYS[collection]
    items = getattr(document, collection)
    kept = tuple(item for item in items if getattr(item, key) != name)
    if len(kept) == len(items):
        raise Fault(FaultKind.NOT_FOUND, "config.unknown", f"{collection}/{name} does not exist")
    users = referrers(document, collection, name)
    if users:
        raise Fault(
            FaultKind.CONFLICT, "config.in_use", f"{collection}/{name} is used by {', '.join(users[:5])}",
            hint="Point these elsewhere first.", fields=[FieldFault(path, f"refers to {name}") for path in users],
        )  # fmt: skip
    return document.model_copy(update={collection: kept})


def referrers(document: Desired, collection: str, name: str) -> list[str]:
    """Paths of everything that names the item."""
    if collection in ("trunks", "line_trunks"):
        return [f"outbound/{route.prefix}/trunk" for route in document.outbound if route.trunk == name]
    if collection in ("e1_spans", "fxo_ports"):
        return [f"line_trunks/{trunk.id}/lines/{name}" for trunk in document.line_trunks if name in trunk.lines]
    if collection == "linksets":
        return [
            f"e1_spans/{span.line}/signalling/linkset"
            for span in document.e1_spans
            if isinstance(span.signalling, Ss7) and span.signalling.linkset == name
        ]
    if collection == "prompts":
        return [path for path, prompt in prompt_references(document) if prompt == name]
    found = []
    for path, target in targets(document):
        match target:
            case MenuTarget(menu=other) if collection == "menus" and other == name:
                found.append(path)
            case QueueTarget(queue=other) if collection == "queues" and other == name:
                found.append(path)
            case ExtensionTarget(extension=other) if collection == "extensions" and other == name:
                found.append(path)
            case _:
                pass
    if collection == "extensions":
        found += [f"queues/{queue.id}/seats/{name}" for queue in document.queues if name in queue.seats]
    return [path for path in found if not path.startswith(f"{collection}/{name}/")]


def number_menus(draft: Desired, running: Desired, highest: Mapping[str, int]) -> Desired:
    """Gives each menu its version: the running one's where the content is the same, else one that was never used.

    Callers end on the version they began with, so a version's content never changes. `highest`: of each menu ever
    applied.
    """
    now = {menu.id: menu for menu in running.menus}
    menus = []
    for menu in draft.menus:
        same = menu.id in now and same_menu(menu, now[menu.id])
        version = now[menu.id].version if same else highest.get(menu.id, 0) + 1
        menus.append(menu.model_copy(update={"version": version}))
    return draft.model_copy(update={"menus": tuple(menus)})


def hide_secrets(text: str) -> str:
    """A rendered file for people to read."""
    return re.sub(r"(?mi)^(\s*(?:password|secret)\s*=>?\s*).+$", r"\1••••••", text)


def _with_secret(item: Extension | Peer, old: Any, new_secret: Callable[[], str]) -> Extension | Peer:
    """A phone or a peer keeps its secret unless a new one was typed; a browser has none."""
    has_none = isinstance(item, Extension) and item.kind is not ExtensionKind.PHONE
    if has_none or item.secret is not None:
        return item
    kept = old.secret if isinstance(old, type(item)) else None
    return item.model_copy(update={"secret": kept or new_secret()})
