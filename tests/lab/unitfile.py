"""The part of systemd's unit files that our units use. What is not known is an error, never passed over."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_STOP_S = 5.0
DEFAULT_START_S = 90.0
RESTARTS = {"no", "always", "on-failure"}
TYPES = {"simple", "oneshot", "notify"}
# Documentation, and what only a whole systemd can do (hardening).
KNOWN_IGNORED = {
    "Unit": {"Description", "Documentation", "Before", "Wants", "StartLimitIntervalSec"},
    "Service": {"AmbientCapabilities", "NoNewPrivileges", "PrivateTmp", "ProtectHome", "ProtectSystem"},
}


class UnitError(ValueError):
    """A unit file says something that this supervisor does not understand: file, line and words."""


@dataclass(frozen=True, slots=True)
class Unit:
    name: str
    """Without `.service`."""
    exec_start: tuple[str, ...]
    type: str = "simple"
    user: str = "root"
    group: str | None = None
    umask: int = 0o022
    environment: dict[str, str] = field(default_factory=dict)
    working_directory: str = "/"
    runtime_directory: tuple[str, ...] = ()
    runtime_directory_mode: int = 0o755
    limit_nofile: int | None = None
    restart: str = "no"
    restart_s: float = 0.1
    start_limit_s: float = DEFAULT_START_S
    """How long oneshot may run, and notify may take until READY=1."""
    stop_limit_s: float = DEFAULT_STOP_S
    """From SIGTERM to SIGKILL."""
    remain_after_exit: bool = False
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def seconds(text: str) -> float:
    """systemd's time spans as far as we use them: 5, 0.2, 200ms, 5s, 2min, infinity."""
    if text == "infinity":
        return float("inf")
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|sec|min)?", text)
    if not match:
        raise ValueError(f"{text!r} is not a time span such as 5, 200ms or 2min")
    return float(match[1]) * {"ms": 0.001, "min": 60.0}.get(match[2] or "s", 1.0)


def _yes(text: str) -> bool:
    if text not in {"yes", "no", "true", "false"}:
        raise ValueError(f"{text!r} is neither yes nor no")
    return text in {"yes", "true"}


def _one_of(choices: set[str], text: str) -> str:
    if text not in choices:
        raise ValueError(f"{text!r} is not one of {', '.join(sorted(choices))}")
    return text


def _command(text: str) -> tuple[str, ...]:
    if not text.startswith("/") or "%" in text or "$" in text:
        raise ValueError("only an absolute program with plain words is understood (no prefix, specifier, variable)")
    return tuple(shlex.split(text))


def _variables(text: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in shlex.split(text)]
    if any(not equals or "%" in value for _, equals, value in pairs):
        raise ValueError("expected NAME=value …, without specifiers")
    return {name: value for name, _, value in pairs}


def _names(text: str) -> tuple[str, ...]:
    return tuple(word.removesuffix(".service") for word in text.split())


READERS: dict[tuple[str, str], tuple[str, Callable[[str], object]]] = {
    ("Unit", "Requires"): ("requires", _names),
    ("Unit", "After"): ("after", _names),
    ("Service", "Type"): ("type", lambda text: _one_of(TYPES, text)),
    ("Service", "ExecStart"): ("exec_start", _command),
    ("Service", "User"): ("user", str),
    ("Service", "Group"): ("group", str),
    ("Service", "UMask"): ("umask", lambda text: int(text, 8)),
    ("Service", "Environment"): ("environment", _variables),
    ("Service", "WorkingDirectory"): ("working_directory", str),
    ("Service", "RuntimeDirectory"): ("runtime_directory", lambda text: tuple(text.split())),
    ("Service", "RuntimeDirectoryMode"): ("runtime_directory_mode", lambda text: int(text, 8)),
    ("Service", "LimitNOFILE"): ("limit_nofile", int),
    ("Service", "Restart"): ("restart", lambda text: _one_of(RESTARTS, text)),
    ("Service", "RestartSec"): ("restart_s", seconds),
    ("Service", "TimeoutStartSec"): ("start_limit_s", seconds),
    ("Service", "TimeoutStopSec"): ("stop_limit_s", seconds),
    ("Service", "RemainAfterExit"): ("remain_after_exit", _yes),
}


def parse(name: str, text: str) -> Unit:
    """Raises UnitError: file, line, and the words that are not understood."""
    values: dict[str, object] = {}
    section = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        where = f"{name}.service:{number}: [{section}] {key}"
        if not equals or line.endswith("\\"):
            raise UnitError(f"{where}: expected Key=value on one line")
        if key in KNOWN_IGNORED.get(section, set()):
            continue
        if (section, key) not in READERS:
            raise UnitError(f"{where}: not known to the lab's supervisor")
        slot, read = READERS[section, key]
        try:
            known = read(value)
        except ValueError as error:
            raise UnitError(f"{where}: {error}") from error
        if isinstance(known, dict):
            values[slot] = {**values.get(slot, {}), **known}  # type: ignore[dict-item]
        elif slot in {"requires", "after"}:
            values[slot] = (*values.get(slot, ()), *known)  # type: ignore[misc]
        elif slot in values:
            raise UnitError(f"{where}: said twice")
        else:
            values[slot] = known
    if "exec_start" not in values:
        raise UnitError(f"{name}.service: no ExecStart")
    return Unit(name, **values)  # type: ignore[arg-type]


def load(folder: Path, names: list[str]) -> list[Unit]:
    """The named units, each after what it comes after. Raises UnitError, also for a circle."""
    units = {name: parse(name, (folder / f"{name}.service").read_text()) for name in names}
    ordered: list[Unit] = []
    while len(ordered) < len(units):
        done = {unit.name for unit in ordered}
        ready = [
            unit
            for unit in units.values()
            if unit.name not in done and all(other in done for other in unit.after if other in units)
        ]
        if not ready:
            raise UnitError(f"these wait for each other: {', '.join(sorted(units.keys() - done))}")
        ordered += ready
    return ordered
