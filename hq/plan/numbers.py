"""Blocks of dialled numbers, and when two of them cannot be told apart. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from contracts.plan import Plan, Range, Site


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers of one length that somebody may dial at a site."""

    prefix: str
    range: Range
    site: str
    path: str
    """Where it stands in the plan."""

    @property
    def first(self) -> str:
        return self.prefix + self.range.first

    @property
    def last(self) -> str:
        return self.prefix + self.range.last


def clash(one: Block, other: Block) -> bool:
    """Whether a number of one is, or begins, a number of the other: who dials digit by digit reaches one only."""
    length = min(len(one.first), len(other.first))
    return one.first[:length] <= other.last[:length] and other.first[:length] <= one.last[:length]


def clashes(blocks: Iterable[Block]) -> Iterator[tuple[Block, Block]]:
    """Neighbours that clash, of all the blocks; none when no two of them do.

    Sorted by their beginnings as text, blocks that clash with nobody are apart: each ends before the next one begins.
    """
    highest: Block | None = None
    for block in sorted(blocks, key=lambda block: (block.first, block.last)):
        if highest is not None and clash(highest, block):
            yield highest, block
        if highest is None or block.last > highest.last:
            highest = block


def dialled_at(plan: Plan, site: Site) -> list[Block]:
    """Every block that is dialled at `site`, the outside digit too. Its own extensions come without prefix as well."""
    outside = Block("", Range(plan.outside, plan.outside), "", "outside")
    own = [] if not site.prefix else [_block("", site, at) for at in range(len(site.extensions))]
    every = [_block(other.prefix, other, at) for other in plan.sites for at in range(len(other.extensions))]
    return [outside, *own, *every]


def _block(prefix: str, site: Site, at: int) -> Block:
    return Block(prefix, site.extensions[at], site.id, f"sites/{site.id}/extensions/{at}")


def holds(site: Site, number: str) -> bool:
    """Whether it is an extension of that site."""
    return any(len(number) == len(block.first) and block.first <= number <= block.last for block in site.extensions)
