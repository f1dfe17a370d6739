"""What Asterisk says in its log about files it reads. Nothing else tells it: a bad object keeps its old values, a
bad line of the dialplan is skipped, and the command that made it read answers "reloaded successfully"."""

import re
from pathlib import Path

from appliance_agent.config.model import Desired
from appliance_agent.kernel.errors import FieldFault
from appliance_agent.render.apply_paths import field_of

READ_LIMIT = 1_048_576
"""Bytes of log looked at after one reload."""

_OBJECT = re.compile(r"res_sorcery_config\.c: Could not create an object of type '(\w+)' with id '([^']+)'")
_LINE = re.compile(r"(?:WARNING|ERROR)\[\d+\](?:\[[^\]]*\])? \w+\.c: (.*) at line (\d+) of '?([\w.]+\.conf)")


class AsteriskLog:
    """Blocking: call by asyncio.to_thread on the event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def end(self) -> int:
        """Where the log ends now, in bytes; 0 when there is none."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def since(self, offset: int) -> str:
        """What was written after `offset`; from the beginning when the log was rotated meanwhile. At most 1 MiB."""
        try:
            with self._path.open("rb") as file:
                file.seek(offset if offset <= self.end() else 0)
                return file.read(READ_LIMIT).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""


def refusals(text: str, document: Desired, files: dict[str, str]) -> list[FieldFault]:
    """What Asterisk refused of `files`, with the paths in the document. Pure; each path once."""
    faults: dict[str, FieldFault] = {}
    for kind, name in _OBJECT.findall(text):
        path = field_of(document, kind, name)
        faults.setdefault(path, FieldFault(path, f"Asterisk refused {kind} {name!r} and would keep the old one"))
    for message, number, file in _LINE.findall(text):
        section = _section_at(files.get(file, ""), int(number))
        path = field_of(document, file.removesuffix(".conf"), section)
        faults.setdefault(path, FieldFault(path, f"Asterisk skipped line {number} of {file}: {message[:200]}"))
    return list(faults.values())


def _section_at(text: str, number: int) -> str:
    """The section that holds line `number` (from 1)."""
    section = ""
    for line in text.splitlines()[:number]:
        if line.startswith("["):
            section = line[1:].partition("]")[0]
    return section
