"""A small builder for extensions.conf. Lines are checked at the door; labels and priorities are written by us."""

from collections.abc import Iterable

from appliance_agent.render.door import plain, section

Step = str | tuple[str, str]
"""An application call, or (label, application call)."""


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


def anything_else(context: Context, handler: str, argument: str = "") -> Context:
    """Whatever was dialled, be it letters or punctuation, runs `handler`, which hangs up.

    The pattern matches `h` too, hence the own `h`; and it is one step only, or Asterisk would go on with the
    pattern's second step after the first of `h`. (`_!` and `_.` say the same, but Asterisk warns about them.)
    """
    return context.exten("_[!-~]!", f"Gosub({section(handler)},s,1({argument}))").exten("h", "NoOp()")


def file_text(contexts: Iterable[Context]) -> str:
    head = "; Dialplan. Rendered from the desired state: do not edit.\n[general]\nstatic = yes\nwriteprotect = yes\n"
    return "\n".join([head, *(str(context) for context in contexts)])
