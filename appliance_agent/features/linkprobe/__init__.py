"""Probes of links for people: how would 1, 10, 30 calls to that box sound."""
