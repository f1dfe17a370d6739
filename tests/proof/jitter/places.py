"""Which media sounds when: told from the sound alone, for any jitter buffer alike.

G.711 that a buffer plays as it is comes out sample for sample. So what sounds is followed through what was sent: as
long as both are equal, it is that media. Where they part, the next place is looked for where 5 ms of them are equal
again (what is sent has a floor of noise, so that no two such pieces are alike). What lies between is told by what it
is: two pieces of media blended into each other, a pitch apart, are a splice (time is stretched or pressed, nothing is
lost); all else was made up.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
ANCHOR = 40
"""Samples that have to be equal."""
BACK, AHEAD = 160, 8000
"""Samples by which the media may go on earlier or later than where it left."""
LONGEST_HOLE = 16000
"""Samples that are made up at most, before it is given up."""
BLEND = range(8, 81)
"""Samples of a splice."""
PITCH = 120
"""Samples by which a splice shifts the media at most."""
BLEND_OFF = 0.02
"""Part of a splice's energy that its blend does not tell."""
FLOOR = 16.0**2
"""The same of its mean square: A-law's smallest step."""
SURELY = 130
"""Samples that have to be equal where the media seems to go back: a pitch that is repeated is shorter."""


@dataclass(frozen=True, slots=True)
class Piece:
    """So many samples of what sounds, from `out` on, are media from `media` on."""

    out: int
    media: int
    length: int
    is_spliced: bool = False
    """To the next: the media of both is blended at the end of this one, nothing is missing."""


def _equal_from(heard: Samples, sent: Samples, out: int, media: int) -> int:
    """Samples that are equal from here on."""
    most = min(len(heard) - out, len(sent) - media)
    for start in range(0, most, 4096):
        end = min(start + 4096, most)
        differ = np.flatnonzero(heard[out + start : out + end] != sent[media + start : media + end])
        if len(differ):
            return start + int(differ[0])
    return max(most, 0)


def _is_splice(heard: Samples, sent: Samples, out: int, media: int, there: "tuple[int, int]") -> bool:
    """Whether from `out` on the media at `media` goes over, linearly, into that which is exact at `there`."""
    length, shift = there[0] - out, (there[1] - there[0]) - (media - out)
    if length not in BLEND or abs(shift) > PITCH or media + shift < 0 or media + length > len(sent):
        return False
    old = sent[media : media + length].astype(float)
    ahead = sent[media + shift : media + shift + length].astype(float) - old
    gone = heard[out : out + length].astype(float) - old
    # gone = (start + slope * at) * ahead, by least squares
    basis = np.stack([ahead, ahead * np.arange(length)], axis=1)
    fitted, *_ = np.linalg.lstsq(basis, gone, rcond=None)
    left = float(np.sum((gone - basis @ fitted) ** 2))
    return left <= BLEND_OFF * float(np.sum((old + gone) ** 2)) + length * FLOOR


def _next_place(heard: Samples, sent: Samples, out: int, media: int) -> tuple[int, int] | None:
    """Where the media goes on: (out, media). None: nowhere near."""
    around = sent[max(media - BACK, 0) : media + AHEAD]
    base = max(media - BACK, 0)
    raw = around.tobytes()
    for here in range(out, min(out + LONGEST_HOLE, len(heard) - ANCHOR)):
        wanted = heard[here : here + ANCHOR]
        if not wanted.any():
            continue
        at = raw.find(wanted.tobytes())
        while at >= 0 and at % 2:
            at = raw.find(wanted.tobytes(), at + 1)
        if at < 0:
            continue
        found = base + at // 2
        if _is_splice(heard, sent, out, media, (here, found)):
            return here, found
        if found >= media or _equal_from(heard, sent, here, found) >= SURELY:
            return here, found
    return None


def pieces(heard: Samples, sent: Samples) -> list[Piece]:
    """All that is media, in the order in which it sounds; a splice belongs to the piece before it."""
    out = media = 0
    found: list[Piece] = []
    while (place := _next_place(heard, sent, out, media)) is not None:
        if found and _is_splice(heard, sent, out, media, place):
            last = found.pop()
            found.append(Piece(last.out, last.media, place[0] - last.out, is_spliced=True))
        length = _equal_from(heard, sent, *place)
        found.append(Piece(*place, length))
        out, media = place[0] + length, place[1] + length
    return found
