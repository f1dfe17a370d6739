"""The door of the ledger: one journal line → `Event`, and back for the rows that we write ourselves.

Rows are Asterisk's (cel_custom, JSON) or ours (`user_row`): same fields. The rest of the ledger never sees raw rows.
"""

import json
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from contracts.journal import CEL_FIELDS
from ledger.model import Event

MAX_LINE_BYTES = 65_536
"""A CEL row is about 500 B; a longer line is garbage."""

_VALUE = r'"{0}":(?:"(?P<{0}>(?:[^"]|(?<=\\)")*?)"|(?P<{0}_bare>-?\d+))'
_ROW = re.compile(r"\{" + ",".join(_VALUE.format(field) for field in CEL_FIELDS) + r"\}")
"""A row as cel_custom writes it. That is no JSON when a caller's name holds a backslash or a control character:
Asterisk 22.10 puts a backslash before each quote and escapes nothing else. As every quote inside a value has one,
`,"<next field>":` is never inside a value, and the row is read without doubt: no caller hides or forges a field."""
_TIME = re.compile(r"^(\d{1,12})\.(\d{6})$")
_ROW_START = b'{"eventtype":'


class JournalError(ValueError):
    """A line that is no row: torn, or not Asterisk's. The message says why."""


def parse_line(line: bytes | str, seq: int) -> Event:
    """One line (with or without its newline) → Event. Raises JournalError, never anything else."""
    return parse_row(decode_line(line), seq)


def decode_line(line: bytes | str) -> dict[str, str]:
    """One line → its fields as strings, the empty ones left out. Raises JournalError."""
    if len(line) > MAX_LINE_BYTES:
        raise JournalError(f"line of {len(line)} bytes; a row has at most {MAX_LINE_BYTES}")
    try:
        text = line.decode("utf-8") if isinstance(line, bytes) else line
        if match := _ROW.fullmatch(text.strip()):
            return _written(match)
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise JournalError(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise JournalError(f"a JSON {type(row).__name__}, not an object")
    return {key: text for key, value in row.items() if (text := _text(value))}


def _written(match: re.Match[str]) -> dict[str, str]:
    row = {field: match[field] or match[f"{field}_bare"] or "" for field in CEL_FIELDS}
    return {field: text.replace('\\"', '"') for field, text in row.items() if text}


def salvage(line: bytes) -> bytes | None:
    """What may still be a whole row at the end of a line whose start was torn (power cut, then a new row)."""
    at = line.rfind(_ROW_START)
    return line[at:] if at > 0 else None


def parse_row(row: Mapping[str, str], seq: int) -> Event:
    """Fields of one row (as `decode_line` gives them) → Event. Raises JournalError."""
    kind = row.get("eventtype", "")
    if not kind:
        raise JournalError("no eventtype")
    user = row.get("eventenum", "") == "USER_DEFINED"
    extra = row.get("eventextra", "")
    return Event(
        seq=seq,
        type=row.get("userdeftype", "") or kind if user else kind,
        time_us=_time_us(row.get("eventtime", "")),
        uniqueid=row.get("uniqueid", ""),
        linkedid=row.get("linkedid", ""),
        channel=row.get("channame", ""),
        caller_number=row.get("num", ""),
        caller_name=row.get("name", ""),
        exten=row.get("exten", ""),
        context=row.get("context", ""),
        app=row.get("appname", ""),
        app_data=row.get("appdata", ""),
        peer=row.get("peer", ""),
        data=_user_data(extra) if user else _extra(extra),
    )


def user_row(
    kind: str, data: Mapping[str, str], time_us: int, *, uniqueid: str = "", linkedid: str = "", channel: str = ""
) -> bytes:
    """A row of ours as Asterisk would write it, with its newline."""
    row = dict.fromkeys(CEL_FIELDS, "")
    text = "&".join(f"{key}={quote(value, safe='')}" for key, value in data.items())
    row |= {
        "eventtype": kind, "eventenum": "USER_DEFINED", "userdeftype": kind, "uniqueid": uniqueid,
        "linkedid": linkedid, "channame": channel, "eventtime": f"{time_us // 1_000_000}.{time_us % 1_000_000:06d}",
        "eventextra": json.dumps({"extra": text}, separators=(",", ":")),
    }  # fmt: skip
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _time_us(text: str) -> int:
    match = _TIME.match(text)
    if not match:
        raise JournalError(f"eventtime {text[:40]!r} is not seconds.microseconds")
    return int(match[1]) * 1_000_000 + int(match[2])


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    return json.dumps(value)


def _extra(text: str) -> dict[str, str]:
    """The JSON object of `eventextra`, flattened to strings; {} where there is none."""
    if not text:
        return {}
    try:
        extra = json.loads(text)
    except (ValueError, RecursionError):
        raise JournalError(f"eventextra is not JSON: {text[:80]!r}") from None
    return {key: _text(value) for key, value in extra.items()} if isinstance(extra, dict) else {}


def _user_data(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in _extra(text).get("extra", "").split("&"))
    return {key: unquote(value) for key, _, value in pairs if key}
