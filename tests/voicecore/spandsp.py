"""spandsp (Debian's libspandsp2), a telephony library that others wrote, as a peer for DTMF and MF-R2."""

import ctypes
from ctypes import c_char_p, c_int, c_size_t, c_void_p

LIBRARY = ctypes.CDLL("libspandsp.so.2")
R2_NAMES = "1234567890BCDEF"
"""spandsp's characters for MF-R2 signals 1 … 15."""


def _function(name: str, result: type | None, *arguments: type) -> "ctypes._NamedFuncPointer":
    function = getattr(LIBRARY, name)
    function.restype, function.argtypes = result, list(arguments)
    return function  # type: ignore[no-any-return]


_dtmf_rx_init = _function("dtmf_rx_init", c_void_p, c_void_p, c_void_p, c_void_p)
_dtmf_rx = _function("dtmf_rx", c_int, c_void_p, c_char_p, c_int)
_dtmf_rx_get = _function("dtmf_rx_get", c_size_t, c_void_p, c_char_p, c_int)
_dtmf_rx_free = _function("dtmf_rx_free", c_int, c_void_p)
_dtmf_tx_init = _function("dtmf_tx_init", c_void_p, c_void_p, c_void_p, c_void_p)
_dtmf_tx_put = _function("dtmf_tx_put", c_int, c_void_p, c_char_p, c_int)
_dtmf_tx = _function("dtmf_tx", c_int, c_void_p, c_char_p, c_int)
_dtmf_tx_free = _function("dtmf_tx_free", c_int, c_void_p)
_r2_rx_init = _function("r2_mf_rx_init", c_void_p, c_void_p, c_int, c_void_p, c_void_p)
_r2_rx = _function("r2_mf_rx", c_int, c_void_p, c_char_p, c_int)
_r2_rx_get = _function("r2_mf_rx_get", c_int, c_void_p)
_r2_rx_free = _function("r2_mf_rx_free", c_int, c_void_p)
_r2_tx_init = _function("r2_mf_tx_init", c_void_p, c_void_p, c_int)
_r2_tx_put = _function("r2_mf_tx_put", c_int, c_void_p, ctypes.c_char)
_r2_tx = _function("r2_mf_tx", c_int, c_void_p, c_char_p, c_int)
_r2_tx_free = _function("r2_mf_tx_free", c_int, c_void_p)


def dtmf_heard(raw: bytes) -> str:
    state, digits = _dtmf_rx_init(None, None, None), ctypes.create_string_buffer(129)
    _dtmf_rx(state, raw, len(raw) // 2)
    _dtmf_rx_get(state, digits, 128)
    _dtmf_rx_free(state)
    return digits.value.decode()


def dtmf_sent(digits: str) -> bytes:
    """Its own times: 50 ms on, 55 ms off; 300 ms of silence at the end."""
    state, out, buffer = _dtmf_tx_init(None, None, None), b"", ctypes.create_string_buffer(320)
    _dtmf_tx_put(state, digits.encode(), -1)
    while got := _dtmf_tx(state, buffer, 160):
        out += buffer.raw[: 2 * got]
    _dtmf_tx_free(state)
    return out + bytes(4800 + -(len(out) + 4800) % 320)


def r2_heard(raw: bytes, *, forward: bool) -> list[int]:
    """The signal after each 20 ms, 0 for none, without repetitions."""
    state, heard = _r2_rx_init(None, int(forward), None, None), [0]
    for start in range(0, len(raw), 320):
        _r2_rx(state, raw[start : start + 320], 160)
        name = _r2_rx_get(state)
        signal = R2_NAMES.index(chr(name)) + 1 if name else 0
        if signal != heard[-1]:
            heard.append(signal)
    _r2_rx_free(state)
    return heard[1:]


def r2_sent(signal: int, blocks: int, *, forward: bool) -> bytes:
    state, out = _r2_tx_init(None, int(forward)), b""
    buffer = ctypes.create_string_buffer(320)
    _r2_tx_put(state, R2_NAMES[signal - 1].encode())
    for _ in range(blocks):
        _r2_tx(state, buffer, 160)
        out += buffer.raw
    _r2_tx_free(state)
    return out
