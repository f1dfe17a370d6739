"""What changed between two documents, told in paths that people know: extensions/1001/name. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeGuard

from appliance_agent.config.model import Desired, Menu

KEYS = {
    "extensions": "number", "trunks": "id", "outbound": "prefix", "dids": "number", "prompts": "id", "menus": "id",
    "queues": "id", "options": "digit", "e1_spans": "line", "fxo_ports": "line", "linksets": "id", "line_trunks": "id",
    "peers": "id",
}  # fmt: skip
"""Lists whose items have a name of their own, and the field that holds it. Other lists are values."""

SECRET_FIELDS = frozenset({"secret"})
HIDDEN = "••••••"


class ChangeKind(StrEnum):
    ADD = "add"
    REMOVE = "remove"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Change:
    path: str
    kind: ChangeKind
    before: Any
    """JSON; None for an addition. Secrets are hidden."""
    after: Any


def diff(before: Desired, after: Desired) -> list[Change]:
    """In the document's order. The menus' versions are ours and are left out."""
    return list(_objects("", plain(before), plain(after)))


def same_menu(one: Menu, other: Menu) -> bool:
    """Whether callers would meet the same, whatever the versions say."""
    return one.model_copy(update={"version": 1}) == other.model_copy(update={"version": 1})


def plain(document: Desired) -> dict[str, Any]:
    """The document as JSON without the menus' versions."""
    dumped = document.model_dump(mode="json")
    for menu in dumped["menus"]:
        del menu["version"]
    return dumped


def without_secrets(document: Desired) -> Desired:
    """For people who may look, not act."""
    return document.model_copy(
        update={
            "extensions": tuple(item.model_copy(update={"secret": None}) for item in document.extensions),
            "trunks": tuple(item.model_copy(update={"secret": None}) for item in document.trunks),
            "peers": tuple(item.model_copy(update={"secret": None}) for item in document.peers),
        }
    )


def _objects(path: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for name in [*before, *(key for key in after if key not in before)]:
        below = f"{path}/{name}" if path else name
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if name in KEYS and _items(old) and _items(new):
            yield from _keyed(below, KEYS[name], old, new)
        elif isinstance(old, dict) and isinstance(new, dict) and old.get("kind") == new.get("kind"):
            yield from _objects(below, old, new)
        else:
            yield Change(below, ChangeKind.CHANGE, _masked(name, old), _masked(name, new))


def _items(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    """A list of named items. A menu's `prompts` are ids: a value, though a collection has the same name."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _keyed(path: str, key: str, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[Change]:
    old, new = {item[key]: item for item in before}, {item[key]: item for item in after}
    for name in [*old, *(item for item in new if item not in old)]:
        below = f"{path}/{name}"
        if name not in new:
            yield Change(below, ChangeKind.REMOVE, _masked("", old[name]), None)
        elif name not in old:
            yield Change(below, ChangeKind.ADD, None, _masked("", new[name]))
        else:
            yield from _objects(below, old[name], new[name])
    if list(old) != list(new) and set(old) == set(new):
        yield Change(path, ChangeKind.CHANGE, list(old), list(new))


def _masked(name: str, value: Any) -> Any:
    if name in SECRET_FIELDS and value is not None:
        return HIDDEN
    if isinstance(value, dict):
        return {key: _masked(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked("", item) for item in value]
    return value
