"""How the C library gives memory back. A box has little, and the agent lives for months."""

import ctypes

M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
LARGE_BYTES = 262_144
ARENAS = 2


def give_back_early() -> None:
    """glibc only (elsewhere nothing happens). Call once, before threads begin.

    Large blocks are mapped and go back to the system when freed. Left alone, glibc raises that limit after the first
    large block: 20 log-ins (argon2, 19 MiB each) then kept 39 MiB in two threads' arenas for ever (146 MiB measured,
    107 before).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(M_ARENA_MAX, ARENAS)
