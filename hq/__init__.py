"""Headquarters: what all branches do, one numbering plan for them."""
