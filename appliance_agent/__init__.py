"""The box agent: manages Asterisk, remembers what happened, serves the panel. Calls never depend on it."""

VERSION = "0.1.0"
"""Of the box agent; the same as in pyproject.toml."""
