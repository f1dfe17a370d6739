"""Records as CSV for spreadsheets: UTF-8 with BOM, local time, and no cell that a spreadsheet would run."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

BOM = "\ufeff"
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")

COLUMNS: dict[str, tuple[str, str]] = {
    "call_id": ("通话编号", "Call id"),
    "started_us": ("开始时间", "Started"),
    "answered_us": ("接通时间", "Answered"),
    "ended_us": ("结束时间", "Ended"),
    "direction": ("方向", "Direction"),
    "result": ("结果", "Result"),
    "caller_number": ("主叫号码", "Caller"),
    "caller_name": ("主叫名称", "Caller name"),
    "called_number": ("被叫号码", "Called"),
    "did": ("接入号", "DID"),
    "trunk": ("中继", "Trunk"),
    "line": ("线路", "Line"),
    "queue": ("队列", "Queue"),
    "extension": ("分机", "Extension"),
    "user_name": ("坐席", "Agent"),
    "menu_ms": ("菜单时长（秒）", "Menu (s)"),
    "wait_ms": ("排队时长（秒）", "Waited (s)"),
    "ring_ms": ("振铃时长（秒）", "Rang (s)"),
    "talk_ms": ("通话时长（秒）", "Talked (s)"),
    "hold_ms": ("保持时长（秒）", "Held (s)"),
    "transfers": ("转接次数", "Transfers"),
    "hangup_by": ("挂机方", "Hung up by"),
    "hangup_cause": ("挂机原因", "Cause (Q.850)"),
    "recording_seconds": ("录音时长（秒）", "Recording (s)"),
}
"""Column of the query → heading (Chinese, English)."""


def heading(lang: str) -> str:
    return BOM + _lines([[names[0 if lang == "zh" else 1] for names in COLUMNS.values()]])


def lines(rows: Iterable[Mapping[str, Any]], zone: ZoneInfo) -> str:
    return _lines([_cell(name, row[name], zone) for name in COLUMNS] for row in rows)


def _lines(rows: Iterable[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _cell(name: str, value: Any, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if name.endswith("_us"):
        return f"{datetime.fromtimestamp(value / 1_000_000, UTC).astimezone(zone):%Y-%m-%d %H:%M:%S}"
    if name.endswith("_ms"):
        return f"{value / 1000:.1f}"
    return harmless(str(value))


def harmless(text: str) -> str:
    """What a caller may have chosen (a name such as `=HYPERLINK(…)`) stays a text: a quote goes before it."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text
