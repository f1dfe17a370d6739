"""Waits for the next change of the cards and says what it was."""

from hal.model.changes import Changes, compare
from hal.model.inventory import Inventory
from hal.protocols.box import Bell, Box

QUIET_S = 0.3
"""A card of four spans rings often while its driver starts; probed is when it has been quiet this long …"""
MOST_RINGS = 20
"""… or has rung this often."""


async def next_changes(
    box: Box, bell: Bell, before: Inventory, within_s: float, quiet_s: float = QUIET_S
) -> tuple[Inventory, Changes]:
    """The inventory now and what changed; no changes when nothing rang within the time, or what rang went back."""
    if not await bell.rung(within_s):
        return before, Changes()
    for _ in range(MOST_RINGS):
        if not await bell.rung(quiet_s):
            break
    now = await box.inventory()
    return now, compare(before, now)
