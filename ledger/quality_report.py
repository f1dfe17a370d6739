"""Figures of the quality report: by peer (a trunk, or the box's own phones) and hour, day or hour of day. Pure."""

from collections import defaultdict
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ledger.quality import Figures, Sums
from ledger.report import By, bucket_of, buckets


@dataclass(frozen=True, slots=True)
class Cell:
    peer: str
    """A trunk's id; "" the box's own phones, all together."""
    bucket: str
    figures: Figures


class QualityReport:
    """Add quarters of an hour one after the other, then read the figures. Empty cells are left out."""

    def __init__(self, from_us: int, to_us: int, by: By, zone: ZoneInfo) -> None:
        self._by, self._zone = by, zone
        self.buckets = buckets(from_us, to_us, by, zone)
        """All, in order."""
        self._cells: defaultdict[tuple[str, str], Sums] = defaultdict(Sums)

    def add(self, peer: str, at_us: int, counts: dict[str, float]) -> None:
        """`at_us`: when the quarter began."""
        self._cells[peer, bucket_of(at_us, self._by, self._zone)].merge(counts)

    def cells(self) -> list[Cell]:
        order = {bucket: index for index, bucket in enumerate(self.buckets)}
        known = sorted(self._cells.items(), key=lambda item: (item[0][0], order.get(item[0][1], 0)))
        return [Cell(peer, bucket, sums.figures()) for (peer, bucket), sums in known]

    def peers(self) -> list[Cell]:
        """Each peer's whole time."""
        peers: defaultdict[str, Sums] = defaultdict(Sums)
        for (peer, _), sums in self._cells.items():
            peers[peer].merge(sums.counts)
        return [Cell(peer, "", sums.figures()) for peer, sums in sorted(peers.items())]

    def total(self) -> Figures:
        """The branch."""
        total = Sums()
        for sums in self._cells.values():
            total.merge(sums.counts)
        return total.figures()
