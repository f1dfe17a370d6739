"""Windows as bytes, 22 each: an hour of a leg is 8 KB. Pure."""

import struct
from collections.abc import Iterable

from ledger.quality import Flow, Window

_WINDOW = struct.Struct("<I9H")
_UNKNOWN = 0xFFFF
_TENTHS, _SHARE = 10, 10_000
"""Milliseconds are kept by the tenth, shares by the hundredth of a per cent."""


def pack(windows: Iterable[Window]) -> bytes:
    return b"".join(
        _WINDOW.pack(
            one.slot,
            _number(one.came.expected), _number(one.came.lost), _number(one.came.jitter_ms, _TENTHS),
            _number(one.went.expected), _number(one.went.lost), _number(one.went.jitter_ms, _TENTHS),
            _number(one.rtt_ms, _TENTHS), _number(one.concealed, _SHARE), _number(one.buffer_ms, _TENTHS),
        )
        for one in windows
    )  # fmt: skip


def unpack(data: bytes) -> list[Window]:
    """ValueError: its length is not that of whole windows."""
    if len(data) % _WINDOW.size:
        raise ValueError(f"{len(data)} bytes are no windows of {_WINDOW.size}")
    return [
        Window(
            slot, Flow(expected, lost, _value(jitter, _TENTHS)), Flow(went, went_lost, _value(went_jitter, _TENTHS)),
            _value(rtt, _TENTHS), _value(concealed, _SHARE), _value(held, _TENTHS),
        )
        for slot, expected, lost, jitter, went, went_lost, went_jitter, rtt, concealed, held
        in _WINDOW.iter_unpack(data)
    ]  # fmt: skip


def _number(value: float | None, scale: int = 1) -> int:
    """What is too large for its field becomes the largest that there is."""
    return _UNKNOWN if value is None else min(max(round(value * scale), 0), _UNKNOWN - 1)


def _value(number: int, scale: int) -> float | None:
    return None if number == _UNKNOWN else number / scale
