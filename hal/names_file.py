"""The file that keeps the names of the lines. Blocking: call it in a thread.

One JSON document with a version. Written beside, synced and renamed, the version before is kept as `….before`.
A file that cannot be read is left alone until `recover` sets it aside; no start ever loses or silently renames a line.
`sa800-lines` and the agent both write it: whoever changes it holds its lock from reading to writing.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hal.errors import NamesDamaged, NamesTooNew
from hal.lock import hold
from hal.model.inventory import LINE_KINDS, CardId, Inventory, PortKind
from hal.model.lines import MOST_SPANS, NamedCard, NamedLine, Names, Naming, NumberedSpan, faults, name_lines

VERSION = 2
"""2: span numbers. A file of version 1 has none yet: they are given at the next probe."""
MOST_BYTES = 4 * 1024 * 1024
LOCK_LIMIT_S = 10.0
"""Who holds the lock reads and writes one small file."""


@dataclass(frozen=True, slots=True)
class Recovered:
    names: Names
    """The version before, or none when that cannot be read either."""
    set_aside: Path
    """Where the damaged file lies now."""
    from_before: bool


class NamesFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = path.with_name(path.name + ".before")

    def load(self) -> Names:
        """No file means no names yet. Raises NamesDamaged or NamesTooNew and leaves the file as it is."""
        return _read(self.path) if self.path.exists() else Names()

    def name(self, inventory: Inventory, change: Callable[[Names], Names] | None = None) -> Naming:
        """Names the lines that are there, after `change`, and stores that. Raises what `change` and `save` raise."""
        with hold(self.path, LOCK_LIMIT_S):
            names = self.load()
            naming = name_lines(names if change is None else change(names), inventory)
            self._write(naming.names)
        return naming

    def save(self, names: Names) -> None:
        """All or nothing, also when power fails. Never overwrites an unreadable file: NamesDamaged, NamesTooNew.
        Raises TimedOut when another process does not let go of the file."""
        with hold(self.path, LOCK_LIMIT_S):
            self._write(names)

    def recover(self) -> Recovered | None:
        """Sets a damaged file aside and puts the version before in its place. None: the file is in order, perhaps
        because another process was quicker."""
        with hold(self.path, LOCK_LIMIT_S):
            try:
                self.load()
            except NamesDamaged:
                return self._set_aside()
        return None

    def _write(self, names: Names) -> None:
        if self.load() == names and self.path.exists():
            return
        part = self.path.with_name(self.path.name + ".part")
        with part.open("w", encoding="utf-8") as file:
            file.write(to_json(names))
            file.flush()
            os.fsync(file.fileno())
        if self.path.exists():
            keep = self.before.with_name(self.before.name + ".part")
            keep.unlink(missing_ok=True)
            os.link(self.path, keep)
            keep.replace(self.before)
        part.replace(self.path)
        _sync_folder(self.path.parent)

    def _set_aside(self) -> Recovered:
        try:
            names, good = _read(self.before), True
        except (NamesDamaged, NamesTooNew, FileNotFoundError):
            names, good = Names(), False
        aside = self._free_place()
        self.path.rename(aside)
        if good:
            os.link(self.before, self.path)
        _sync_folder(self.path.parent)
        return Recovered(names, aside, good)

    def _free_place(self) -> Path:
        count = 1
        while (place := self.path.with_name(f"{self.path.name}.damaged-{count}")).exists():
            count += 1
        return place


def to_json(names: Names) -> str:
    cards = [
        {
            "model": card.id.model,
            "serial": card.id.serial,
            "position": card.id.position,
            "lines": [
                {
                    "name": line.name,
                    "kind": line.kind.value,
                    "number": line.number,
                    "span": line.span,
                    "position": line.position,
                    "order": line.order,
                }
                for line in card.lines
            ],
            "spans": [{"span": span.span, "number": span.number} for span in card.spans],
        }
        for card in names.cards
    ]
    return json.dumps({"version": VERSION, "cards": cards}, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> Names:
    """Raises NamesTooNew, or ValueError that says what is wrong."""
    document = json.loads(text)
    version = _take(document, "version", int)
    if version > VERSION:
        raise NamesTooNew(
            f"written by a newer release: version {version}, this release reads up to {VERSION}",
            hint="start the newer release again, or name the lines anew",
        )
    if version < 1:
        raise ValueError(f"version {version} has never existed")
    names = Names(tuple(_card(item) for item in _take(document, "cards", list)))
    for fault in faults(names):
        raise ValueError(fault)
    return names


def _card(item: object) -> NamedCard:
    card = CardId(_take(item, "model", str), _take(item, "serial", str | None), _take(item, "position", str))
    lines = tuple(_line(line) for line in _take(item, "lines", list))
    spans = _take(item, "spans", list) if isinstance(item, dict) and "spans" in item else []
    return NamedCard(card, lines, tuple(_span(span) for span in spans))


def _span(item: object) -> NumberedSpan:
    span = NumberedSpan(_take(item, "span", int), _take(item, "number", int))
    if span.span < 1 or not 1 <= span.number <= MOST_SPANS:
        raise ValueError(f"this is no span: {item}")
    return span


def _line(item: object) -> NamedLine:
    kind = PortKind(_take(item, "kind", str))
    numbers = [_take(item, key, int) for key in ("number", "span", "position", "order")]
    line = NamedLine(kind, *numbers)
    if kind not in LINE_KINDS or min(numbers) < 1 or line.name != _take(item, "name", str):
        raise ValueError(f"this is no line: {item}")
    return line


def _take(item: object, key: str, kind: Any) -> Any:
    if not isinstance(item, dict) or key not in item:
        raise ValueError(f"{key!r} is missing")
    if not isinstance(item[key], kind) or isinstance(item[key], bool):
        raise ValueError(f"{key!r} is {item[key]!r}")
    return item[key]


def _read(path: Path) -> Names:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ValueError(f"longer than {MOST_BYTES} characters")
        return from_json(text)
    except NamesTooNew as error:
        raise NamesTooNew(f"{path}: {error.message}", hint=error.hint) from None
    except (ValueError, RecursionError) as error:
        hint = "recover() sets it aside and goes on with the version before"
        raise NamesDamaged(f"{path} holds no names of lines: {error}", hint=hint) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
