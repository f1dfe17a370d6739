"""Seats: who takes calls where. Their state is ours; Asterisk's queue members follow it, also after a crash."""
