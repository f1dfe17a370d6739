"""Which of Asterisk's parts must read their files anew. Pure. Never a full `core reload`."""

from dataclasses import dataclass

RELOADS: dict[str, str] = {
    "musiconhold.conf": "moh reload",
    "rtp.conf": "module reload res_rtp_asterisk.so",
    "pjsip.conf": "module reload res_pjsip.so",
    "queues.conf": "queue reload parameters",
    "extensions.conf": "dialplan reload",
}
"""File → the narrowest command that makes Asterisk read it, in the order in which they run: what the dialplan
names exists before it does. Any other file is read at Asterisk's start only."""


@dataclass(frozen=True, slots=True)
class ReloadPlan:
    commands: tuple[str, ...] = ()
    """CLI commands, in order. Empty when nothing changed, or when a restart reads everything."""
    restart: bool = False
    """Asterisk must start anew, which ends every call."""
    because: tuple[str, ...] = ()
    """Why a restart: files, or sections of pjsip.conf."""


EVERYTHING = ReloadPlan(commands=tuple(RELOADS.values()))
"""For an Asterisk of which nobody knows what it has read."""


def plan_reloads(before: dict[str, str], after: dict[str, str]) -> ReloadPlan:
    """`before` and `after` are rendered versions, {file: text}."""
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    because = sorted(changed - RELOADS.keys())
    if "pjsip.conf" in changed:
        because += _fixed_changes(before.get("pjsip.conf", ""), after.get("pjsip.conf", ""))
    if because:
        return ReloadPlan(restart=True, because=tuple(because))
    return ReloadPlan(commands=tuple(command for name, command in RELOADS.items() if name in changed))


def _fixed_changes(before: str, after: str) -> list[str]:
    """Sections of pjsip.conf that differ and that Asterisk reads at its start only: transports and `system`."""
    old, new = _fixed(before), _fixed(after)
    return sorted({f"pjsip.conf {section[0]}" for section in set(old) ^ set(new)})


def _fixed(text: str) -> list[tuple[str, ...]]:
    return [section for section in sections(text) if {"type=transport", "type=system"} & set(section)]


def sections(text: str) -> list[tuple[str, ...]]:
    """A file of Asterisk as its sections in order, each (header as written, key=value, …). The same header may come
    again. Comments, empty lines and spaces around keys are dropped."""
    found: list[list[str]] = []
    for raw in text.splitlines():
        line = raw.partition(";")[0].strip()
        if line.startswith("["):
            found.append([line])
        elif line and found:
            key, _, value = line.partition("=")
            found[-1].append(f"{key.strip()}={value.removeprefix('>').strip()}")
    return [tuple(section) for section in found]
