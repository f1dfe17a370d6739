"""A small builder for extensions.conf. Lines are checked at the door; labels and priorities are written by us."""

from collections.abc import Iterable

from appliance_agent.render.door import plain, section

Step = str | tuple[str, str]
"""An application call, or (label, application call)."""

ANY_NUMBER = "_[!-~]!"
"""Whatever was dialled, be it letters or punctuation. It also matches `h`, so contexts with it have an own `h`.
(Asterisk warns about `_!` and `_.`, which say the same.)"""


class Context:
    def __init__(self, name: str) -> None:
        self.name = section(name)
        self._lines: list[str] = []

    def include(self, other: str) -> "Context":
        self._lines.append(f"include => {section(other)}")
        return self

    def exten(self, pattern: str, *steps: Step) -> "Context":
        for number, step in enumerate(steps):
            label, call = ("", step) if isinstance(step, str) else (f"({step[0]})", step[1])
            head = f"exten => {plain(pattern)},1{label}" if number == 0 else f" same => n{label}"
            self._lines.append(f"{head},{plain(call)}")
        return self

    def __str__(self) -> str:
        return "\n".join([f"[{self.name}]", *self._lines]) + "\n"


def file_text(contexts: Iterable[Context]) -> str:
    head = "; Dialplan. Rendered from the desired state: do not edit.\n[general]\nstatic = yes\nwriteprotect = yes\n"
    return "\n".join([head, *(str(context) for context in contexts)])
