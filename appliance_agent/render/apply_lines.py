"""What a change does to telephone lines: which leave Asterisk, are configured and come back, and no others. Pure.

Asterisk 22 can do that for analog ports, PRI and R2 (docs/adr/0017-changes-of-lines.md). With SS7 it cannot: each
`dahdi create channels` starts a second thread for every link set that runs, so those changes take a restart.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from appliance_agent.kernel.errors import FieldFault
from appliance_agent.render.chan_dahdi import FILE, line_of
from appliance_agent.render.facts import LineFact
from appliance_agent.render.line_plan import HANGUP, PLAN, SYSTEM
from appliance_agent.render.sections import Section, name_of, sections, value_of
from hal.model.lines import CHANNELS_OF_A_SPAN
from hal.setup.plan import LinePlan, from_json

FILES = frozenset({FILE, PLAN, SYSTEM, HANGUP})
"""Files whose changes are told here. Nothing of Asterisk reads the last three."""


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line that Asterisk has to let go, to take, or both."""

    line: str
    channels: frozenset[int]
    """DAHDI's numbers: what Asterisk holds of it before; none of a line that it did not have."""
    destroy: tuple[str, ...]
    """CLI commands. Also for a line that Asterisk should not have yet: they may be repeated, and a second `create` of
    what is there is refused."""
    create: str = ""
    """CLI command; "" when Asterisk shall have nothing of it."""


@dataclass(frozen=True, slots=True)
class LinesPlan:
    changes: tuple[LineChange, ...] = ()
    ss7: bool = False
    """Only a restart can do this."""


def plan_lines(before: dict[str, str], after: dict[str, str]) -> LinesPlan:
    """`before` and `after` are rendered versions, {file: text}."""
    old, new = _by_line(before), _by_line(after)
    was, shall = _plans(before), _plans(after)
    names = [*old, *(name for name in new if name not in old)]
    changed = [name for name in names if old.get(name) != new.get(name) or was.get(name) != shall.get(name)]
    changes = tuple(_change(name, old.get(name, ()), new.get(name, ())) for name in changed)
    ss7 = any(value_of(part, "signalling") == "ss7" for line in (*old.values(), *new.values()) for part in line)
    return LinesPlan(changes, ss7=ss7 and bool(changes))


def lines_without_channels(files: dict[str, str], served: Collection[int], there: Collection[str]) -> LinesPlan:
    """Lines of `files` whose card is there and of which Asterisk serves nothing: it gave them up when the card went.
    What it serves a part of stays as it is: there may be calls on it."""
    found = plan_lines({}, {name: text for name, text in files.items() if name in FILES})
    held = {line: set(promised_channels(files, {line})) for line in there}
    gone = tuple(one for one in found.changes if one.create and one.line in held and not held[one.line] & set(served))
    return LinesPlan(gone, ss7=found.ss7 and bool(gone))


def plans_of(files: dict[str, str], lines: set[str]) -> tuple[LinePlan, ...]:
    """What the version wants of these lines."""
    return tuple(plan for name, plan in _plans(files).items() if name in lines)


def lines_in(files: dict[str, str], there: Mapping[str, LineFact]) -> frozenset[str]:
    """Of the lines that are there, those that an Asterisk that read `files` knows by the numbers that they have:
    another card that took a line over has others."""
    return frozenset(line for line, fact in there.items() if fact.channel in promised_channels(files, {line}))


def promised_channels(files: dict[str, str], there: Collection[str] | None = None) -> dict[int, str]:
    """DAHDI channel → field of its line, for an Asterisk that read `files`. `there`: of these lines only."""
    return {
        number: field_of_line(line, files)
        for line, parts in _by_line(files).items()
        if there is None or line in there
        for part in parts
        for number in _numbers(part)
    }


def channel_faults(wanted: Mapping[int, str], there: Collection[int]) -> list[FieldFault]:
    """Channels that Asterisk should serve (as `promised_channels` has them) and does not."""
    lacking: dict[str, list[int]] = {}
    for number, field in wanted.items():
        if number not in there:
            lacking.setdefault(field, []).append(number)
    return [
        FieldFault(field, f"Asterisk does not serve DAHDI channel {numbers[0]}") for field, numbers in lacking.items()
    ]


def field_of_line(line: str, files: dict[str, str]) -> str:
    """Where people set the line up. An FXS port belongs to the extension that its section names."""
    if line.startswith("fxs-"):
        keys = (key for part in _by_line(files).get(line, ()) for key in part)
        number = next((key.rpartition("=")[2] for key in keys if key.startswith("setvar=SA_EXT=")), "")
        return f"extensions/{number}/analog"
    return f"e1_spans/{line}" if line.startswith("e1-") else f"fxo_ports/{line}"


def _by_line(files: dict[str, str]) -> dict[str, tuple[Section, ...]]:
    found: dict[str, tuple[Section, ...]] = {}
    for section in sections(files.get(FILE, "")):
        if value_of(section, "dahdichan"):
            line = line_of(name_of(section))
            found[line] = (*found.get(line, ()), section)
    return found


def _plans(files: dict[str, str]) -> dict[str, LinePlan]:
    return {plan.name: plan for plan in from_json(files[PLAN])} if PLAN in files else {}


def _change(line: str, old: tuple[Section, ...], new: tuple[Section, ...]) -> LineChange:
    held = frozenset(number for part in old for number in _numbers(part))
    destroy = dict.fromkeys(command for parts in (old, new) for command in _destroy(parts))
    return LineChange(line, held, tuple(destroy), _create(new))


def _destroy(parts: tuple[Section, ...]) -> tuple[str, ...]:
    """A PRI span has a D channel beside its channels, which goes by the span's number."""
    if not parts:
        return ()
    channels = f"dahdi destroy channels {_first(parts)} {_last(parts)}"
    if not value_of(parts[0], "signalling").startswith("pri_"):
        return (channels,)
    return (f"pri destroy span {(_first(parts) - 1) // CHANNELS_OF_A_SPAN + 1}", channels)


def _create(parts: tuple[Section, ...]) -> str:
    return f"dahdi create channels {_first(parts)} {_last(parts)}" if parts else ""


def _first(parts: tuple[Section, ...]) -> int:
    return min(number for part in parts for number in _numbers(part))


def _last(parts: tuple[Section, ...]) -> int:
    return max(number for part in parts for number in _numbers(part))


def _numbers(section: Section) -> list[int]:
    found: list[int] = []
    for part in value_of(section, "dahdichan").split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
