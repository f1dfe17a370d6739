"""From figures to levels. Pure."""

from dataclasses import dataclass

from appliance_agent.system.alarms import Level

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Space:
    """Of a disk, or of memory."""

    free_bytes: int
    total_bytes: int


def disk_level(space: Space) -> Level | None:
    """An hour of one recorded call is 115 MB: at 2 GiB it is time to act, at 500 MiB recordings will be lost."""
    if space.free_bytes < min(500 * MIB, space.total_bytes // 20):
        return Level.CRITICAL
    if space.free_bytes < min(2048 * MIB, space.total_bytes // 10):
        return Level.WARNING
    return None


def memory_level(space: Space) -> Level | None:
    """Available memory (caches count as free)."""
    if space.free_bytes < space.total_bytes // 20:
        return Level.CRITICAL
    return Level.WARNING if space.free_bytes < space.total_bytes // 10 else None
