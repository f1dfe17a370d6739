"""The golden cases: `<case>/desired.json`, `<case>/retired.json` (older menus, optional), `<case>/files/…`."""

from ipaddress import IPv4Interface
from pathlib import Path

from pydantic import TypeAdapter

from appliance_agent.config.model import Desired, Menu
from appliance_agent.render.facts import Facts
from contracts.paths import BoxPaths

HERE = Path(__file__).resolve().parent
NAMES = sorted(path.parent.name for path in HERE.glob("*/desired.json"))


def desired(case: str) -> Desired:
    return Desired.model_validate_json((HERE / case / "desired.json").read_bytes())


def facts(case: str) -> Facts:
    retired = HERE / case / "retired.json"
    menus = TypeAdapter(tuple[Menu, ...]).validate_json(retired.read_bytes()) if retired.exists() else ()
    return Facts(
        BoxPaths(),
        ami_secret="AmiSecretOfTheTests",
        ari_secret="AriSecretOfTheTests",
        retired_menus=menus,
        addresses=(IPv4Interface("192.168.7.1/24"),),
    )
