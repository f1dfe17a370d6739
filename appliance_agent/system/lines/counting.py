"""Counters that only grow → what came in each quarter of an hour. Pure."""

from collections.abc import Mapping
from dataclasses import asdict

from hal.protocols.voice import SpanCounters

INTERVAL_US = 15 * 60 * 1_000_000
"""As G.826 and every exchange count."""

Counts = Mapping[str, int]


def interval(now_us: int) -> int:
    """When the interval that holds `now_us` began."""
    return now_us - now_us % INTERVAL_US


def grown(before: SpanCounters, now: SpanCounters) -> Counts:
    """Only what grew. A counter that is smaller than it was began anew with its driver: all of it is new."""
    was, counts = asdict(before), asdict(now)
    growth = {name: count - was[name] if count >= was[name] else count for name, count in counts.items()}
    return {name: count for name, count in growth.items() if count}


def added(one: Counts, other: Counts) -> Counts:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
