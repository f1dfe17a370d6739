"""Telephone lines for people: what is in the box, how each line does, what it suffered."""
