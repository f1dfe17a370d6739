"""Which of Asterisk's parts must read their files anew. Pure. Never a full `core reload`."""

from dataclasses import dataclass

RELOADS: dict[str, str] = {
    "pjsip.conf": "module reload res_pjsip.so",
    "extensions.conf": "dialplan reload",
    "queues.conf": "queue reload all",
    "musiconhold.conf": "moh reload",
}
"""File → the narrowest command that makes Asterisk read it, in the order in which they run: names that the
dialplan uses exist before it does."""

ORDER = ("musiconhold.conf", "pjsip.conf", "queues.conf", "extensions.conf")

FOLDERS = {"pjsip.d": "pjsip.conf", "extensions.d": "extensions.conf", "queues.d": "queues.conf"}
"""Files below these folders are included by that file."""


@dataclass(frozen=True, slots=True)
class ReloadPlan:
    commands: tuple[str, ...] = ()
    """CLI commands, in order. Empty when nothing changed or a restart reads everything."""
    restart: bool = False
    """Asterisk must start anew, which ends every call."""
    because: tuple[str, ...] = ()
    """Why a restart: files and sections."""


def plan_reloads(before: dict[str, str], after: dict[str, str]) -> ReloadPlan:
    """`before` and `after` are rendered versions, {file: text}."""
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    because: list[str] = []
    touched: set[str] = set()
    for name in changed:
        main = FOLDERS.get(name.partition("/")[0], name) if "/" in name else name
        if main not in RELOADS:
            because.append(name)
        elif main == "pjsip.conf":
            sections = _unreloadable(before.get(name, ""), after.get(name, ""))
            because += [f"{name}: [{section}]" for section in sections]
        touched.add(main)
    if because:
        return ReloadPlan(restart=True, because=tuple(because))
    return ReloadPlan(commands=tuple(RELOADS[name] for name in ORDER if name in touched))


def _unreloadable(before: str, after: str) -> list[str]:
    """Sections of pjsip.conf that Asterisk reads at its start only: transports and the system section."""
    old, new = fixed_sections(before), fixed_sections(after)
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def fixed_sections(text: str) -> dict[str, list[str]]:
    """{section: lines} of the sections of type transport and system in a text of pjsip.conf."""
    sections = split_sections(text)
    return {
        name: lines
        for name, lines in sections.items()
        if any(line in ("type=transport", "type=system") for line in lines)
    }


def split_sections(text: str) -> dict[str, list[str]]:
    """{header as written, without brackets: its lines without spaces, comments and empty lines}."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for raw in text.splitlines():
        line = raw.partition(";")[0].strip()
        if line.startswith("["):
            lines = sections.setdefault(line, [])
        elif line:
            key, equals, value = line.partition("=")
            lines.append(f"{key.strip()}={value.lstrip('>').strip()}" if equals else line)
    return sections
