"""When to try headquarters again. Pure."""

FIRST_S = 1.0
LONGEST_S = 60.0


def delay_s(failures: int, chance: float) -> float:
    """`failures` in a row, from 1; `chance` in 0 … 1: a thousand boxes do not come at once."""
    whole = min(LONGEST_S, FIRST_S * 2.0 ** min(failures - 1, 10))
    return whole * (0.5 + chance / 2)


def pause_s(sent_bytes: int, took_s: float, rate_kbit: int) -> float:
    """How long to wait after a batch so that the rate is kept; 0 = no limit."""
    if rate_kbit <= 0:
        return 0.0
    return max(0.0, sent_bytes * 8 / (rate_kbit * 1000) - took_s)
