"""What is asked of the figures."""

from typing import Any

BETTER_R = 2.0
WORSE_PESQ = 0.05
LOST_PCT = (1.5, 5.0)
"""A cable that loses 3 % of 6000 packets stays within."""
LATE_MS, LATE_PCT = 10.0, 0.1
"""So few packets of the replay may be later: else the arrivals were not those of the log."""
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
    if (late := figures["sent_late_ms"]["late_pct"]) > LATE_PCT:
        found.append(f"{late} % of the replay were sent more than {LATE_MS:g} ms late; at most {LATE_PCT:g} %")
    if (most := figures["cable"].get("latest_ms", 0)) > LATE_MS:
        found.append(f"the cable kept a packet of the recorded call {most} ms too long; at most {LATE_MS:g}")
    return found
