"""What is asked of the figures."""

from typing import Any

BETTER_R = 2.0
WORSE_PESQ = 0.05
LOST_PCT = (1.5, 5.0)
"""A cable that loses 3 % of 6000 packets stays within."""
LATE_MS = 10.0
"""A packet of the replay: else the arrivals were not those of the log."""
SENT_LATE_MS = 5.0
"""Packets of the recorded call, on the average: else it was this machine that made them late, not the cable."""
LEAST_HEARD = 0.9


def failures(figures: dict[str, Any], *, has_log: bool) -> list[str]:
    """Every figure that misses its target, in words. `has_log`: the log was given, not recorded."""
    found = []
    ours, adaptive = figures["ours"], figures["adaptive"]
    if not ours["R"] >= adaptive["R"] + BETTER_R:
        found.append(f"R is {ours['R']} with ours and {adaptive['R']} with Asterisk's; at least {BETTER_R:g} more")
    if not ours["pesq"] >= adaptive["pesq"] - WORSE_PESQ:
        found.append(
            f"PESQ is {ours['pesq']} with ours and {adaptive['pesq']} with Asterisk's; at most {WORSE_PESQ:g} less"
        )
    for name, one in (("ours", ours), ("adaptive", adaptive)):
        if one["packets"] < LEAST_HEARD * figures["packets"]:
            found.append(f"{one['packets']} packets came out of the call with {name}, {figures['packets']} were sent")
    if not has_log and not LOST_PCT[0] <= figures["lost_pct"] <= LOST_PCT[1]:
        found.append(f"the cable lost {figures['lost_pct']} %: from {LOST_PCT[0]:g} to {LOST_PCT[1]:g} were wanted")
    return found


def too_busy(figures: dict[str, Any]) -> list[str]:
    """Why the figures do not count: this machine had no time to keep the time, in words."""
    found = []
    if (most := figures["sent_late_ms"]["most"]) > LATE_MS:
        found.append(f"a packet of the replay was sent {most} ms late; at most {LATE_MS:g}")
    if (mean := figures["cable"].get("sent_late_ms", 0)) > SENT_LATE_MS:
        found.append(f"the recorded call's packets were sent {mean} ms late; at most {SENT_LATE_MS:g}")
    return found
