"""Samples at the door: a buffer of int16 in the machine's byte order becomes the blocks of 160 that the core reads."""

import os
from collections.abc import Iterator
from typing import Any

from voicecore._core import ffi, lib

RATE_HZ: int = lib.VC_RATE_HZ
BLOCK: int = lib.VC_BLOCK
BLOCK_MS: int = lib.VC_BLOCK_MS

Samples = bytes | bytearray | memoryview


def blocks(samples: Samples) -> Iterator[Any]:
    """Pointers to the blocks in `samples`, without a copy. Raises ValueError unless it is whole blocks of 20 ms."""
    view = memoryview(samples)
    if view.nbytes % (2 * BLOCK):
        raise ValueError(f"{view.nbytes} bytes are not whole blocks of {BLOCK} 16-bit samples")
    held = ffi.from_buffer("int16_t[]", view)
    for start in range(0, len(held), BLOCK):
        yield held + start


def checked(result: int, what: str) -> int:
    """The core's answer; -errno becomes a ValueError that says what was refused."""
    if result < 0:
        raise ValueError(f"{what} is refused: {_reason(-result)}")
    return result


def _reason(number: int) -> str:
    return os.strerror(number)
