"""Quality of calls: each leg's loss, jitter, round trip, R and MOS in windows of 10 s; by trunk and hour."""
