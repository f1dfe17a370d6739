"""The golden cases: `<case>/desired.json`, `<case>/retired.json` (older menus, optional), `<case>/lines.json` (lines
that are there: name → [span, first channel]; optional), `<case>/files/…`."""

import json
from ipaddress import IPv4Interface
from pathlib import Path

from pydantic import TypeAdapter

from appliance_agent.config.model import Desired, Menu
from appliance_agent.render.facts import Facts, LineFact
from contracts.paths import BoxPaths

HERE = Path(__file__).resolve().parent
NAMES = sorted(path.parent.name for path in HERE.glob("*/desired.json"))
ON_THE_BOARD = frozenset(path.parent.name for path in HERE.glob("*/lines.json"))
"""Cases with lines: Asterisk loads them only where the kernel has those lines (board-tests)."""


def desired(case: str) -> Desired:
    return Desired.model_validate_json((HERE / case / "desired.json").read_bytes())


def facts(case: str) -> Facts:
    retired = HERE / case / "retired.json"
    menus = TypeAdapter(tuple[Menu, ...]).validate_json(retired.read_bytes()) if retired.exists() else ()
    lines = HERE / case / "lines.json"
    there: dict[str, tuple[int, int]] = json.loads(lines.read_bytes()) if lines.exists() else {}
    return Facts(
        BoxPaths(),
        ami_secret="AmiSecretOfTheTests",
        ari_secret="AriSecretOfTheTests",
        retired_menus=menus,
        lines={name: LineFact(*numbers) for name, numbers in there.items()},
        addresses=(IPv4Interface("192.168.7.1/24"),),
    )
