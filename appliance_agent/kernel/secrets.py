"""Secrets between the processes of one box: BoxPaths.secrets. Made once, never shown, never in a log."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.files import write_atomically


@dataclass(frozen=True, slots=True)
class BoxSecrets:
    """Letters and digits only: they stand in Asterisk's files as they are."""

    ami: str = field(repr=False)
    ari: str = field(repr=False)


def read_secrets(path: Path) -> BoxSecrets:
    """Blocking. Raises Fault when the file is missing or broken."""
    try:
        values = json.loads(path.read_text("ascii"))
        return BoxSecrets(ami=str(values["ami"]), ari=str(values["ari"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Fault(
            FaultKind.INTERNAL, "secrets.unreadable", f"{path}: cannot be read ({type(error).__name__})",
            hint="Run python3 -m appliance_agent.init; remove the file first when it is broken.",
        ) from error  # fmt: skip


def make_secrets(path: Path) -> BoxSecrets:
    """Blocking. Reads the file, or makes it with mode 0600 when there is none."""
    if path.exists():
        return read_secrets(path)
    made = BoxSecrets(ami=secrets.token_hex(24), ari=secrets.token_hex(24))
    write_atomically(path, json.dumps(asdict(made)).encode("ascii"), mode=0o600)
    return made
