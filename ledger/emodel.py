"""How a call sounds, in numbers: the E-model of ITU-T G.107 for G.711 with concealment. Pure."""

R_BEST = 93.2
"""R of a call with neither delay nor loss, with G.107's default values."""
BPL = 25.1
"""Robustness of G.711 with packet loss concealment against loss (ITU-T G.113, appendix I)."""
KNEE_MS = 177.3
"""From this delay on people talk into one another."""


def r_factor(delay_ms: float, loss_pct: float, burst_ratio: float = 1.0) -> float:
    """R of G.107, 0 to 93.2.

    delay_ms: from mouth to ear, one way. loss_pct: share of the sound that is lost, late or made up, 0 to 100.
    burst_ratio: mean length of the bursts lost over that of losses by chance; 1 is by chance.
    ValueError: one of them is out of its range.
    """
    if delay_ms < 0 or not 0 <= loss_pct <= 100 or burst_ratio < 1:
        raise ValueError(f"delay {delay_ms} ms, loss {loss_pct} %, burst ratio {burst_ratio}: expected ≥ 0, 0–100, ≥ 1")
    delayed = 0.024 * delay_ms + 0.11 * max(delay_ms - KNEE_MS, 0.0)
    lost = 95 * loss_pct / (loss_pct / burst_ratio + BPL)
    return max(R_BEST - delayed - lost, 0.0)


def mos(r: float) -> float:
    """Mean opinion score of conversations, 1 to 4.5, of an R (G.107, annex B)."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, 1.0)
