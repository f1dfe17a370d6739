"""Which of Asterisk's parts must read their files anew. Pure. Never a full `core reload`."""

from dataclasses import dataclass

from appliance_agent.render.apply_lines import FILES, LineChange, plan_lines
from appliance_agent.render.sections import Section, sections

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
    lines: tuple[LineChange, ...] = ()
    """Telephone lines that are taken out of service, configured, and given back after the commands. With a restart
    they are configured before it, and Asterisk takes all lines at its start."""

    @property
    def held(self) -> frozenset[int]:
        """DAHDI channels that are taken out of Asterisk."""
        return frozenset(number for change in self.lines for number in change.channels)

    @property
    def ends_calls(self) -> bool:
        return self.restart or any(change.channels for change in self.lines)

    @property
    def told(self) -> tuple[str, ...]:
        """Every command that Asterisk gets, in order."""
        if self.restart:
            return ("restart",)
        destroy = (command for change in self.lines for command in change.destroy)
        return (*destroy, *self.commands, *(change.create for change in self.lines if change.create))


EVERYTHING = ReloadPlan(commands=tuple(RELOADS.values()))
"""For an Asterisk of which nobody knows what it has read."""


def plan_reloads(before: dict[str, str], after: dict[str, str]) -> ReloadPlan:
    """`before` and `after` are rendered versions, {file: text}."""
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    lines = plan_lines(before, after)
    because = sorted(changed - RELOADS.keys() - FILES)
    if "pjsip.conf" in changed:
        because += _fixed_changes(before.get("pjsip.conf", ""), after.get("pjsip.conf", ""))
    if lines.ss7:
        because += [f"chan_dahdi.conf [{change.line}] beside SS7" for change in lines.changes]
    if because:
        return ReloadPlan(restart=True, because=tuple(because), lines=lines.changes)
    commands = tuple(command for name, command in RELOADS.items() if name in changed)
    return ReloadPlan(commands=commands, lines=lines.changes)


def _fixed_changes(before: str, after: str) -> list[str]:
    """Sections of pjsip.conf that differ and that Asterisk reads at its start only: transports and `system`."""
    old, new = _fixed(before), _fixed(after)
    return sorted({f"pjsip.conf {section[0]}" for section in set(old) ^ set(new)})


def _fixed(text: str) -> list[Section]:
    return [section for section in sections(text) if {"type=transport", "type=system"} & set(section)]
