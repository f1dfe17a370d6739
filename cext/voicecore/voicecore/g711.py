"""ITU-T G.711: 8-bit A-law or µ-law from and to 16-bit linear samples in the machine's byte order."""

from enum import StrEnum

from voicecore._core import ffi, lib


class Law(StrEnum):
    ALAW = "alaw"
    ULAW = "ulaw"


def decode(law: Law, coded: bytes) -> bytes:
    """One byte a sample → two bytes a sample."""
    out = bytearray(2 * len(coded))
    function = lib.vc_alaw_decode if law is Law.ALAW else lib.vc_ulaw_decode
    function(ffi.from_buffer("uint8_t[]", coded), ffi.from_buffer("int16_t[]", out), len(coded))
    return bytes(out)


def encode(law: Law, linear: bytes) -> bytes:
    """Two bytes a sample → one byte a sample. Raises ValueError for half a sample."""
    if len(linear) % 2:
        raise ValueError(f"{len(linear)} bytes are not a whole number of 16-bit samples")
    out = bytearray(len(linear) // 2)
    function = lib.vc_alaw_encode if law is Law.ALAW else lib.vc_ulaw_encode
    function(ffi.from_buffer("int16_t[]", linear), ffi.from_buffer("uint8_t[]", out), len(out))
    return bytes(out)
