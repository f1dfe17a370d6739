"""Headquarters: both databases, the real PostgreSQL among them."""
