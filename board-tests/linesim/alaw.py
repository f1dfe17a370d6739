"""A-law as ITU-T G.711 has it: samples of 16 bits in the middle of each interval. The kernel's own decoder tells an
interval's lower end, and what passed it is up to 0.27 dB too weak."""

from collections.abc import Sequence

STEP = 16
"""Of the smallest intervals; the ends of all are multiples of it."""
IDLE = 0xD5
LIMIT = 2048 * STEP


def _interval(code: int) -> tuple[int, int]:
    """Middle and half width."""
    turned = code ^ 0x55
    segment, place = turned >> 4 & 7, turned & 15
    half = STEP // 2 << max(segment - 1, 0)
    middle = (2 * place + 1 + (32 if segment else 0)) * half
    return (middle if turned & 0x80 else -middle), half


SAMPLES = [_interval(code)[0] for code in range(256)]
CODES = [0] * (2 * LIMIT // STEP)
"""By the sample in steps, rounded down: those of negative ones are at the end, as Python counts."""
for _code in range(256):
    _middle, _half = _interval(_code)
    for _place in range((_middle - _half) // STEP, (_middle + _half) // STEP):
        CODES[_place] = _code


def decoded(block: bytes) -> list[int]:
    return [SAMPLES[code] for code in block]


def encoded(samples: Sequence[float]) -> bytes:
    """Raises ValueError when a sample is none of 16 bits: more was injected than a line holds."""
    if not -LIMIT <= min(samples) <= max(samples) < LIMIT:
        raise ValueError(f"{min(samples):.0f} … {max(samples):.0f} is beyond what a line holds: inject less")
    return bytes([CODES[int(one // STEP)] for one in samples])
