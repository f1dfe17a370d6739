"""Who this box is: BoxPaths.identity, written by the factory or the lab, never by the box itself."""

import ipaddress
import tomllib
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from appliance_agent.kernel.errors import Fault, FaultKind

DEFAULT_LISTEN = "127.0.0.1:8800"


class Edition(StrEnum):
    SA800 = "sa800"
    """Call-centre server."""
    SE800 = "se800"
    """IP-PBX."""


@dataclass(frozen=True, slots=True)
class BoxIdentity:
    """One key of box.toml a field; keys with a default may be left out."""

    box_id: str
    edition: Edition
    listen: str = DEFAULT_LISTEN
    """IPv4 address and TCP port of the front. Any address but a loopback one means HTTPS only."""
    sample: bool = False
    """Start with the sample document (a menu, two queues, extensions) when the box has no version yet."""
    exchange: str = ""
    """IPv4 address of the public exchange that the sample's trunk leads to, with `:port` when that is not 5060.
    Needed with sample = true."""
    announce: str = ""
    """IPv4 address at which those outside reach this box when it is not its own: somebody before it forwards SIP and
    audio. An announced address of the configuration comes first."""

    cards: str = ""
    """Telephone cards of a simulated box, such as "e1:4 fxo:8"; labs only. Empty: the box's own hardware."""

    @property
    def listen_host(self) -> str:
        return self.listen.rpartition(":")[0]

    @property
    def listen_port(self) -> int:
        return int(self.listen.rpartition(":")[2])


def parse_identity(text: str, path: Path) -> BoxIdentity:
    """Raises Fault: broken TOML, an unknown key, a missing key or a wrong value, with the file's path and a hint."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _fault(path, f"is not TOML: {error}", 'Write lines such as box_id = "sa800-1".') from error
    known = [field.name for field in fields(BoxIdentity)]
    for key in values:
        if key not in known:
            raise _fault(path, f"unknown key {key!r}", f"Known keys: {', '.join(known)}.")
    box_id = _string(values, "box_id", path)
    if not box_id or not all(char.isascii() and (char.isalnum() or char == "-") for char in box_id):
        raise _fault(path, f"box_id = {box_id!r} is not a name", "Use letters, digits and hyphens, such as sa800-1.")
    edition = _string(values, "edition", path)
    if edition not in set(Edition):
        raise _fault(path, f"edition = {edition!r} is not known", f"Choose one of: {', '.join(Edition)}.")
    sample = values.get("sample", False)
    if not isinstance(sample, bool):
        raise _fault(path, f"sample = {sample!r} is not true or false", "Write sample = true or sample = false.")
    listen = _string(values, "listen", path, DEFAULT_LISTEN)
    _check_listen(listen, path)
    exchange = _string(values, "exchange", path, "")
    if exchange or sample:
        host, colon, port = exchange.partition(":")
        _check_address(host, "exchange", path)
        if colon and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
            raise _fault(path, f"exchange = {exchange!r} has no port", "Write address:port, or the address alone.")
    announce = _string(values, "announce", path, "")
    if announce:
        _check_address(announce, "announce", path)
    cards = _string(values, "cards", path, "")
    return BoxIdentity(box_id, Edition(edition), listen, sample, exchange, announce, cards)


def read_identity(path: Path) -> BoxIdentity:
    """Blocking. Raises Fault as `parse_identity`, and when the file cannot be read."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _fault(path, f"cannot be read: {error}", "The factory or the lab writes this file.") from error
    return parse_identity(text, path)


def _string(values: dict[str, Any], key: str, path: Path, default: str | None = None) -> str:
    value = values.get(key, default)
    if value is None:
        raise _fault(path, f"{key} is missing", f'Add a line such as {key} = "…".')
    if not isinstance(value, str):
        raise _fault(path, f"{key} = {value!r} is not a text", f'Put it in quotes: {key} = "…".')
    return value


def _check_listen(listen: str, path: Path) -> None:
    host, _, port = listen.rpartition(":")
    if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise _fault(path, f"listen = {listen!r} has no port", 'Write address:port, such as "127.0.0.1:8800".')
    _check_address(host, "listen", path)


def _check_address(text: str, key: str, path: Path) -> None:
    try:
        ipaddress.IPv4Address(text)
    except ValueError as error:
        raise _fault(path, f"{key}: {text!r} is not an IPv4 address", "Write one such as 192.0.2.1.") from error


def _fault(path: Path, what: str, hint: str) -> Fault:
    return Fault(FaultKind.INVALID, "identity.invalid", f"{path}: {what}", hint=hint)
