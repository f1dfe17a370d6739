"""What the sound of a call is worth: R by ITU-T G.107 in windows of 10 s of media, as `cext/bench/score.c` tells it.

R = 93.2 - (0.024 Ta + 0.11 max(Ta - 177.3, 0)) - 95 P / (P / BurstR + 25.1): Ta = 20 ms + from when a sample was spoken
until it sounds; P = % of the media that does not sound or was made up, never below what the network lost.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.proof.jitter.places import Piece

RATE_HZ = 8000
PACKET = 160
WINDOW = 10 * RATE_HZ
FADE = 48
"""Samples at the end of what was made up that are part of the packet after it already: the one fades into the other."""


@dataclass(frozen=True, slots=True)
class Worth:
    """Of all windows."""

    r: float
    delay_ms: float
    bad_pct: float
    lost_pct: float
    """By the network; part of what is bad."""
    splices: int
    """Places where media was stretched or pressed."""


def r_factor(delay_ms: float, bad: float, burst_packets: float) -> float:
    ta, p = 20 + delay_ms, 100 * bad
    burst = max(1.0, burst_packets * (1 - bad))
    return 93.2 - (0.024 * ta + 0.11 * max(ta - 177.3, 0)) - 95 * p / (p / burst + 25.1)


def _hole(before: Piece, after: Piece) -> int:
    """Samples that are bad between two pieces: missing and made up stand for each other, the larger of them counts."""
    if before.is_spliced:
        return 0
    missing = after.media - (before.media + before.length)
    made_up = after.out - (before.out + before.length)
    larger = max(missing, made_up)
    rest = larger % PACKET
    return larger - rest if rest <= FADE < larger else larger


def worth(
    found: list[Piece], spoken_s: NDArray[np.float64], sounds_s: NDArray[np.float64], lost: NDArray[np.bool_]
) -> Worth:
    """`spoken_s`: of each packet's first sample; `sounds_s`: of each sample that sounds; `lost`: packets."""
    count = len(spoken_s) * PACKET // WINDOW
    bad, bursts, delay, media = (np.zeros(count + 1) for _ in range(4))
    for index, piece in enumerate(found):
        at = piece.media + np.arange(piece.length)
        at = at[at < len(spoken_s) * PACKET]
        heard = sounds_s[piece.out : piece.out + len(at)] - (spoken_s[at // PACKET] + at % PACKET / RATE_HZ)
        np.add.at(delay, at // WINDOW, heard * 1000)
        np.add.at(media, at // WINDOW, 1)
        if index + 1 < len(found) and (hole := _hole(piece, found[index + 1])) > 0:
            window = min((piece.media + piece.length) // WINDOW, count)
            bad[window] += hole
            bursts[window] += hole >= PACKET / 2
    r = []
    for window in range(count):
        of_network = float(np.sum(lost[window * WINDOW // PACKET : (window + 1) * WINDOW // PACKET])) * PACKET
        part = min(1.0, max(bad[window], of_network) / WINDOW)
        burst = bad[window] / bursts[window] / PACKET if bursts[window] else 1.0
        r.append(r_factor(delay[window] / max(media[window], 1), part, burst))
    splices = sum(piece.is_spliced for piece in found)
    all_delay, all_media = float(delay[:count].sum()), float(media[:count].sum())
    all_bad = float(bad[:count].sum()) / (count * WINDOW)
    return Worth(float(np.mean(r)), all_delay / all_media, 100 * all_bad, 100 * float(np.mean(lost)), splices)
